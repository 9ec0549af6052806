"""The crontab's line and the service's command, run as cron and systemd run them, over a practice fleet.

What is mailed is what the line writes: nothing as long as no person is needed. What operators get besides is looked at
here too: the metrics, and the summary at a URL.
"""

import json
import os
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from prometheus_client.parser import text_string_to_metric_families

from migrator.model.exits import Exit
from migrator.render.contract import schema
from tests.lab import flocks, harness, scenes
from tests.lab.harness import LIMIT, Fleet
from tests.schedulers.examples import INSTALLED, SERVICE, table, unit

FEW = 2
LATE = "one/shop/late"
"""On hold, until a test wants it to fail."""


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("schedulers")
    world = flocks.write(folder, {"one": [*flocks.many(FEW), scenes.service("late", replicas=1)]})
    with harness.fleet(world, folder) as running:
        running.migrate("plan").ok()
        scenes.edit(running, LATE, hold=True)
        flocks.policy(running)
        yield running


@dataclass
class Job:
    """What came of one start by cron."""

    exit: int
    mail: str
    log: list[dict[str, Any]]


def here(text: str) -> str:
    """With the programs of this working tree in the place of installed ones."""
    return text.replace(INSTALLED, str(Path(sys.executable).parent))


def by_cron(fleet: Fleet) -> Job:
    """Cron gives a job its table's settings, the user's HOME and LOGNAME, and nothing else; the fleet is this one."""
    job, log = table(), fleet.folder / "batch.jsonl"
    log.unlink(missing_ok=True)
    bare = {"HOME": os.environ.get("HOME", "/"), "LOGNAME": "migrate"}
    settings = {name: here(value) for name, value in job.settings.items()} | {"LOG": str(log)}
    ran = subprocess.run(
        [settings["SHELL"], "-c", job.command],
        env={**bare, **settings, **fleet.lab.env},
        cwd=fleet.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    return Job(ran.returncode, ran.stdout, [json.loads(line) for line in log.read_text().splitlines()])


@dataclass
class Listener:
    """Who listens on the URL."""

    url: str = ""
    heard: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def listening() -> Iterator[Listener]:
    """A server that takes what is posted, but for the first, which it turns away for a moment."""
    listener, busy = Listener(), [503]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if not busy:
                listener.heard.append(json.loads(body))
            self.send_response(busy.pop() if busy else 204)
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        listener.url = f"http://127.0.0.1:{server.server_address[1]}/hooks/s3cr3t"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield listener
        server.shutdown()
        thread.join()


def names_what_it_is_about(log: list[dict[str, Any]]) -> None:
    """Every line about a service, of two at once, says which, in which run, and at which step."""
    told = [line for line in log if "service" in line]
    assert {line["service"] for line in told} == {f"one/shop/s{number}" for number in range(FEW)}
    for line in told:
        assert (line["cluster"], bool(line["run"]), bool(line["worker"])) == ("one", True, True), line
        assert "step" in line or line["code"] == "RunStarted", line
    assert len({(line["service"], line["run"]) for line in told}) == FEW


def test_a_night_that_goes_well_mails_nothing_and_tells_operators(fleet: Fleet) -> None:
    metrics = fleet.folder / "migrate.prom"
    with listening() as listener:
        flocks.policy(fleet, metrics=str(metrics), notify=listener.url)
        job = by_cron(fleet)
        flocks.policy(fleet)

    assert (job.exit, job.mail) == (0, "")
    names_what_it_is_about(job.log)
    (document,) = listener.heard
    Draft202012Validator(schema("batch")).validate(document)
    assert document["summary"]["done"] == FEW
    samples = {
        (sample.name, *(value for name, value in sorted(sample.labels.items()) if name != "fleet")): sample.value
        for family in text_string_to_metric_families(metrics.read_text(encoding="utf-8"))
        for sample in family.samples
    }
    assert samples["migrate_services", "migrated"] == FEW
    assert samples["migrate_service_runs_total", "done"] == FEW
    assert samples["migrate_steps_total", "forward", "verify", "done"] == FEW
    assert samples["migrate_step_duration_seconds_count", "forward", "restart"] == FEW
    assert samples["migrate_last_run_exit_code",] == 0
    assert samples["migrate_aws_calls_total", "111111111111", "iam"] > 0
    assert samples["migrate_kubernetes_calls_total", "one"] > 0


def test_the_service_starts_what_cron_starts(fleet: Fleet) -> None:
    service = unit(SERVICE)["Service"]
    settings = dict(one.split("=", 1) for one in shlex.split(service["Environment"]))
    ran = subprocess.run(
        shlex.split(here(service["ExecStart"])),
        env={**settings, **fleet.lab.env},
        cwd=fleet.folder,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )

    assert ran.returncode == Exit.DONE, ran.stdout
    assert all(line.startswith("{") for line in ran.stderr.splitlines())
    assert ran.stdout.startswith("batch run ")


def test_a_night_that_needs_a_person_mails_the_summary_and_the_end_of_the_log(fleet: Fleet) -> None:
    scenes.edit(fleet, LATE, hold=False)
    scenes.waits(fleet, gate=2, trust=2)
    with fleet.faults({"associationLate": {"serviceAccount": "shop/late", "create": "never"}}):
        job = by_cron(fleet)

    assert job.mail.startswith("batch run ")
    assert f"\n{LATE}  exit 7: failed, and rolled back\n" in job.mail
    assert f"  next  migrate history {LATE}\n" in job.mail
    assert [json.loads(line) for line in job.mail.splitlines()[-5:]] == job.log[-5:]
    assert job.exit == 0  # the line's, at which cron does not look


def test_a_fleet_file_that_cannot_be_used_is_mailed(fleet: Fleet) -> None:
    file = Path(fleet.environment["MIGRATE_FLEET"])
    kept = file.read_text(encoding="utf-8")
    file.write_text("nonsense: [", encoding="utf-8")
    job = by_cron(fleet)
    file.write_text(kept, encoding="utf-8")

    assert '"code": "document"' in job.mail
    assert str(file) in job.mail


def test_what_is_for_a_later_run_or_busy_is_not_mailed(fleet: Fleet) -> None:
    flocks.policy(fleet, windows=["Mon 00:00-00:01 Pacific/Kiritimati"])
    job = by_cron(fleet)
    flocks.policy(fleet)

    assert (job.exit, job.mail) == (0, "")
