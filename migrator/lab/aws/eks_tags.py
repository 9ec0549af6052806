"""Tags of EKS resources, by ARN."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.lab.aws.eks_compute import ENTRY, FARGATE, NODEGROUP
from migrator.lab.aws.errors import ApiError

if TYPE_CHECKING:
    from migrator.lab.aws.eks_state import Cluster, EksState
    from migrator.lab.aws.pipeline import Handler
    from migrator.lab.aws.wire import Request

_TAG_LIMIT = 50
_ARNS = {"addons": "addonArn", **{kind.path: kind.arn for kind in (FARGATE, NODEGROUP, ENTRY)}}


class Tags:
    """TagResource, UntagResource and ListTagsForResource."""

    def __init__(self, state: EksState) -> None:
        self._state = state

    def handlers(self) -> dict[str, Handler]:
        """The operations served here."""
        return {
            "TagResource": self.tag,
            "UntagResource": self.untag,
            "ListTagsForResource": self.tags,
        }

    def tag(self, request: Request) -> dict[str, Any]:
        """Adds tags, or gives them new values."""
        cluster, tags = self._find(request)
        with cluster.lock:
            if len({*tags, *request.params["tags"]}) > _TAG_LIMIT:
                raise ApiError("BadRequestException", f"A resource has at most {_TAG_LIMIT} tags", 400)
            tags.update(request.params["tags"])
        return {}

    def untag(self, request: Request) -> dict[str, Any]:
        """Takes tags away; those that are not there do not matter."""
        cluster, tags = self._find(request)
        with cluster.lock:
            for key in request.params["tagKeys"]:
                tags.pop(key, None)
        return {}

    def tags(self, request: Request) -> dict[str, Any]:
        """The tags of a resource."""
        cluster, tags = self._find(request)
        with cluster.lock:
            return {"tags": dict(tags)}

    def _find(self, request: Request) -> tuple[Cluster, dict[str, str]]:
        arn = str(request.params["resourceArn"])
        for cluster in self._state.of(request.account, request.region):
            with cluster.lock:
                tags = _tags_in(cluster, arn)
            if tags is not None:
                return cluster, tags
        raise ApiError("NotFoundException", f"No resource found for ARN: {arn}", 404)


def _tags_in(cluster: Cluster, arn: str) -> dict[str, str] | None:
    """The tags of a resource of this cluster, themselves and not a copy."""
    if arn == cluster.spec.arn:
        return cluster.tags
    for association in cluster.associations.values():
        if association.arn == arn:
            return association.tags
    for table, member in _ARNS.items():
        for record in cluster.table(table).values():
            if record[member] == arn:
                found: dict[str, str] = record["tags"]
                return found
    return None
