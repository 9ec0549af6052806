"""EKS Fargate profiles, node groups, access entries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Client = Callable[..., Any]
Refused = Callable[..., tuple[str, int, str]]
Role = Callable[..., str]
Fresh = Callable[[str], str]
CLUSTER = "contract"


def test_fargate_profile(client: Client, role: Role, fresh: Fresh, refused: Refused) -> None:
    eks, name = client("eks"), fresh("fp")
    key = {"clusterName": CLUSTER, "fargateProfileName": name}
    wish = key | {"podExecutionRoleArn": role(), "selectors": [{"namespace": "batch", "labels": {"a": "b"}}]}
    assert eks.create_fargate_profile(**wish)["fargateProfile"]["status"] == "CREATING"
    found = eks.describe_fargate_profile(**key)["fargateProfile"]
    assert found["selectors"] == [{"namespace": "batch", "labels": {"a": "b"}}]
    assert found["status"] == "ACTIVE"
    assert name in eks.list_fargate_profiles(clusterName=CLUSTER)["fargateProfileNames"]
    assert refused(eks.create_fargate_profile, **wish)[:2] == ("ResourceInUseException", 409)
    assert eks.delete_fargate_profile(**key)["fargateProfile"]["status"] == "DELETING"
    assert refused(eks.describe_fargate_profile, **key)[:2] == ("ResourceNotFoundException", 404)


def test_fargate_profile_needs_selectors(client: Client, role: Role, fresh: Fresh, refused: Refused) -> None:
    answer = refused(
        client("eks").create_fargate_profile,
        clusterName=CLUSTER,
        fargateProfileName=fresh("fp"),
        podExecutionRoleArn=role(),
    )
    assert answer[0] == "InvalidParameterException"


def test_nodegroup(client: Client, role: Role, fresh: Fresh, refused: Refused, home: str) -> None:
    eks, name, arn = client("eks"), fresh("ng"), role()
    key = {"clusterName": CLUSTER, "nodegroupName": name}
    wish = key | {"subnets": ["s"], "amiType": "BOTTLEROCKET_x86_64"}
    eks.create_nodegroup(**wish, nodeRole=arn)
    found = eks.describe_nodegroup(**key)["nodegroup"]
    assert (found["nodeRole"], found["amiType"], found["status"]) == (arn, "BOTTLEROCKET_x86_64", "ACTIVE")
    assert name in eks.list_nodegroups(clusterName=CLUSTER)["nodegroups"]
    missing = wish | {"nodegroupName": fresh("ng"), "nodeRole": f"arn:aws:iam::{home}:role/none"}
    assert refused(eks.create_nodegroup, **missing)[0] == "InvalidParameterException"
    eks.delete_nodegroup(**key)
    assert name not in eks.list_nodegroups(clusterName=CLUSTER)["nodegroups"]


def test_access_entry(client: Client, role: Role) -> None:
    eks, arn = client("eks"), role()
    key = {"clusterName": CLUSTER, "principalArn": arn}
    eks.create_access_entry(**key, kubernetesGroups=["viewers"])
    found = eks.describe_access_entry(**key)["accessEntry"]
    assert found["kubernetesGroups"] == ["viewers"]
    assert arn in eks.list_access_entries(clusterName=CLUSTER)["accessEntries"]
    eks.delete_access_entry(**key)
    assert arn not in eks.list_access_entries(clusterName=CLUSTER)["accessEntries"]
