"""ServiceAccounts of EKS add-ons on the practice fleet: there and back, a failed update, kills, two at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from migrator.model.exits import Exit
from tests.lab import harness, scenes
from tests.lab.addon_ways import (
    EBS,
    EFS,
    METRICS,
    S3,
    TRACES,
    addon,
    is_on,
    standing,
    there_and_back,
    updates,
    walk,
    world,
)
from tests.lab.harness import Fleet, kill_at


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("addons")
    with harness.fleet(scenes.saved(folder, world()), folder) as running:
        scenes.waits(running, settle=0.6, reconcile=0.6)
        running.migrate("plan").ok()
        yield running


def test_there_and_back(fleet: Fleet) -> None:
    there_and_back(fleet)


def test_the_plan_and_what_is_shown_of_it(fleet: Fleet) -> None:
    shown = fleet.migrate("show", f"main/{EBS}", "--output", "json").ok().data
    assert [step["id"] for step in shown["forward"]] == ["agent", "trust", "addon", "verify"]
    assert [step["id"] for step in shown["back"]] == ["addon", "verify", "trust"]
    assert "addon-owned" in fleet.migrate("show", f"main/{EBS}").ok().out


def test_an_update_that_fails_walks_the_way_back_by_itself(fleet: Fleet) -> None:
    before = standing(fleet, EFS)
    failing = {"addonUpdateFails": {"addon": "aws-efs-csi-driver", "first": 1, "message": "the controller is not up"}}
    with fleet.faults(failing):
        told = walk(fleet, "apply", EFS).ended(Exit.ROLLED_BACK)
    assert "the controller is not up" in told.out + told.err
    assert standing(fleet, EFS) == before
    is_on(fleet, EFS, "irsa")


@pytest.mark.parametrize(
    "drop", [None, {"drop": {"aws": {"service": "eks", "operation": "UpdateAddon"}, "side": "after", "first": 1}}]
)
def test_killed_at_each_step_there_and_back(fleet: Fleet, drop: dict[str, Any] | None) -> None:
    """Killed as the intent is down, again as the update is known, and at the verification; the answer lost or not."""
    before, already = standing(fleet, S3), len(updates(fleet, S3))
    for command, wanted in (("apply", "pod-identity"), ("rollback", "irsa")):
        with fleet.faults(*([drop] if drop else [])):
            for step, status in (("addon", "started"), ("addon", "started"), ("addon", "done"), ("verify", "started")):
                process = fleet.start(command, "--service", f"main/{S3}", "--yes")
                assert kill_at(process, step, status), f"{command} was over before {step} {status}"
            walk(fleet, command, S3).ok()
        is_on(fleet, S3, wanted)
    assert standing(fleet, S3) == before
    assert len(updates(fleet, S3)) - already == 2


def test_two_accounts_of_one_addon_at_the_same_time(fleet: Fleet) -> None:
    """The second keeps the first one's association, and the role stays while the other lives on it."""
    before = standing(fleet, METRICS), standing(fleet, TRACES)
    arn = before[0]["serviceAccountRoleArn"]
    at_once(fleet, "apply")
    assert addon(fleet, METRICS)["owned"] == {"adot-col-prom-metrics": arn, "adot-col-otlp-ingest": arn}
    given = [one.get("serviceAccountRoleArn") for one in updates(fleet, METRICS)]
    assert given == [arn, None]
    at_once(fleet, "rollback")
    assert (standing(fleet, METRICS), standing(fleet, TRACES)) == before


def at_once(fleet: Fleet, command: str) -> None:
    with ThreadPoolExecutor(2) as pool:
        ran = list(pool.map(lambda service: walk(fleet, command, service), (METRICS, TRACES)))
    assert [one.exit for one in ran] == [Exit.DONE, Exit.DONE], [one.out + one.err for one in ran]
