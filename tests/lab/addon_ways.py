"""A world whose ServiceAccounts are EKS add-ons' own, what is looked at in it, and the way there and back."""

import json
from typing import Any

from tests.lab import scenes
from tests.lab.harness import Fleet, Ran

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


def world() -> dict[str, Any]:
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
    return {"version": 1, "accounts": [{"id": scenes.ACCOUNT, "roles": roles}], "clusters": [cluster]}


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


def there_and_back(fleet: Fleet) -> None:
    """Moves the EBS driver's ServiceAccount and takes it back, on whatever plane the fleet stands."""
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
