"""Services whose roles live in another account, what is looked at there, and the way there and back."""

from collections.abc import Sequence
from typing import Any

from migrator.lab.inpod import run_in_pod
from migrator.model.exits import Exit
from migrator.model.source_role import source_name
from tests.lab import scenes
from tests.lab.harness import Fleet

JSON = ("--output", "json")
AWAY = "222222222222"
CLUSTER = "arn:aws:eks:eu-west-1:111111111111:cluster/main"


def world(own: Sequence[str], sharing: Sequence[str] = ()) -> dict[str, Any]:
    """Each of `own` has a role of its name in the other account; those who share have the role `shared` there."""
    names = [*own, *sharing]
    roles = {name: "shared" if name in sharing else name for name in names}
    return {
        "version": 1,
        "accounts": [
            {"id": scenes.ACCOUNT},
            {
                "id": AWAY,
                "oidcProviders": [{"cluster": "main"}],
                "roles": [{"name": name, "path": "/data/"} for name in sorted(set(roles.values()))],
            },
        ],
        "clusters": [
            {
                "name": "main",
                "region": "eu-west-1",
                "associationDelay": 0.5,
                "addons": ["eks-pod-identity-agent"],
                "nodes": [{"name": "n", "count": 2}],
                "namespaces": [
                    {
                        "name": "shop",
                        "serviceAccounts": [
                            {"name": name, "role": f"{AWAY}:{role}", "labels": scenes.LABELS}
                            for name, role in roles.items()
                        ],
                        "workloads": [{"name": name, "serviceAccount": name} for name in names],
                    }
                ],
            }
        ],
    }


def source_of(name: str) -> str:
    return source_name(CLUSTER, "shop", name)


def trust(fleet: Fleet, role: str) -> Any:
    return fleet.aws("iam", AWAY).get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]


def source(fleet: Fleet, name: str) -> Any:
    """The service's source role, or None."""
    iam = fleet.aws("iam")
    try:
        return iam.get_role(RoleName=source_of(name))["Role"]
    except iam.exceptions.NoSuchEntityException:
        return None


def association(fleet: Fleet, name: str) -> Any:
    eks = fleet.aws("eks")
    pair = {"namespace": "shop", "serviceAccount": name}
    (found,) = eks.list_pod_identity_associations(clusterName="main", **pair)["associations"]
    return eks.describe_pod_identity_association(clusterName="main", associationId=found["associationId"])[
        "association"
    ]


def who(fleet: Fleet, name: str) -> str:
    """As whom a pod of the service is known to AWS."""
    pods = fleet.kube("main").list("/api/v1/namespaces/shop/pods", fieldSelector=f"spec.serviceAccountName={name}")
    (pod,) = [one["metadata"]["name"] for one in pods["items"] if "deletionTimestamp" not in one["metadata"]]
    cluster = fleet.lab.clusters[0]
    ran = run_in_pod(cluster, "shop", pod, ("aws", "sts", "get-caller-identity", "--query", "Arn", "--output", "text"))
    assert ran.code == 0, ran.stderr
    return str(ran.stdout).strip()


def service(name: str) -> tuple[str, ...]:
    return ("--service", f"main/shop/{name}", "--yes")


def there_and_back(fleet: Fleet, name: str) -> None:
    """Moves the service and takes it back, on whatever plane the fleet stands."""
    before = trust(fleet, name)
    planned = fleet.migrate("show", f"main/shop/{name}", *JSON).ok().data
    applied = fleet.migrate("apply", *service(name), *JSON).ok().data
    assert [one["kind"] for one in planned["forward"]][1:4] == ["source-role", "target-trust", "association"]
    assert applied["exit"]["code"] == Exit.DONE
    made = source(fleet, name)
    assert made["Path"] == "/"
    assert {"irsa-migrator/service", "managed-by", "irsa-migrator/run"} == {tag["Key"] for tag in made["Tags"]}
    found = association(fleet, name)
    assert (found["roleArn"], found["targetRoleArn"]) == (made["Arn"], f"arn:aws:iam::{AWAY}:role/data/{name}")
    assert not found["disableSessionTags"]
    assert trust(fleet, name)["Statement"][: len(before["Statement"])] == before["Statement"]
    assert f"{AWAY}:assumed-role/{name}/eks-" in who(fleet, name)
    fleet.migrate("verify", *service(name)[:2]).ok()
    again = fleet.migrate("apply", *service(name)).ok()
    assert "already migrated" in again.out

    back = fleet.migrate("rollback", *service(name), *JSON).ok().data
    assert back["exit"]["code"] == Exit.DONE
    assert trust(fleet, name) == before
    assert source(fleet, name) is None
    assert f"{AWAY}:assumed-role/{name}/" in who(fleet, name)
    fleet.migrate("verify", *service(name)[:2]).ok()
