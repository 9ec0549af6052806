"""ServiceAccounts of EKS add-ons on the practice fleet: there and back, a failed update, kills, two at once."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from migrator.documents.emit import emit
from migrator.model.exits import Exit
from tests.lab import harness, scenes
from tests.lab.harness import Fleet, Ran, kill_at

ROLE_KEY = "eks.amazonaws.com/role-arn"
PROGRAM = "irsa-migrator/"
TELEMETRY = "opentelemetry-operator-system"
ACCOUNTS = {  # service: add-on, role
    "kube-system/ebs-csi-controller-sa": ("aws-ebs-csi-driver", "ebs"),
    "kube-system/efs-csi-controller-sa": ("aws-efs-csi-driver", "efs"),
    "kube-system/s3-csi-driver-sa": ("aws-mountpoint-s3-csi-driver", "s3"),
    f"{TELEMETRY}/adot-col-prom-metrics": ("adot", "adot"),
    f"{TELEMETRY}/adot-col-otlp-ingest": ("adot", "adot"),
}
EBS, EFS, S3, METRICS, TRACES = ACCOUNTS


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("addons")
    with harness.fleet(written(folder), folder) as running:
        scenes.waits(running, settle=0.6, reconcile=0.6)
        running.migrate("plan").ok()
        yield running


def written(folder: Path) -> Path:
    """A world in which every ServiceAccount is an add-on's, and the world says what runs as it."""
    spaces: dict[str, list[str]] = {}
    for service in ACCOUNTS:
        spaces.setdefault(service.split("/")[0], []).append(service)
    addons = [{"name": name, "serviceAccountRole": role} for name, role in dict(ACCOUNTS.values()).items()]
    cluster = {
        "name": scenes.CLUSTER,
        "region": "eu-west-1",
        "associationDelay": 0.5,
        "nodes": [{"name": "n", "count": 2}],
        "addons": ["eks-pod-identity-agent", *addons],
        "namespaces": [namespace(name, services) for name, services in spaces.items()],
    }
    roles = [{"name": role} for role in dict.fromkeys(role for _, role in ACCOUNTS.values())]
    path = folder / "world.yaml"
    world = {"version": 1, "accounts": [{"id": scenes.ACCOUNT, "roles": roles}], "clusters": [cluster]}
    path.write_text(emit(world), encoding="utf-8")
    return path


def namespace(name: str, services: list[str]) -> dict[str, Any]:
    names = {one.split("/")[1]: ACCOUNTS[one][1] for one in services}
    accounts = [{"name": account, "role": role, "labels": scenes.LABELS} for account, role in names.items()]
    workloads = [{"name": account.removesuffix("-sa"), "serviceAccount": account} for account in names]
    return {"name": name, "serviceAccounts": accounts, "workloads": workloads}


def walk(fleet: Fleet, command: str, service: str) -> Ran:
    return fleet.migrate(command, "--service", f"main/{service}", "--yes")


def addon(fleet: Fleet, service: str) -> dict[str, Any]:
    """What EKS says of the service's add-on, as far as it lasts; associations by ServiceAccount."""
    eks = fleet.aws("eks")
    found = eks.describe_addon(clusterName="main", addonName=ACCOUNTS[service][0])["addon"]
    owned = {}
    for arn in found.get("podIdentityAssociations", ()):
        said = eks.describe_pod_identity_association(clusterName="main", associationId=arn.rpartition("/")[2])
        assert said["association"]["ownerArn"] == found["addonArn"]
        owned[said["association"]["serviceAccount"]] = said["association"]["roleArn"]
    kept = {name: found.get(name) for name in ("status", "addonVersion", "serviceAccountRoleArn")}
    return {**kept, "owned": owned}


def standing(fleet: Fleet, service: str) -> dict[str, Any]:
    """All of it that a walk there and back must leave as it was."""
    space, name = service.split("/")
    account = fleet.kube("main").get(f"/api/v1/namespaces/{space}/serviceaccounts/{name}")
    role = fleet.aws("iam").get_role(RoleName=ACCOUNTS[service][1])["Role"]
    return {
        **addon(fleet, service),
        "annotations": account["metadata"].get("annotations"),
        "trust": json.dumps(role["AssumeRolePolicyDocument"]),
    }


def updates(fleet: Fleet, service: str) -> list[dict[str, Any]]:
    """What we asked EKS to update the service's add-on to, each token once."""
    asked = {}
    for call in fleet.calls():
        ours = call["operation"] == "UpdateAddon" and PROGRAM in call["user_agent"] and 200 <= call["status"] < 300
        if ours and call["params"]["addonName"] == ACCOUNTS[service][0]:
            asked[call["params"]["clientRequestToken"]] = call["params"]
    return list(asked.values())


def is_on(fleet: Fleet, service: str, identity: str) -> None:
    fleet.migrate("verify", "--service", f"main/{service}", "--expect", identity).ok()


def test_there_and_back(fleet: Fleet) -> None:
    before = standing(fleet, EBS)
    told = walk(fleet, "apply", EBS).ok()
    now = standing(fleet, EBS)
    arn = before["serviceAccountRoleArn"]
    assert now["owned"] == {"ebs-csi-controller-sa": arn}
    assert (now["status"], now["serviceAccountRoleArn"], now["annotations"]) == ("ACTIVE", None, None)
    assert "EKS did not roll" not in told.err  # it did
    is_on(fleet, EBS, "pod-identity")
    walk(fleet, "rollback", EBS).ok()
    assert standing(fleet, EBS) == before
    is_on(fleet, EBS, "irsa")
    there, back = updates(fleet, EBS)
    assert "serviceAccountRoleArn" not in there
    assert (back["podIdentityAssociations"], back["serviceAccountRoleArn"]) == ([], arn)
    assert {one["resolveConflicts"] for one in (there, back)} == {"PRESERVE"}
    history = fleet.migrate("history", f"main/{EBS}").ok()
    assert history.out.count("  addon ") >= 4


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
