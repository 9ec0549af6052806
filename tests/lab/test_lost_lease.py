"""A worker that is stopped in the middle of a change for longer than its leases last, while another takes over.

Woken, it makes no change more: what it had asked for when it was stopped is the one call in flight, and does no harm.
"""

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from migrator.model.exits import Exit
from tests.lab import flocks, harness, scenes
from tests.lab.harness import Fleet
from tests.lab.look import check
from tests.lab.zygote import Started

pytestmark = pytest.mark.slow
LEASE = 3
CHANGES: dict[str, dict[str, Any]] = {
    "trust": {"aws": {"operation": "UpdateAssumeRolePolicy", "role": "main-trust"}},
    "association": {"aws": {"operation": "CreatePodIdentityAssociation", "serviceAccount": "shop/association"}},
    "annotation": {"kube": {"verb": "write", "resource": "serviceaccounts", "name": "annotation"}},
    "restart": {"kube": {"verb": "write", "resource": "deployments", "name": "restart"}},
}
LONG = 8.0  # seconds for which an answer is held back: longer than a lease


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """Services that are each caught in another step; one has three workloads."""
    services = [*(scenes.service(name, replicas=1) for name in CHANGES), _wide("wide")]
    world = flocks.write(tmp_path, {"main": services})
    with harness.unwatched(world, tmp_path) as running:
        flocks.policy(running, canary=0, limits={"services": len(services), "per_cluster": len(services)})
        flocks.state(running, dynamodb={"table": "migrate", "region": "eu-west-1", "lease": LEASE})
        running.migrate("store", "init", "--yes").ok()
        for witness in running.witnesses.values():
            witness.start()
        running.migrate("plan").ok()
        yield running
        for witness in running.witnesses.values():
            witness.stop()


def _wide(name: str) -> scenes.Service:
    made = scenes.service(name, replicas=1)
    workloads = [{**made["workloads"][0], "name": f"{name}-{number}"} for number in range(3)]
    return {**made, "workloads": workloads}


@pytest.mark.parametrize(("side", "woken"), [("before", "late"), ("before", "at once"), ("after", "late")])
def test_a_worker_that_lost_its_leases_changes_nothing_more(fleet: Fleet, side: str, woken: str) -> None:
    """Stopped in four changes at once, each of another kind; `before`: the clouds make them only after that."""
    held = [{"slow": {**calls, "seconds": LONG, "first": 1, "side": side}} for calls in CHANGES.values()]
    with fleet.faults(*held) as names:
        first = _worker(fleet, "first")
        harness.wait_for("all four changes", lambda: len(fleet.played(*names)) == len(CHANGES))
        first.send_signal(signal.SIGSTOP)
        second = _worker(fleet, "second")
        if woken == "late":
            ended = _ended(second)
            assert ended in {Exit.DONE, Exit.UNFINISHED}, _told(fleet)
            time.sleep(LONG / 2)  # whatever was held back has been made by now
        else:
            time.sleep(LEASE + 2.0)
        before = _changes(fleet)
        first.send_signal(signal.SIGCONT)
        _ended(first)
        if woken == "late":
            assert _changes(fleet) == before, "it changed something once it was woken"
        else:
            _ended(second)
    asked = [_what(call) for call in _aws_changes(fleet, "first")]
    assert len(asked) == len(set(asked)), "it asked for a change twice"
    _judge(fleet, "migrated")


def test_a_rollback_that_lost_its_lease_leaves_the_other_workloads_alone(fleet: Fleet) -> None:
    """All workloads are restarted at once on the way back: it is stopped at the first of three."""
    fleet.migrate("batch").ok()
    arguments = ("rollback", "--service", "main/shop/wide", "--yes")
    patches = {"verb": "write", "resource": "deployments", "name": "wide-*"}
    with fleet.faults({"slow": {"kube": patches, "seconds": LONG, "first": 1, "side": "after"}}) as names:
        first = _start(fleet, "first", *arguments)
        harness.wait_for("the first workload", lambda: fleet.played(*names))
        first.send_signal(signal.SIGSTOP)
        harness.wait_for("the lease to run out", lambda: fleet.migrate(*arguments).exit != Exit.LOCKED)
        time.sleep(LONG / 2)
        before = _changes(fleet)
        first.send_signal(signal.SIGCONT)
        assert _ended(first) == Exit.LOCKED
    assert _changes(fleet) == before, "it changed something once it was woken"
    stands = flocks.standings(fleet)
    assert stands.pop("main/shop/wide") == "rolled-back"
    assert set(stands.values()) == {"migrated"}


def _told(fleet: Fleet) -> str:
    return "\n".join(fleet.migrate("history", f"main/shop/{name}").out for name in CHANGES)


def _worker(fleet: Fleet, name: str) -> Started:
    return _start(fleet, name, "batch", "--worker")


def _start(fleet: Fleet, name: str, *arguments: str) -> Started:
    """A run whose calls of AWS bear its name, as every SDK lets a user name an application."""
    return fleet.start(*arguments, extra={"AWS_SDK_UA_APP_ID": name})


def _ended(run: Started) -> int:
    assert run.stderr is not None
    with run.stderr:
        run.stderr.read()
    return run.wait(harness.LIMIT)


def _aws_changes(fleet: Fleet, name: str = "") -> list[dict[str, Any]]:
    made = [call for call in fleet.calls() if call["mutating"] and call["service"] in {"iam", "eks"}]
    return [call for call in made if not name or f"app/{name}" in call["user_agent"]]


def _changes(fleet: Fleet) -> tuple[int, int]:
    """How many changes were asked for, of AWS and of API servers."""
    return len(_aws_changes(fleet)), sum(call["mutating"] for call in fleet.kube_calls())


def _what(call: dict[str, Any]) -> tuple[str, str]:
    told = call["params"]
    return call["operation"], str(told.get("RoleName") or told["serviceAccount"])


def _judge(fleet: Fleet, standing: str) -> None:
    """Where everything stands, and the invariants, by the journal that the table gives to a file."""
    stands = flocks.standings(fleet)
    assert set(stands.values()) == {standing}, stands
    assert fleet.migrate("status", "--output", "json").data["locks"] == []
    fleet.migrate("store", "export", "state.jsonl").ok()
    flocks.state(fleet, sqlite="state.db")
    fleet.migrate("store", "import", "state.jsonl").ok()
    fleet.notes.killed = True
    check(fleet)
