"""The source role of a service whose role lives in another account: how it is called, whom it trusts, what it may do.

An association takes a role of the cluster's account only (EKS user guide, "pod-id-assign-target-role"). So each such
service gets one there, which may assume the old role and nothing else. Its ARN follows from the service, and so a
statement of ours in the old role's trust policy is known again by it.
"""

import hashlib
from collections.abc import Mapping

from migrator.model.facts import Json
from migrator.model.ids import MANAGED_BY

POLICY_NAME = "assume-target-role"
SERVICE_TAG = f"{MANAGED_BY}/service"
RUN_TAG = f"{MANAGED_BY}/run"
LONGEST_SESSION = 3600  # seconds; of a target role, whatever its MaxSessionDuration says
_NAME = 64  # characters that IAM allows
_DIGEST = 12
_ACTIONS = ("sts:AssumeRole", "sts:TagSession")


def source_arn(cluster_arn: str, namespace: str, name: str, path: str) -> str:
    """The ARN of the service's source role; `path` begins and ends with a slash."""
    partition, account = cluster_arn.split(":")[1], cluster_arn.split(":")[4]
    return f"arn:{partition}:iam::{account}:role{path}{source_name(cluster_arn, namespace, name)}"


def source_name(cluster_arn: str, namespace: str, name: str) -> str:
    """What people can read of the service, and a digest of all of it; at most 64 characters."""
    digest = hashlib.sha256(f"{cluster_arn}\n{namespace}\n{name}".encode()).hexdigest()[:_DIGEST]
    said = f"{MANAGED_BY}-{cluster_arn.rpartition('/')[2]}-{namespace}-{name}"
    return f"{said[: _NAME - _DIGEST - 1]}-{digest}"


def source_tags(service: str) -> dict[str, str]:
    """What tells that the role was made by this tool, for the service of that id."""
    return {"managed-by": MANAGED_BY, SERVICE_TAG: service}


def external_id(cluster_arn: str, namespace: str, name: str) -> str:
    """What EKS sends the target role while session tags are off; REGION/ACCOUNT/CLUSTER/NAMESPACE/SERVICEACCOUNT."""
    region, account, cluster = cluster_arn.split(":")[3], cluster_arn.split(":")[4], cluster_arn.rpartition("/")[2]
    return f"{region}/{account}/{cluster}/{namespace}/{name}"


def source_trust(statement: Mapping[str, Json], *, tagged: bool) -> dict[str, Json]:
    """Its trust policy: the statement that lets the service in, whose conditions only tagged sessions can meet."""
    kept = {key: value for key, value in statement.items() if tagged or key != "Condition"}
    return {"Version": "2012-10-17", "Statement": [kept]}


def source_policy(target_arn: str) -> dict[str, Json]:
    """Its one permission: to become the target role."""
    statement = {"Effect": "Allow", "Action": list(_ACTIONS), "Resource": target_arn}
    return {"Version": "2012-10-17", "Statement": [statement]}
