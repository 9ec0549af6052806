"""`migrate batch` as cron runs it, over a practice fleet of two clusters: nobody asks, nobody watches."""

import json
import signal
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from migrator.model.exits import Exit
from tests.lab import flocks, harness, scenes
from tests.lab.flocks import ACCOUNTS
from tests.lab.harness import Fleet, Ran
from tests.lab.zygote import Started

FEW = 4


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    world = flocks.write(tmp_path, {"one": flocks.many(FEW), "two": flocks.many(FEW)})
    with harness.fleet(world, tmp_path) as running:
        running.migrate("plan").ok()
        flocks.policy(running, limits={"per_cluster": 2})
        yield running


def batch(fleet: Fleet, *arguments: str) -> Ran:
    return fleet.migrate("batch", "--output", "json", *arguments)


def counts(ran: Ran) -> dict[str, int]:
    return {name: count for name, count in ran.data["summary"].items() if count and name != "services"}


def test_a_night_moves_everything_that_is_ready_and_the_next_has_nothing_to_do(fleet: Fleet) -> None:
    scenes.edit(fleet, "one/shop/s0", hold=True)
    scenes.edit(fleet, "two/shop/s3", wave=0)

    listed = fleet.migrate("batch", "--plan-only", "--output", "json").ok().data
    first = batch(fleet).ok()
    moved = fleet.calls()
    second = batch(fleet).ok()

    assert listed["tasks"][0] == {"service": "two/shop/s3", "errand": "begin", "wave": 0}
    assert listed["left"] == [{"service": "one/shop/s0", "why": "hold"}]
    assert counts(first) == {"done": 2 * FEW - 1}
    assert (first.data["left"], first.data["reason"]) == ({"hold": 1}, "done")
    assert first.data["standings"]["migrated"] == 2 * FEW - 1
    assert (second.data["services"], counts(second)) == ([], {})
    assert len(fleet.calls()) == len(moved), "a night with nothing to do calls no cloud"


def test_a_night_ends_when_its_time_is_up_and_the_next_goes_on(fleet: Fleet) -> None:
    scenes.waits(fleet, settle=3)
    nights = 0
    while True:
        ran = batch(fleet, "--until", "4s")
        nights += 1
        assert nights < 20
        if ran.exit == Exit.DONE:
            break
        ran.ended(Exit.UNFINISHED)
        assert ran.data["reason"] == "until"
    assert nights > 2
    assert set(flocks.standings(fleet).values()) == {"migrated"}


def test_a_second_start_meanwhile_ends_at_once_and_names_the_first(fleet: Fleet) -> None:
    first = fleet.start("batch")
    harness.wait_for("its lock", lambda: any(one["key"] == "batch" for one in _locks(fleet)))
    began = time.monotonic()

    second = batch(fleet).ended(Exit.LOCKED)
    quiet = batch(fleet, "--exit-zero-for", "5").ok()

    assert time.monotonic() - began < 60
    assert f"process {first.pid}" in second.err
    assert f"process {first.pid}" in quiet.err
    fleet.migrate("batch", "--worker").ended(Exit.LOCKED)
    first.send_signal(15)
    assert _ended(first) in {Exit.TERMINATED, Exit.DONE}
    batch(fleet).ok()


def _ended(run: Started) -> int:
    """Its exit code, once it has ended; what it still writes is read, for a full pipe would hold it up."""
    assert run.stderr is not None
    with run.stderr:
        run.stderr.read()
    return run.wait(harness.LIMIT)


def _locks(fleet: Fleet) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = fleet.migrate("status", "--output", "json").data["locks"]
    return found


def test_sigterm_stops_it_at_a_checkpoint_and_the_next_run_resumes(fleet: Fleet) -> None:
    scenes.waits(fleet, settle=2)
    run = fleet.start("batch")
    assert run.stderr is not None
    for line in run.stderr:
        if json.loads(line).get("step") == "annotation":
            run.send_signal(15)
            break
    assert _ended(run) == Exit.TERMINATED
    assert "interrupted" in flocks.standings(fleet).values()

    batch(fleet).ok()
    assert set(flocks.standings(fleet).values()) == {"migrated"}


def test_a_second_ctrl_c_ends_it_at_once_and_the_next_run_resumes(fleet: Fleet) -> None:
    scenes.waits(fleet, settle=60)
    run = fleet.start("batch")
    lines = run.stderr
    assert lines is not None
    for line in lines:
        told = json.loads(line)
        if (told.get("step"), told.get("status")) == ("verify", "started"):
            break
    run.send_signal(signal.SIGINT)
    harness.wait_for("the first to be heard", lambda: "stopping" in lines.readline())
    began = time.monotonic()
    run.send_signal(signal.SIGINT)

    assert _ended(run) == Exit.INTERRUPTED
    assert time.monotonic() - began < 30
    scenes.waits(fleet, settle=0.4)
    batch(fleet).ok()


def test_a_service_without_pods_is_looked_at_until_its_first_pod_has_proven_it(fleet: Fleet) -> None:
    deployment, scale = "/apis/apps/v1/namespaces/shop/deployments/s1", {"spec": {"replicas": 0}}
    fleet.kube("one").patch(deployment, scale)
    harness.wait_for("no pod", lambda: not _pods(fleet))
    first = batch(fleet, "--cluster", "one").ended(Exit.UNFINISHED)
    again = batch(fleet, "--cluster", "one").ended(Exit.UNFINISHED)
    before = _unproven(fleet)

    fleet.kube("one").patch(deployment, {"spec": {"replicas": 1}})
    harness.wait_for("its pod", lambda: any(pod["status"]["phase"] == "Running" for pod in _pods(fleet)))
    proven = batch(fleet, "--cluster", "one").ok()
    after = batch(fleet, "--cluster", "one").ok()

    assert counts(first) == {"done": FEW - 1, "unfinished": 1}
    assert [one["service"] for one in again.data["services"]] == ["one/shop/s1"]
    assert [one["service"] for one in proven.data["services"]] == ["one/shop/s1"]
    assert after.data["services"] == []
    assert (before, _unproven(fleet)) == (["one/shop/s1"], [])


def _pods(fleet: Fleet) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = fleet.kube("one").list(
        "/api/v1/namespaces/shop/pods", fieldSelector="spec.serviceAccountName=s1"
    )["items"]
    return found


def _unproven(fleet: Fleet) -> list[str]:
    services = fleet.migrate("status", "--output", "json").data["services"]
    return [one["service"] for one in services if one["unproven"]]


def test_a_window_that_closes_too_soon_begins_nothing_and_says_why(fleet: Fleet) -> None:
    now = datetime.now(UTC)
    window = f"daily {now - timedelta(hours=1):%H:%M}-{now + timedelta(hours=1):%H:%M} UTC"
    flocks.policy(fleet, windows=[window], longest=4 * 3600)

    ran = batch(fleet).ended(Exit.UNFINISHED)

    assert (ran.data["reason"], ran.data["left"]) == ("window", {"later": 2 * FEW})
    assert 'a service is taken to need 14400 s ("batch.longest" of the fleet file): none is begun' in ran.err

    flocks.policy(fleet, windows=[window], longest=60)
    batch(fleet).ok()


def test_outside_its_windows_it_calls_nobody(fleet: Fleet) -> None:
    flocks.policy(fleet, windows=["Mon 00:00-00:01 Pacific/Kiritimati"])
    before = (len(fleet.calls()), len(fleet.kube_calls()))

    ran = fleet.migrate("batch").ended(Exit.UNFINISHED)

    assert "every window is closed; the next opens at" in ran.err
    assert (len(fleet.calls()), len(fleet.kube_calls())) == before


def test_a_broken_webhook_opens_its_clusters_breaker_and_the_other_goes_on(fleet: Fleet) -> None:
    flocks.policy(fleet, limits={"services": 3, "per_cluster": 1}, breaker=2, budget={"failures": 9, "share": 1})
    scenes.waits(fleet, verify=1)
    with fleet.faults({"name": "broken", "webhookMisses": {"serviceAccount": "shop/*"}, "cluster": "one"}):
        ran = batch(fleet).ended(Exit.ROLLED_BACK)
        again = batch(fleet).ended(Exit.BLOCKED)

    assert [one["cluster"] for one in ran.data["breakers"]] == ["one"]
    ended = Counter((one["service"].split("/")[0], one["exit"]["name"]) for one in ran.data["services"])
    assert ended == {("one", "rolled-back"): 2, ("two", "done"): FEW}
    assert ran.data["left"] == {"breaker": FEW - 2}
    assert again.data["left"] == {"breaker": FEW - 2, "failed": 2}

    closed = batch(fleet, "--close-breaker", "one", "--retry-failed").ok()
    assert counts(closed) == {"done": FEW}


def test_credentials_that_expire_stop_it_and_the_next_run_resumes(fleet: Fleet) -> None:
    with fleet.faults({"name": "expired", "expire": {"aws": {"service": "eks"}, "skip": 20}, "account": ACCOUNTS[1]}):
        ran = batch(fleet).ended(Exit.UNFINISHED)
    assert ran.data["reason"] == "credentials"
    batch(fleet).ok()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--exit-zero-for", "7"), '"--exit-zero-for 7" would hide a failure'),
        (("--close-breaker", "three"), '"--close-breaker three": no such cluster'),
        (("--until", "soon"), '"--until soon"'),
    ],
)
def test_what_a_user_can_get_wrong(fleet: Fleet, arguments: tuple[str, ...], says: str) -> None:
    ran = fleet.migrate("batch", *arguments).ended(Exit.USAGE)
    assert says in ran.err
    assert ran.err.count("\n") == 1
