"""`migrate batch` as cron runs it, over a practice fleet: nobody asks, nobody watches."""

import json
import signal
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from migrator.model.exits import Exit
from tests.lab import flocks, harness, scenes
from tests.lab.deeds import by_us
from tests.lab.flocks import ACCOUNTS
from tests.lab.harness import Fleet, Ran
from tests.lab.invariants import Invariant
from tests.lab.zygote import Started

FEW = 3
CLUSTERS = ("night", "until", "busy", "term", "cut", "pods", "window", "broken", "whole", "expired", "stuck", "outside")
WIDE = {"failures": 1000, "share": 1}  # a budget that the failures of another test do not spend


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """One fleet for all; each test has a cluster, or two, to itself."""
    folder = tmp_path_factory.mktemp("nights")
    world = flocks.write(folder, dict.fromkeys(CLUSTERS, flocks.many(FEW)))
    with harness.fleet(world, folder) as made:
        made.migrate("plan").ok()
        yield made


@pytest.fixture
def fleet(running: Fleet) -> Fleet:
    flocks.policy(running, limits={"per_cluster": 2}, budget=WIDE)
    return running


def batch(fleet: Fleet, cluster: str, *arguments: str) -> Ran:
    return fleet.migrate("batch", "--output", "json", "--cluster", cluster, *arguments)


def standings(fleet: Fleet, cluster: str) -> set[str]:
    return {standing for service, standing in flocks.standings(fleet).items() if service.startswith(f"{cluster}/")}


def counts(ran: Ran) -> dict[str, int]:
    return {name: count for name, count in ran.data["summary"].items() if count and name != "services"}


def test_a_night_moves_everything_that_is_ready_and_the_next_has_nothing_to_do(fleet: Fleet) -> None:
    scenes.edit(fleet, "night/shop/s0", hold=True)
    scenes.edit(fleet, "night/shop/s2", wave=0)

    listed = batch(fleet, "night", "--plan-only").ok().data
    first = batch(fleet, "night").ok()
    moved = _ours(fleet)
    second = batch(fleet, "night").ok()

    assert listed["tasks"][0] == {"service": "night/shop/s2", "errand": "begin", "wave": 0}
    assert listed["left"] == [{"service": "night/shop/s0", "why": "hold"}]
    assert counts(first) == {"done": FEW - 1}
    assert (first.data["left"], first.data["reason"]) == ({"hold": 1}, "done")
    assert (second.data["services"], counts(second)) == ([], {})
    assert _ours(fleet) == moved, "a night with nothing to do calls no cloud"


def _ours(fleet: Fleet) -> tuple[int, int]:
    """How many calls the program has made, of AWS and of API servers."""
    return sum(map(by_us, fleet.calls())), len(fleet.kube_calls())


def test_a_night_ends_when_its_time_is_up_and_the_next_goes_on(fleet: Fleet) -> None:
    scenes.waits(fleet, settle=2)
    nights = 0
    while True:
        ran = batch(fleet, "until", "--until", f"{3 + nights // 3}s")  # a busy machine needs longer ones
        nights += 1
        assert nights < 20
        if ran.exit == Exit.DONE:
            break
        ran.ended(Exit.UNFINISHED)
        assert ran.data["reason"] == "until"
    assert nights > 1
    assert standings(fleet, "until") == {"migrated"}


def test_a_second_start_meanwhile_ends_at_once_and_names_the_first(fleet: Fleet) -> None:
    first = fleet.start("batch", "--cluster", "busy")
    harness.wait_for("its lock", lambda: any(one["key"] == "batch" for one in _locks(fleet)))

    second = batch(fleet, "busy").ended(Exit.LOCKED)
    quiet = batch(fleet, "busy", "--exit-zero-for", "5").ok()

    assert f"process {first.pid}" in second.err
    assert f"process {first.pid}" in quiet.err
    batch(fleet, "busy", "--worker").ended(Exit.LOCKED)
    first.send_signal(signal.SIGTERM)
    assert _ended(first) in {Exit.TERMINATED, Exit.DONE}
    batch(fleet, "busy").ok()


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
    run = fleet.start("batch", "--cluster", "term")
    _until(run, "annotation", "started")
    run.send_signal(signal.SIGTERM)
    assert _ended(run) == Exit.TERMINATED
    assert "interrupted" in standings(fleet, "term")

    batch(fleet, "term").ok()
    assert standings(fleet, "term") == {"migrated"}


def _until(run: Started, step: str, status: str) -> None:
    """Reads its log until a step is there."""
    assert run.stderr is not None
    for line in run.stderr:
        told = json.loads(line)
        if (told.get("step"), told.get("status")) == (step, status):
            return
    raise AssertionError(f"it never came to {step} {status}")


def test_a_second_ctrl_c_ends_it_at_once_and_the_next_run_resumes(fleet: Fleet) -> None:
    scenes.waits(fleet, settle=60)
    run = fleet.start("batch", "--cluster", "cut")
    _until(run, "verify", "started")
    lines = run.stderr
    assert lines is not None
    with fleet.faults({"name": "stuck", "slow": {"kube": {}, "seconds": 25}, "cluster": "cut"}):
        harness.wait_for("every thread to wait for an answer", lambda: len(fleet.played("stuck")) >= 1)
        began = time.monotonic()
        run.send_signal(signal.SIGINT)
        harness.wait_for("the first to be heard", lambda: "stopping" in lines.readline())
        run.send_signal(signal.SIGINT)
        assert _ended(run) == Exit.INTERRUPTED
        assert time.monotonic() - began < 20, "it waited for an answer"
    scenes.waits(fleet, settle=0.4)
    batch(fleet, "cut").ok()


def test_a_service_without_pods_is_looked_at_until_its_first_pod_has_proven_it(fleet: Fleet) -> None:
    kube, deployment = fleet.kube("pods"), "/apis/apps/v1/namespaces/shop/deployments/s1"
    kube.patch(deployment, {"spec": {"replicas": 0}})
    harness.wait_for("no pod", lambda: not _pods(fleet))
    first = batch(fleet, "pods").ended(Exit.UNFINISHED)
    again = batch(fleet, "pods").ended(Exit.UNFINISHED)
    before = _unproven(fleet)

    kube.patch(deployment, {"spec": {"replicas": 1}})
    harness.wait_for("its pod", lambda: any(pod["status"]["phase"] == "Running" for pod in _pods(fleet)))
    proven = batch(fleet, "pods").ok()
    after = batch(fleet, "pods").ok()

    assert counts(first) == {"done": FEW - 1, "unfinished": 1}
    assert [one["service"] for one in again.data["services"]] == ["pods/shop/s1"]
    assert [one["service"] for one in proven.data["services"]] == ["pods/shop/s1"]
    assert after.data["services"] == []
    assert (before, _unproven(fleet)) == (["pods/shop/s1"], [])


def _pods(fleet: Fleet) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = fleet.kube("pods").list(
        "/api/v1/namespaces/shop/pods", fieldSelector="spec.serviceAccountName=s1"
    )["items"]
    return found


def _unproven(fleet: Fleet) -> list[str]:
    services = fleet.migrate("status", "--output", "json").data["services"]
    return [one["service"] for one in services if one["unproven"]]


def test_a_first_service_that_waits_for_a_person_is_named_and_nothing_behind_it_is_promised(fleet: Fleet) -> None:
    stopped, others = "stuck/shop/s0", [f"stuck/shop/s{number}" for number in range(1, FEW)]
    fleet.migrate("apply", "--service", stopped, "--to", "trust", "--yes").ended(Exit.UNFINISHED)

    planned = batch(fleet, "stuck", "--plan-only").ok().data
    ran = batch(fleet, "stuck").ended(Exit.BLOCKED)
    told = fleet.migrate("batch", "--cluster", "stuck").ended(Exit.BLOCKED).out

    assert planned["tasks"] == []
    assert {one["service"]: one["why"] for one in planned["left"]} == {
        stopped: "stopped",
        **dict.fromkeys(others, "canary"),
    }
    assert ran.data["left"] == {"canary": FEW - 1, "stopped": 1}
    command = f"migrate apply --service {stopped}"
    asked = {"service": stopped, "why": "stopped", "cluster_waits": True, "next": [command]}
    assert ran.data["for_a_person"] == [asked]
    assert f"  {stopped}: stopped where a person said; the rest of its cluster waits for it\n    {command}\n" in told

    fleet.migrate("apply", "--service", stopped, "--yes").ok()
    assert counts(batch(fleet, "stuck").ok()) == {"done": FEW - 1}


def test_a_window_that_closes_too_soon_begins_nothing_and_says_why(fleet: Fleet) -> None:
    now = datetime.now(UTC)
    window = f"daily {now - timedelta(hours=1):%H:%M}-{now + timedelta(hours=1):%H:%M} UTC"
    flocks.policy(fleet, windows=[window], longest=4 * 3600, budget=WIDE)

    ran = batch(fleet, "window").ended(Exit.UNFINISHED)

    assert (ran.data["reason"], ran.data["left"]) == ("window", {"later": FEW})
    assert 'a service is taken to need 14400 s ("batch.longest" of the fleet file): none is begun' in ran.err

    flocks.policy(fleet, windows=[window], longest=60, budget=WIDE)
    batch(fleet, "window").ok()


def test_outside_its_windows_it_calls_nobody(fleet: Fleet) -> None:
    metrics = fleet.folder / "outside.prom"
    flocks.policy(fleet, windows=["Mon 00:00-00:01 Pacific/Kiritimati"], metrics=str(metrics))
    before = _ours(fleet)

    ran = batch(fleet, "outside").ended(Exit.UNFINISHED)

    assert "every window is closed; the next opens at" in ran.err
    assert (ran.data["reason"], ran.data["left"]) == ("window", {"later": FEW})
    assert "migrate_last_run_end_timestamp_seconds" in metrics.read_text(encoding="utf-8")
    assert _ours(fleet) == before


def test_a_broken_webhook_opens_its_clusters_breaker_and_the_other_goes_on(fleet: Fleet) -> None:
    both = ("broken", "--cluster", "whole")
    for number in range(FEW):
        fleet.waive(Invariant.CREDENTIALS, f"broken/shop/s{number}", "the webhook overlooks its pods")
    flocks.policy(fleet, limits={"services": 3, "per_cluster": 1}, breaker=2, budget=WIDE)
    scenes.waits(fleet, verify=1)
    with fleet.faults({"name": "deaf", "webhookMisses": {"serviceAccount": "shop/*"}, "cluster": "broken"}):
        ran = batch(fleet, *both).ended(Exit.ROLLED_BACK)
        again = batch(fleet, *both).ended(Exit.BLOCKED)

    assert [one["cluster"] for one in ran.data["breakers"]] == ["broken"]
    ended = Counter((one["service"].split("/")[0], one["exit"]["name"]) for one in ran.data["services"])
    assert ended == {("broken", "rolled-back"): 2, ("whole", "done"): FEW}
    assert ran.data["left"] == {"breaker": FEW - 2}
    assert again.data["left"] == {"breaker": FEW - 2, "failed": 2}
    shown = fleet.migrate("status", "--cluster", "broken").ok().out
    assert "breaker open: broken: 2 services failed in a row" in shown

    flocks.policy(fleet, windows=["Mon 00:00-00:01 Pacific/Kiritimati"], breaker=2, budget=WIDE)
    by_day = batch(fleet, *both, "--close-breaker", "broken").ended(Exit.UNFINISHED)
    assert 'the breaker of cluster "broken" is closed' in by_day.err

    flocks.policy(fleet, breaker=2, budget=WIDE)
    closed = batch(fleet, *both, "--retry-failed").ok()
    assert counts(closed) == {"done": FEW}


def test_credentials_that_expire_stop_it_and_the_next_run_resumes(fleet: Fleet) -> None:
    with fleet.faults({"name": "expired", "expire": {"aws": {"service": "eks"}, "skip": 20}, "account": ACCOUNTS[1]}):
        ran = batch(fleet, "expired").ended(Exit.UNFINISHED)
    assert ran.data["reason"] == "credentials"
    assert "interrupted" in standings(fleet, "expired")
    batch(fleet, "expired").ok()


def test_globs_that_leave_no_plan_are_said(fleet: Fleet) -> None:
    ran = fleet.migrate("batch", "--plan-only", "--namespace", "zz", "--role", "None*").ok()
    assert 'no plan is selected by "--namespace zz", "--role None*"' in ran.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--exit-zero-for", "7"), '"--exit-zero-for 7" would hide a failure'),
        (("--close-breaker", "three"), '"--close-breaker three": no such cluster'),
        (("--close-breaker", "pods", "--plan-only"), '"--plan-only" changes nothing'),
        (("--until", "soon"), '"--until soon"'),
        (("--cluster", "nope"), 'no cluster of the fleet file is selected by "--cluster nope"'),
        (("--cluster", "nope", "--plan-only"), 'no cluster of the fleet file is selected by "--cluster nope"'),
        (("--plans", "plnas"), "there is no folder of plans"),
    ],
)
def test_what_a_user_can_get_wrong(fleet: Fleet, arguments: tuple[str, ...], says: str) -> None:
    ran = fleet.migrate("batch", *arguments).ended(Exit.USAGE)
    assert says in ran.err
    assert ran.err.count("\n") == 1
