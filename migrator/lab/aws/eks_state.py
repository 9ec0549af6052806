"""What EKS remembers: clusters, and in each its associations, add-ons, updates, profiles, groups, access entries."""

from __future__ import annotations

import base64
import binascii
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from migrator.lab.aws.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from migrator.lab.aws.ports import ControlPlane, LabCluster
    from migrator.lab.aws.wire import Request

ASSOCIATION_LIMIT = 5000
Item = TypeVar("Item")


@dataclass
class Association:
    """One pod identity association; `former` is what it was before its last update."""

    id: str
    arn: str
    namespace: str
    service_account: str
    role_arn: str
    created: datetime
    modified: datetime
    tags: dict[str, str]
    owner_arn: str | None = None
    disable_session_tags: bool = False
    target_role_arn: str | None = None
    external_id: str | None = None
    policy: str | None = None
    former: Association | None = None


@dataclass
class Cluster:
    """A cluster with everything EKS keeps about it.

    Attributes:
        lock: held while the records are read or changed.
        telling: held while the control plane is told, so that it hears changes in their order.
        records: add-ons, Fargate profiles, node groups, access entries and updates, as the API shows them.
        tokens: client request tokens seen, with what they were used for.
    """

    spec: LabCluster
    plane: ControlPlane
    created: datetime
    association_limit: int = ASSOCIATION_LIMIT
    associations: dict[str, Association] = field(default_factory=dict)
    records: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    tokens: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    telling: threading.Lock = field(default_factory=threading.Lock)

    def table(self, kind: str) -> dict[str, dict[str, Any]]:
        """The records of one kind, by name."""
        return self.records.setdefault(kind, {})

    def association_for(self, namespace: str, service_account: str) -> Association | None:
        """The association of a service account, or None."""
        with self.lock:
            for item in self.associations.values():
                if (item.namespace, item.service_account) == (namespace, service_account):
                    return item
        return None

    def tell_associations(self) -> None:
        """Tells the control plane which service accounts have an association now."""
        with self.telling:
            with self.lock:
                pairs = frozenset((item.namespace, item.service_account) for item in self.associations.values())
            self.plane.associations_changed(pairs)


class EksState:
    """All clusters, by account, Region and name."""

    def __init__(self) -> None:
        self._clusters: dict[tuple[str, str, str], Cluster] = {}
        self._lock = threading.Lock()

    def add(self, cluster: Cluster) -> None:
        """Takes a cluster in.

        Raises:
            ValueError: the account has one of this name in this Region already.
        """
        spec = cluster.spec
        with self._lock:
            key = (spec.account, spec.region, spec.name)
            if key in self._clusters:
                raise ValueError(f"cluster {spec.name!r} exists in {spec.account}/{spec.region}")
            self._clusters[key] = cluster

    def all(self) -> list[Cluster]:
        """Every cluster of every account."""
        with self._lock:
            return list(self._clusters.values())

    def of(self, account: str, region: str) -> list[Cluster]:
        """The clusters of an account in a Region, by name."""
        with self._lock:
            found = [item for (a, r, _), item in self._clusters.items() if (a, r) == (account, region)]
        return sorted(found, key=lambda cluster: cluster.spec.name)

    def get(self, request: Request, member: str = "clusterName") -> Cluster:
        """The cluster a request names, in the caller's account and Region.

        Raises:
            ApiError: there is none.
        """
        name = str(request.params[member])
        with self._lock:
            found = self._clusters.get((request.account, request.region, name))
        if found is None:
            raise ApiError(
                "ResourceNotFoundException", f"No cluster found for name: {name}.", members={"clusterName": name}
            )
        return found

    def usable(self, request: Request) -> Cluster:
        """The cluster a request names, which must take changes now.

        Raises:
            ApiError: there is none, or it is not ACTIVE or UPDATING.
        """
        cluster = self.get(request)
        if cluster.spec.status not in ("ACTIVE", "UPDATING"):
            text = f"Cluster '{cluster.spec.name}' is not in ACTIVE status: it is {cluster.spec.status}"
            raise ApiError("InvalidRequestException", text, members={"clusterName": cluster.spec.name})
        return cluster

    def by_issuer(self, issuer: str) -> Cluster | None:
        """The cluster whose tokens an issuer URL names."""
        return next((cluster for cluster in self.all() if cluster.spec.issuer == issuer), None)


def page(items: Sequence[Item], params: Mapping[str, Any], default: int = 100) -> tuple[list[Item], str | None]:
    """One page of a list by `maxResults` and `nextToken`, and the token of the next.

    Raises:
        ApiError: the token is none of ours.
    """
    start = 0
    if params.get("nextToken"):
        try:
            start = int(base64.urlsafe_b64decode(str(params["nextToken"])).decode())
        except (binascii.Error, ValueError) as broken:
            raise ApiError("InvalidParameterException", "The nextToken is invalid.") from broken
    end = start + int(params.get("maxResults") or default)
    more = base64.urlsafe_b64encode(str(end).encode()).decode() if end < len(items) else None
    return list(items[start:end]), more
