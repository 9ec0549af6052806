"""EKS Fargate profiles, node groups and access entries: records by name, created, described, listed, deleted."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migrator.lab.aws.eks_state import Cluster, EksState, page
from migrator.lab.aws.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from migrator.lab.aws.iam_store import IamStore
    from migrator.lab.aws.pipeline import Handler
    from migrator.lab.aws.ports import Clock
    from migrator.lab.aws.wire import Request

_SELECTOR_LIMIT = 5


@dataclass(frozen=True)
class Kind:
    """One kind of record and what the API calls its parts."""

    noun: str
    key: str
    answer: str
    names: str
    role: str | None
    arn: str
    path: str
    defaults: Mapping[str, Any]


FARGATE = Kind(
    noun="Fargate Profile",
    key="fargateProfileName",
    answer="fargateProfile",
    names="fargateProfileNames",
    role="podExecutionRoleArn",
    arn="fargateProfileArn",
    path="fargateprofile",
    defaults={"subnets": [], "selectors": [], "health": {"issues": []}},
)
NODEGROUP = Kind(
    noun="NodeGroup",
    key="nodegroupName",
    answer="nodegroup",
    names="nodegroups",
    role="nodeRole",
    arn="nodegroupArn",
    path="nodegroup",
    defaults={
        "amiType": "AL2023_x86_64_STANDARD",
        "capacityType": "ON_DEMAND",
        "scalingConfig": {"minSize": 1, "maxSize": 2, "desiredSize": 2},
        "instanceTypes": ["t3.medium"],
        "labels": {},
        "taints": [],
        "diskSize": 20,
        "health": {"issues": []},
        "updateConfig": {"maxUnavailable": 1},
    },
)
ENTRY = Kind(
    noun="Access entry",
    key="principalArn",
    answer="accessEntry",
    names="accessEntries",
    role=None,
    arn="accessEntryArn",
    path="access-entry",
    defaults={"kubernetesGroups": [], "type": "STANDARD"},
)
_OPERATIONS = {
    "FargateProfile": (FARGATE, "ListFargateProfiles"),
    "Nodegroup": (NODEGROUP, "ListNodegroups"),
    "AccessEntry": (ENTRY, "ListAccessEntries"),
}


class Compute:
    """The four operations on each kind of record."""

    def __init__(self, state: EksState, iam: IamStore, clock: Clock) -> None:
        self._state = state
        self._iam = iam
        self._clock = clock

    def handlers(self) -> dict[str, Handler]:
        """The operations served here."""
        found: dict[str, Handler] = {}
        for noun, (kind, listing) in _OPERATIONS.items():
            found[f"Create{noun}"] = self._for(self._create, kind)
            found[f"Describe{noun}"] = self._for(self._describe, kind)
            found[f"Delete{noun}"] = self._for(self._delete, kind)
            found[listing] = self._for(self._list, kind)
        return found

    def _for(self, work: Callable[[Request, Kind], dict[str, Any]], kind: Kind) -> Handler:
        def handler(request: Request) -> dict[str, Any]:
            return work(request, kind)

        return handler

    def _create(self, request: Request, kind: Kind) -> dict[str, Any]:
        cluster, params = self._state.usable(request), request.params
        name = str(params[kind.key])
        with cluster.lock:
            if name in cluster.table(kind.path):
                raise ApiError(
                    "ResourceInUseException",
                    f"{kind.noun} already exists with name {name} and cluster name {cluster.spec.name}",
                    members={"clusterName": cluster.spec.name},
                )
            self._check(params, kind)
            record = self._record(cluster, kind, name, params)
            cluster.table(kind.path)[name] = record
        under_way = {"status": "CREATING"} if "status" in record else {}
        return {kind.answer: record | under_way}

    def _check(self, params: Mapping[str, Any], kind: Kind) -> None:
        role = params.get(kind.role) if kind.role else None
        if role is not None and self._iam.role(str(role)) is None:
            raise ApiError("InvalidParameterException", f"The role {role} cannot be found")
        selectors = params.get("selectors", [])
        if kind is FARGATE and not 1 <= len(selectors) <= _SELECTOR_LIMIT:
            raise ApiError("InvalidParameterException", "Fargate Profile must have 1 to 5 selectors")
        if any(not selector.get("namespace") for selector in selectors):
            raise ApiError("InvalidParameterException", "Fargate Profile selector must have a namespace")

    def _record(self, cluster: Cluster, kind: Kind, name: str, params: Mapping[str, Any]) -> dict[str, Any]:
        spec, now = cluster.spec, self._clock()
        tail = f"{kind.path}/{spec.name}/{name}/{uuid.uuid4()}"
        given = {key: value for key, value in params.items() if key != "clientRequestToken"}
        record: dict[str, Any] = {
            **kind.defaults,
            **given,
            "clusterName": spec.name,
            kind.arn: f"arn:{spec.partition}:eks:{spec.region}:{spec.account}:{tail}",
            "createdAt": now,
            "modifiedAt": now,
            "tags": dict(params.get("tags", {})),
        }
        if kind is ENTRY:
            record.setdefault("username", name)
        else:
            record["status"] = "ACTIVE"
        if kind is NODEGROUP:
            record = {"version": spec.version, **record}
        return record

    def _find(self, cluster: Cluster, kind: Kind, params: Mapping[str, Any]) -> dict[str, Any]:
        name = str(params[kind.key])
        record = cluster.table(kind.path).get(name)
        if record is None:
            raise ApiError(
                "ResourceNotFoundException",
                f"No {kind.noun} found with name: {name}.",
                members={"clusterName": cluster.spec.name},
            )
        return record

    def _describe(self, request: Request, kind: Kind) -> dict[str, Any]:
        cluster = self._state.get(request)
        with cluster.lock:
            return {kind.answer: dict(self._find(cluster, kind, request.params))}

    def _list(self, request: Request, kind: Kind) -> dict[str, Any]:
        cluster = self._state.get(request)
        with cluster.lock:
            names = sorted(cluster.table(kind.path))
        found, more = page(names, request.params)
        return {kind.names: found, "nextToken": more}

    def _delete(self, request: Request, kind: Kind) -> dict[str, Any]:
        cluster = self._state.get(request)
        with cluster.lock:
            record = self._find(cluster, kind, request.params)
            del cluster.table(kind.path)[str(request.params[kind.key])]
        return {} if kind is ENTRY else {kind.answer: record | {"status": "DELETING"}}
