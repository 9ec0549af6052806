"""Services whose roles live in another account: there and back on a practice fleet of two accounts, kills included."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from migrator.documents.emit import emit
from migrator.model.exits import Exit
from migrator.model.source_role import POLICY_NAME, external_id
from tests.lab import harness, scenes
from tests.lab.crossing_ways import (
    AWAY,
    CLUSTER,
    association,
    service,
    source,
    source_of,
    there_and_back,
    trust,
    who,
    world,
)
from tests.lab.harness import Fleet
from tests.lab.invariants import Invariant

ORDINARY = ("plain", "tagless", "failing", "used")
PAIR = ("one", "two")
NEW = ("source-role", "target-trust")
POINTS_THERE = [(step, status) for step in (*NEW, "association") for status in ("started", "done")]
POINTS_BACK = [(step, status) for step in ("verify", *reversed(NEW)) for status in ("started", "done")]
KILLED = [f"k{number}" for number in range(len(POINTS_THERE))]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("crossing")
    with harness.fleet(scenes.saved(folder, world([*ORDINARY, *KILLED], PAIR)), folder) as running:
        scenes.waits(running, settle=0.6, reconcile=0.6, verify=60)
        running.migrate("plan").ok()
        yield running


def test_there_and_back(fleet: Fleet) -> None:
    there_and_back(fleet, "plain")


def test_there_and_back_by_external_id(fleet: Fleet) -> None:
    """The fleet's policy says so, and the plan is made anew."""
    path, before = Path(fleet.environment["MIGRATE_FLEET"]), trust(fleet, "tagless")
    written = path.read_text(encoding="utf-8")
    policy = {"cross_account_condition": "external-id", "source_role_path": "/eks/"}
    path.write_text(emit({**yaml.safe_load(written), "policy": policy}), encoding="utf-8")
    fleet.migrate("plan", "--namespace", "shop").ok()
    fleet.migrate("apply", *service("tagless")).ok()
    found = association(fleet, "tagless")
    assert found["disableSessionTags"] is True
    assert found["externalId"] == external_id(CLUSTER, "shop", "tagless")
    assert found["roleArn"] == f"arn:aws:iam::{scenes.ACCOUNT}:role/eks/{source_of('tagless')}"
    assert "RequestTag" not in json.dumps([trust(fleet, "tagless"), source(fleet, "tagless")], default=str)
    assert f"{AWAY}:assumed-role/tagless/eks-" in who(fleet, "tagless")
    fleet.migrate("rollback", *service("tagless")).ok()
    assert trust(fleet, "tagless") == before
    assert source(fleet, "tagless") is None
    path.write_text(written, encoding="utf-8")
    fleet.migrate("plan", "--namespace", "shop").ok()


def test_a_failure_takes_all_of_it_back_by_itself(fleet: Fleet) -> None:
    before = trust(fleet, "failing")
    scenes.edit(fleet, "main/shop/failing", verify={"command": ["false"]})
    scenes.waits(fleet, verify=3)
    fleet.migrate("apply", *service("failing")).ended(Exit.ROLLED_BACK)
    scenes.waits(fleet, verify=60)
    assert trust(fleet, "failing") == before
    assert source(fleet, "failing") is None
    assert f"{AWAY}:assumed-role/failing/" in who(fleet, "failing")


def test_a_source_role_that_others_use_stays(fleet: Fleet) -> None:
    fleet.migrate("apply", *service("used")).ok()
    other = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    fleet.aws("iam").put_role_policy(RoleName=source_of("used"), PolicyName="theirs", PolicyDocument=json.dumps(other))
    for named in ("main/shop/used", f"{CLUSTER}/shop/used"):
        fleet.waive(Invariant.AGREE, named, "the source role stays for them")
    fleet.waive(Invariant.ONCE, "main/shop/used", "it is not deleted, and the step says so")
    fleet.migrate("rollback", *service("used")).ok()
    policies = fleet.aws("iam").list_role_policies(RoleName=source_of("used"))["PolicyNames"]
    assert set(policies) == {POLICY_NAME, "theirs"}
    history = fleet.migrate("history", "main/shop/used").ok()
    assert "in use by somebody else (policy theirs), and stays" in " ".join(history.out.split())


def test_two_services_of_one_target_role_at_the_same_time(fleet: Fleet) -> None:
    before = trust(fleet, "shared")
    both(fleet, "apply")
    (ours,) = trust(fleet, "shared")["Statement"][len(before["Statement"]) :]
    condition = ours["Condition"]
    assert condition["StringEquals"]["aws:RequestTag/kubernetes-service-account"] == sorted(PAIR)
    assert len(condition["ArnEquals"]["aws:PrincipalArn"]) == len(PAIR)
    assert all(f"{AWAY}:assumed-role/shared/eks-" in who(fleet, name) for name in PAIR)
    fleet.migrate("rollback", *service("one")).ok()
    assert f"{AWAY}:assumed-role/shared/eks-" in who(fleet, "two")
    assert source(fleet, "two") is not None
    fleet.migrate("rollback", *service("two")).ok()
    assert trust(fleet, "shared") == before


def both(fleet: Fleet, command: str) -> None:
    with ThreadPoolExecutor(len(PAIR)) as pool:
        ran = list(pool.map(lambda name: fleet.migrate(command, *service(name)), PAIR))
    assert [one.exit for one in ran] == [Exit.DONE] * len(PAIR), [one.err for one in ran]


@pytest.mark.timeout(600)
def test_killed_at_each_new_step_each_change_is_made_once(fleet: Fleet) -> None:
    before, already = {name: trust(fleet, name) for name in KILLED}, changes(fleet)
    wrong = [
        killed_then_again(fleet, command, name, point)
        for command, points in (("apply", POINTS_THERE), ("rollback", POINTS_BACK))
        for name, point in zip(KILLED, points, strict=True)
    ]
    assert [text for text in wrong if text] == []
    assert {name: trust(fleet, name) for name in KILLED} == before
    assert [name for name in KILLED if source(fleet, name)] == []
    made = changes(fleet) - already
    once = dict.fromkeys(KILLED, 1)
    for operation in ("CreateRole", "PutRolePolicy", "DeleteRolePolicy", "DeleteRole"):
        assert {name: made[operation, source_of(name)] for name in KILLED} == once
    assert {name: made["CreatePodIdentityAssociation", name] for name in KILLED} == once
    assert {name: made["UpdateAssumeRolePolicy", name] for name in KILLED} == dict.fromkeys(KILLED, 2)


def killed_then_again(fleet: Fleet, command: str, name: str, point: tuple[str, str]) -> str:
    """Kills the command there and runs it again; the answer says what was wrong."""
    if not harness.kill_at(fleet.start(command, *service(name)), *point):
        return f"{command} of {name} was over before {point}"
    again = fleet.migrate(command, *service(name))
    return "" if again.exit == Exit.DONE else f"{command} {name} killed at {point}: exit {again.exit}: {again.err}"


def changes(fleet: Fleet) -> Counter[tuple[str, str]]:
    """Changes that AWS carried out: operation and the role or ServiceAccount they were for."""
    made: Counter[tuple[str, str]] = Counter()
    for call in fleet.calls():
        if call["mutating"] and call["status"] < 300 and call["service"] in {"iam", "eks"}:
            whose = call["params"].get("RoleName") or call["params"].get("serviceAccount") or ""
            made[call["operation"], whose] += 1
    return made
