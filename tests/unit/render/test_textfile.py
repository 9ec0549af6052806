"""The Prometheus textfile: read back with the library's own parser, over several runs, threads, and bad places."""

import os
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from migrator import __version__
from migrator.model.events import RunEnded, RunStarted, StepMoved, StepWaits
from migrator.model.exits import Exit
from migrator.model.ids import ServiceId
from migrator.model.journal import Direction, Status
from migrator.model.meter import KUBERNETES, Api, Meter
from migrator.render.textfile.families import ALL
from migrator.render.textfile.reporter import Place, Textfile
from tests.fakes.batches import ended, summary
from tests.fakes.running import Collector, FakeClock
from tests.fakes.samples import ORDERS

ROOT = Path(__file__).resolve().parents[3]
FLEET = "/etc/migrate/fleet.yaml"
IAM, PROD = Api("111111111111", "iam"), Api("prod", KUBERNETES)


class Stage:
    """A run of a process: its clock, its meter, its file."""

    def __init__(self, path: Path, fleet: str = FLEET) -> None:
        self.clock = FakeClock()
        self.meter = Meter()
        self.told = Collector()
        place = Place(path=path, fleet=Path(fleet), clusters=("prod", "stage"))
        self.textfile = Textfile(self.told, place, self.meter, monotonic=self.clock.monotonic)

    def step(
        self, step: str, status: Status, *, took: float = 0.0, run: str = "r1", service: ServiceId = ORDERS
    ) -> None:
        """Tells that the step began, and after a while how it ended."""
        for one, wait in ((Status.STARTED, took), (status, 0.0)):
            self.textfile.tell(StepMoved(service=service, direction=Direction.FORWARD, run=run, step=step, status=one))
            self.clock.sleep(wait)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "migrate.prom"


def families(path: Path) -> Iterator[Metric]:
    yield from text_string_to_metric_families(path.read_text(encoding="utf-8"))


def value(path: Path, name: str, **labels: str) -> float | None:
    """The one series of that name whose labels include these."""
    found = [
        sample.value
        for family in families(path)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    assert len(found) <= 1
    return found[0] if found else None


def test_the_file_tells_of_the_run(path: Path) -> None:
    stage = Stage(path)
    stage.step("trust", Status.DONE, took=4.0)
    stage.step("restart", Status.FAILED, took=61.0)
    for _ in range(3):
        stage.meter.called(IAM)
    stage.meter.throttled(IAM)
    stage.meter.retried(IAM)
    stage.meter.held(IAM, 1.5)
    stage.meter.called(PROD)
    assert stage.textfile.write(summary()) == ""

    aws = {"account": "111111111111", "service": "iam"}
    assert value(path, "migrate_build_info") == 1
    assert value(path, "migrate_build_info", version=__version__, fleet=FLEET) == 1
    assert value(path, "migrate_services", standing="migrated") == 2100
    assert value(path, "migrate_services", standing="stranded") == 0
    assert value(path, "migrate_services_left", reason="breaker") == 12
    assert value(path, "migrate_breaker_open", cluster="stage") == 1
    assert value(path, "migrate_breaker_open", cluster="prod") == 0
    assert value(path, "migrate_last_run_start_timestamp_seconds") == 1767304800
    assert value(path, "migrate_last_run_end_timestamp_seconds") == 1767326430.5
    assert value(path, "migrate_last_run_duration_seconds") == 21630.5
    assert value(path, "migrate_last_run_exit_code") == 3
    assert value(path, "migrate_last_run_reason", reason="window") == 1
    assert value(path, "migrate_last_run_reason", reason="budget") == 0
    assert value(path, "migrate_service_runs_total", outcome="done") == 1
    assert value(path, "migrate_service_runs_total", outcome="rolled-back") == 1
    assert value(path, "migrate_service_runs_total", outcome="stranded") == 0
    assert value(path, "migrate_steps_total", kind="trust", direction="forward", outcome="done") == 1
    assert value(path, "migrate_steps_total", kind="restart", direction="forward", outcome="failed") == 1
    assert value(path, "migrate_steps_total", kind="trust", direction="back", outcome="done") == 0
    assert value(path, "migrate_aws_calls_total", **aws) == 3
    assert value(path, "migrate_aws_throttles_total", **aws) == 1
    assert value(path, "migrate_aws_retries_total", **aws) == 1
    assert value(path, "migrate_aws_rate_wait_seconds_total", **aws) == 1.5
    assert value(path, "migrate_kubernetes_calls_total", cluster="prod") == 1
    assert value(path, "migrate_kubernetes_throttles_total", cluster="prod") == 0


def test_durations_are_a_histogram(path: Path) -> None:
    stage = Stage(path)
    for number, took in enumerate((0.5, 4.0, 5000.0)):
        stage.step("restart", Status.DONE, took=took, run=f"r{number}")
    stage.textfile.write(summary())

    buckets = {
        bound: value(path, "migrate_step_duration_seconds_bucket", kind="restart", le=bound)
        for bound in ("1.0", "2.5", "5.0", "2700.0", "+Inf")
    }
    assert buckets == {"1.0": 1, "2.5": 1, "5.0": 2, "2700.0": 2, "+Inf": 3}
    assert value(path, "migrate_step_duration_seconds_count", kind="restart", direction="forward") == 3
    assert value(path, "migrate_step_duration_seconds_sum", kind="restart") == 5004.5


def test_a_step_is_timed_from_when_it_was_first_begun(path: Path) -> None:
    stage = Stage(path)
    stage.textfile.tell(
        StepMoved(service=ORDERS, direction=Direction.FORWARD, run="r1", step="restart", status=Status.STARTED)
    )
    stage.clock.sleep(10)
    stage.step("restart", Status.DONE, took=5)
    stage.textfile.write(summary())

    assert value(path, "migrate_step_duration_seconds_sum", kind="restart") == 15


def test_a_step_that_a_later_run_goes_on_with_is_timed_anew(path: Path) -> None:
    stage = Stage(path)
    stage.textfile.tell(
        StepMoved(service=ORDERS, direction=Direction.FORWARD, run="r1", step="verify", status=Status.STARTED)
    )
    stage.textfile.tell(RunEnded(service=ORDERS, direction=Direction.FORWARD, run="r1", outcome="open"))
    stage.clock.sleep(1000)
    stage.step("verify", Status.DONE, took=2)
    stage.textfile.write(summary())

    assert value(path, "migrate_step_duration_seconds_sum", kind="verify") == 2


def test_what_was_found_so_has_no_duration(path: Path) -> None:
    stage = Stage(path)
    stage.textfile.tell(
        StepMoved(service=ORDERS, direction=Direction.FORWARD, run="r1", step="agent", status=Status.FOUND)
    )
    stage.textfile.write(summary())

    assert value(path, "migrate_steps_total", kind="agent", direction="forward", outcome="found") == 1
    assert value(path, "migrate_step_duration_seconds_count", kind="agent") is None


def test_every_event_is_passed_on() -> None:
    stage = Stage(Path("/nowhere/x.prom"))
    events = (
        RunStarted(service=ORDERS, direction=Direction.FORWARD, run="r1", resumed=False, steps=("trust",)),
        StepWaits(
            service=ORDERS, direction=Direction.FORWARD, step="trust", reason="not yet", waited=1.0, deadline=2.0
        ),
        RunEnded(service=ORDERS, direction=Direction.FORWARD, run="r1", outcome="done"),
    )
    for event in events:
        stage.textfile.tell(event)

    assert stage.told.events == list(events)


def test_counters_go_on_over_runs_and_gauges_do_not(path: Path) -> None:
    for standings in ({"migrated": 1}, {"migrated": 2}, {"migrated": 3}):
        stage = Stage(path)
        stage.step("trust", Status.DONE, took=3.0)
        stage.meter.called(IAM)
        stage.textfile.write(summary(standings=standings, left={}))

    assert value(path, "migrate_steps_total", kind="trust", direction="forward", outcome="done") == 3
    assert value(path, "migrate_step_duration_seconds_count", kind="trust") == 3
    assert value(path, "migrate_step_duration_seconds_bucket", kind="trust", le="2.5") == 0
    assert value(path, "migrate_step_duration_seconds_bucket", kind="trust", le="5.0") == 3
    assert value(path, "migrate_aws_calls_total", service="iam") == 3
    assert value(path, "migrate_service_runs_total", outcome="done") == 3
    assert value(path, "migrate_services", standing="migrated") == 3


def test_one_run_may_write_more_than_once(path: Path) -> None:
    stage = Stage(path)
    stage.meter.called(IAM)
    stage.textfile.write(summary(services=()))
    stage.meter.called(IAM)
    stage.textfile.write(summary())
    stage.textfile.write(summary())

    assert value(path, "migrate_aws_calls_total", service="iam") == 2
    assert value(path, "migrate_service_runs_total", outcome="done") == 1


def test_workers_that_share_a_file_lose_nothing_of_each_other(path: Path) -> None:
    def work(_number: int) -> None:
        stage = Stage(path)
        for _ in range(5):
            stage.meter.called(PROD)
        assert stage.textfile.write(summary()) == ""

    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(work, range(16)))

    assert value(path, "migrate_kubernetes_calls_total", cluster="prod") == 80
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_steps_of_many_threads_are_all_counted(path: Path) -> None:
    stage = Stage(path)
    start = threading.Barrier(4)

    def work(number: int) -> None:
        start.wait()
        for turn in range(50):
            stage.step("trust", Status.DONE, run=f"{number}-{turn}", service=ServiceId("prod", "shop", str(number)))

    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(work, range(4)))
    stage.textfile.write(summary())

    assert value(path, "migrate_steps_total", kind="trust", direction="forward", outcome="done") == 200
    assert value(path, "migrate_step_duration_seconds_count", kind="trust") == 200


@pytest.mark.parametrize(
    "text",
    [
        "no metrics {",
        "\x00\x01",
        'migrate_aws_calls_total{account="1"} 7\n',
        "migrate_step_duration_seconds_bucket 3\n",
    ],
    ids=["[nonsense]", "[binary]", "[other labels]", "[no labels]"],
)
def test_a_file_of_somebody_else_is_begun_anew(path: Path, text: str) -> None:
    path.write_text(text)
    stage = Stage(path)
    stage.meter.called(IAM)
    assert stage.textfile.write(summary()) == ""

    assert value(path, "migrate_aws_calls_total", service="iam", account="111111111111") == 1


def test_buckets_of_another_version_are_not_added_up(path: Path) -> None:
    stage = Stage(path)
    stage.step("trust", Status.DONE, took=3.0)
    stage.textfile.write(summary())
    path.write_text(path.read_text().replace('le="2.5"', 'le="2.0"'))
    Stage(path).textfile.write(summary())

    assert value(path, "migrate_step_duration_seconds_count", kind="trust") is None
    assert value(path, "migrate_steps_total", kind="trust", direction="forward", outcome="done") == 1


def test_numbers_of_another_fleet_are_not_taken_over(path: Path) -> None:
    stage = Stage(path, "/other/fleet.yaml")
    stage.meter.called(IAM)
    stage.textfile.write(summary())
    Stage(path).textfile.write(summary())

    assert value(path, "migrate_aws_calls_total", service="iam") is None


def test_names_are_escaped(path: Path) -> None:
    odd = 'a"b\\c\nd'
    Stage(path).textfile.write(summary(breakers={odd: "x"}))

    assert value(path, "migrate_breaker_open", cluster=odd) == 1


def blocked_by_a_file(folder: Path) -> Path:
    (folder / "file").write_text("")
    return folder / "file" / "migrate.prom"


def blocked_by_a_folder(folder: Path) -> Path:
    (folder / "migrate.prom").mkdir()
    return folder / "migrate.prom"


PLACES = {
    "[no folder]": (lambda folder: folder / "none" / "migrate.prom", "No such file or directory"),
    "[a file in the way]": (blocked_by_a_file, "Not a directory"),
    "[a folder in the way]": (blocked_by_a_folder, "Is a directory"),
}


@pytest.mark.parametrize(("place", "why"), PLACES.values(), ids=PLACES.keys())
def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path, place: Any, why: str) -> None:
    path = place(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    said = Stage(path).textfile.write(summary())

    assert said == (f'the metrics could not be written to "{path}": {why}; correct "batch.metrics" or the rights there')
    assert sorted(tmp_path.rglob("*")) == before


def test_everybody_may_read_the_file(path: Path) -> None:
    before = os.umask(0o022)
    try:
        Stage(path).textfile.write(summary())
    finally:
        os.umask(before)

    assert path.stat().st_mode & 0o777 == 0o644


def test_the_docs_list_what_is_written(path: Path) -> None:
    stage = Stage(path)
    stage.step("trust", Status.DONE, took=3.0)
    stage.meter.called(IAM)
    stage.meter.called(PROD)
    stage.textfile.write(summary())
    written = {}
    for family in families(path):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = {label for sample in family.samples for label in sample.labels} - {"fleet", "le"}
        assert all("fleet" in sample.labels for sample in family.samples)
        written[name] = (family.type, labels, family.documentation)
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(migrate_\w+)` \| (\w+) \| (.*) \| (.*) \|$", page, re.MULTILINE)
    told = {name: (kind, set(re.findall(r"`(\w+)`", labels)), says) for name, kind, labels, says in rows}

    assert told == written
    assert [name for name, *_ in rows] == [family.name for family in ALL]


def test_names_follow_the_conventions_of_prometheus() -> None:
    for family in ALL:
        assert re.fullmatch(r"migrate_[a-z_]+", family.name)
        assert (family.kind == "counter") == family.name.endswith("_total")
        assert family.help.endswith(".")
        assert not {"le", "fleet", "quantile", "job", "instance"} & set(family.labels)
        assert ("duration" in family.name or "timestamp" in family.name) <= family.name.endswith("_seconds")


def test_a_service_that_ended_twice_counts_twice(path: Path) -> None:
    twice = (ended("cart", Exit.UNFINISHED), ended("cart", Exit.DONE))
    Stage(path).textfile.write(summary(services=twice))

    assert value(path, "migrate_service_runs_total", outcome="done") == 1
    assert value(path, "migrate_service_runs_total", outcome="unfinished") == 1
