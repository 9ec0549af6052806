"""The statement that lets sessions of source roles into their target role: how it looks, and how it is read back.

Its principal is the cluster's account, narrowed to the source roles by condition: a role that is named as a principal
must exist when the policy is written, and turns into its bare id when it is deleted (IAM user guide, "principal").
While session tags are off there is nothing to tell services by but the external id that EKS sends.
Source: EKS user guide, "pod-id-assign-target-role".
"""

from collections.abc import Iterable, Mapping
from itertools import product

from migrator.model.facts import Json
from migrator.model.ids import RoleArn
from migrator.model.source_role import external_id, source_arn
from migrator.model.trust.boxes import Box
from migrator.model.trust.document import as_list
from migrator.model.trust.match import ACTIONS, CLUSTER_TAG, EXTERNAL_ID, NAME_TAG, NAMESPACE_TAG, PRINCIPAL_ARN

_TAG_KEYS = (CLUSTER_TAG, NAMESPACE_TAG, NAME_TAG)
_PARTS = 5  # of an external id


def hop_statement(sid: str, box: Box, *, path: str, tagged: bool, more: Mapping[str, Json]) -> dict[str, Json]:
    """The statement for these services.

    Args:
        sid: its name.
        box: clusters, namespaces and ServiceAccounts, all combinations of which it lets in.
        path: that of their source roles.
        tagged: whether their sessions bear EKS's tags.
        more: further conditions.
    """
    arns, namespaces, names = box
    cells = list(product(arns, namespaces, names))
    told = (
        {key: _one_or_many(values) for key, values in zip(_TAG_KEYS, box, strict=True)}
        if tagged
        else {EXTERNAL_ID: _one_or_many(external_id(*cell) for cell in cells)}
    )
    sources = _one_or_many(source_arn(*cell, path=path) for cell in cells)
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": _one_or_many(dict.fromkeys(map(_root, arns)))},
        "Action": list(ACTIONS),
        "Condition": {"ArnEquals": {PRINCIPAL_ARN: sources}, "StringEquals": told, **more},
    }


def _root(cluster_arn: str) -> str:
    partition, account = cluster_arn.split(":")[1], cluster_arn.split(":")[4]
    return f"arn:{partition}:iam::{account}:root"


def path_of(statement: Mapping[str, Json]) -> str:
    """The path that all source roles of such a statement have; empty where it is none."""
    arns = as_list(_compared(statement, "ArnEquals").get(PRINCIPAL_ARN))
    roles = [RoleArn.parse(arn) if isinstance(arn, str) else None for arn in arns]
    paths = {role.path if role else "" for role in roles}
    return paths.pop() if len(paths) == 1 else ""


def by_external_id(statement: Mapping[str, Json]) -> Box | None:
    """Clusters, namespaces and ServiceAccounts that the external ids of such a statement spell; None without any."""
    principal = statement.get("Principal")
    roots = as_list(principal.get("AWS")) if isinstance(principal, Mapping) else []
    partition = str(next(iter(roots), "")).partition(":iam::")[0]
    spelled = [str(one).split("/") for one in as_list(_compared(statement, "StringEquals").get(EXTERNAL_ID))]
    if not partition.startswith("arn:") or not spelled or any(len(parts) != _PARTS for parts in spelled):
        return None
    cells = [(f"{partition}:eks:{one[0]}:{one[1]}:cluster/{one[2]}", one[3], one[4]) for one in spelled]
    return tuple(tuple(sorted(set(values))) for values in zip(*cells, strict=True))


def is_hop_line(operator: str, key: str) -> bool:
    """Whether such a statement always has that line in its conditions."""
    return (operator, key) in {("ArnEquals", PRINCIPAL_ARN), ("StringEquals", EXTERNAL_ID)}


def _compared(statement: Mapping[str, Json], operator: str) -> Mapping[str, Json]:
    condition = statement.get("Condition")
    found = condition.get(operator) if isinstance(condition, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _one_or_many(values: Iterable[str]) -> Json:
    made = list(values)
    return made[0] if len(made) == 1 else made
