"""Updates under way, as DescribeUpdate and ListUpdates show them."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from migrator.lab.aws.eks_state import Cluster, EksState, page
from migrator.lab.aws.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from migrator.lab.aws.pipeline import Handler
    from migrator.lab.aws.wire import Request

_PARAMS = {
    "addonVersion": "AddonVersion",
    "serviceAccountRoleArn": "ServiceAccountRoleArn",
    "resolveConflicts": "ResolveConflicts",
    "configurationValues": "ConfigurationValues",
    "podIdentityAssociations": "PodIdentityAssociations",
}


def new_update(cluster: Cluster, kind: str, addon: str, params: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Writes down an update that has begun; the caller holds the cluster's lock."""
    update: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "status": "InProgress",
        "type": kind,
        "params": [
            {
                "type": name,
                "value": params[member] if isinstance(params[member], str) else json.dumps(params[member]),
            }
            for member, name in _PARAMS.items()
            if member in params
        ],
        "createdAt": now,
        "errors": [],
    }
    cluster.table("updates")[update["id"]] = update
    cluster.table("update-addons")[update["id"]] = {"addonName": addon}
    return dict(update)


def finish_updates(cluster: Cluster, addon: str, failure: str) -> None:
    """Ends the updates of an add-on, well or with a failure; the caller holds the cluster's lock."""
    for update in _of(cluster, addon):
        if update["status"] == "InProgress":
            update["status"] = "Failed" if failure else "Successful"
            if failure:
                update["errors"] = [{"errorCode": "Unknown", "errorMessage": failure, "resourceIds": [addon]}]


def settle(cluster: Cluster, addon: dict[str, Any]) -> None:
    """Ends what is under way of an add-on when the control plane says it is ready: well, or as its fate is."""
    name = str(addon["addonName"])
    if addon["status"] not in ("CREATING", "UPDATING") or not cluster.plane.addon_ready(name):
        return
    with cluster.lock:
        failure = cluster.table("addon-fates").pop(name, {}).get("failure", "")
        addon["status"] = "UPDATE_FAILED" if failure else "ACTIVE"
        finish_updates(cluster, name, failure)


def _of(cluster: Cluster, addon: str | None) -> list[dict[str, Any]]:
    names = cluster.table("update-addons")
    return [
        update for id_, update in cluster.table("updates").items() if addon is None or names[id_]["addonName"] == addon
    ]


class Updates:
    """DescribeUpdate and ListUpdates."""

    def __init__(self, state: EksState) -> None:
        self._state = state

    def handlers(self) -> dict[str, Handler]:
        """The operations served here."""
        return {"DescribeUpdate": self.describe, "ListUpdates": self.list_all}

    def _settle(self, cluster: Cluster) -> None:
        """Looks whether add-ons under way have become ready, as DescribeAddon does."""
        for addon in list(cluster.table("addons").values()):
            settle(cluster, addon)

    def describe(self, request: Request) -> dict[str, Any]:
        """One update."""
        cluster = self._state.get(request, "name")
        self._settle(cluster)
        wanted, addon = str(request.params["updateId"]), request.params.get("addonName")
        for update in _of(cluster, addon):
            if update["id"] == wanted:
                return {"update": dict(update)}
        raise ApiError("ResourceNotFoundException", f"No update found for ID: {wanted}")

    def list_all(self, request: Request) -> dict[str, Any]:
        """Ids of the cluster's updates, or of one add-on's."""
        cluster = self._state.get(request, "name")
        ids = [update["id"] for update in _of(cluster, request.params.get("addonName"))]
        found, more = page(ids, request.params)
        return {"updateIds": found, "nextToken": more}
