"""EKS add-ons: created, described, updated, listed, deleted; their objects are the control plane's affair.

An add-on becomes ACTIVE when somebody looks and the control plane says that it is ready.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from migrator.lab.aws.addon_associations import AddonAssociations, owned
from migrator.lab.aws.addon_catalogue import CATALOGUE, AddonKind, configuration_shown, versions_shown
from migrator.lab.aws.addon_params import change_of, configuration_of, kind_of, known_update, version_of
from migrator.lab.aws.eks_associations import fingerprint
from migrator.lab.aws.eks_state import Cluster, EksState, page
from migrator.lab.aws.eks_updates import finish_updates, new_update, settle
from migrator.lab.aws.errors import ApiError
from migrator.lab.aws.models import partition_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrator.lab.aws.pipeline import Handler
    from migrator.lab.aws.ports import Clock
    from migrator.lab.aws.wire import Request

_LOG = logging.getLogger(__name__)


HealthSight = Callable[["Cluster", str], "Mapping[str, Any]"]
"""What is to be said of an add-on of a cluster instead of the truth: members of the `Addon` shape."""


def _nothing_said(_cluster: Cluster, _name: str) -> Mapping[str, Any]:
    return {}


Fate = Callable[["Cluster", str], str]
"""Why an update of an add-on that begins now will fail; empty when it will not."""


def _well(_cluster: Cluster, _name: str) -> str:
    return ""


class Addons:
    """The operations on add-ons and their catalogue."""

    def __init__(self, state: EksState, associations: AddonAssociations, clock: Clock) -> None:
        self._state = state
        self._associations = associations
        self._clock = clock
        self.health: HealthSight = _nothing_said
        self.fate: Fate = _well

    def handlers(self) -> dict[str, Handler]:
        """The operations served here."""
        return {
            "CreateAddon": self.create,
            "DescribeAddon": self.describe,
            "UpdateAddon": self.update,
            "ListAddons": self.list_all,
            "DeleteAddon": self.delete,
            "DescribeAddonVersions": self.versions,
            "DescribeAddonConfiguration": self.configuration,
        }

    def create(self, request: Request) -> dict[str, Any]:
        """Installs an add-on."""
        cluster, params = self._state.usable(request), request.params
        kind = kind_of(params)
        version = version_of(kind, params.get("addonVersion"))
        configuration = configuration_of(params)
        token, print_ = str(params.get("clientRequestToken") or ""), fingerprint(params)
        with cluster.lock:
            present = cluster.table("addons").get(kind.name)
            if present is not None:
                if token and cluster.tokens.get(("addon", token)) == (print_, kind.name):
                    return {"addon": self._shown(cluster, present)}
                raise ApiError(
                    "ResourceInUseException",
                    "Addon already exists.",
                    members={"clusterName": cluster.spec.name, "addonName": kind.name},
                )
            wanted = params.get("podIdentityAssociations", [])
            self._associations.check(request, cluster, kind, version=version, owner=None, wanted=wanted)
            addon = self._record(cluster, kind, version, configuration, params)
            cluster.table("addons")[kind.name] = addon
            self._associations.set(cluster, kind, addon["addonArn"], wanted)
            cluster.tokens["addon", token] = (print_, kind.name)
        if wanted:
            cluster.tell_associations()
        self._install(cluster, addon, "CREATE_FAILED")
        if addon["serviceAccountRoleArn"]:
            cluster.plane.change_addon(change_of(kind, addon, drops=False, rolls=False), lambda: None)
        return {"addon": self._shown(cluster, addon)}

    def _record(
        self,
        cluster: Cluster,
        kind: AddonKind,
        version: str,
        configuration: str,
        params: Mapping[str, Any],
    ) -> dict[str, Any]:
        spec, now = cluster.spec, self._clock()
        tail = f"addon/{spec.name}/{kind.name}/{uuid.uuid4()}"
        return {
            "addonName": kind.name,
            "clusterName": spec.name,
            "status": "CREATING",
            "addonVersion": version,
            "health": {"issues": []},
            "addonArn": f"arn:{spec.partition}:eks:{spec.region}:{spec.account}:{tail}",
            "createdAt": now,
            "modifiedAt": now,
            "serviceAccountRoleArn": params.get("serviceAccountRoleArn"),
            "tags": dict(params.get("tags", {})),
            "publisher": kind.publisher,
            "owner": kind.owner,
            "configurationValues": configuration or None,
            "namespaceConfig": {"namespace": params.get("namespaceConfig", {}).get("namespace", kind.namespace)},
        }

    def _install(self, cluster: Cluster, addon: dict[str, Any], failed: str) -> None:
        """Has the control plane put the objects there; what it refuses is the add-on's health, not our answer."""
        if self.health(cluster, str(addon["addonName"])).get("status") == "CREATE_FAILED":
            return
        try:
            cluster.plane.install_addon(addon["addonName"], addon["addonVersion"], addon["configurationValues"] or "")
        except Exception as fault:  # noqa: BLE001 - whatever the control plane says becomes the health
            _LOG.exception("add-on %s could not be put on %s", addon["addonName"], cluster.spec.name)
            with cluster.lock:
                addon["status"] = failed
                addon["health"] = {"issues": [{"code": "InternalFailure", "message": str(fault)}]}
                finish_updates(cluster, addon["addonName"], str(fault))

    def _find(self, cluster: Cluster, params: Mapping[str, Any]) -> dict[str, Any]:
        addon = cluster.table("addons").get(str(params["addonName"]))
        if addon is None:
            raise ApiError(
                "ResourceNotFoundException",
                f"No addon: {params['addonName']} found in cluster: {cluster.spec.name}",
                members={"clusterName": cluster.spec.name, "addonName": params["addonName"]},
            )
        return addon

    def _shown(self, cluster: Cluster, addon: Mapping[str, Any]) -> dict[str, Any]:
        with cluster.lock:
            arns = [item.arn for item in owned(cluster, str(addon["addonArn"]))]
            said = self.health(cluster, str(addon["addonName"]))
            return {**addon, "podIdentityAssociations": arns or None, **said}

    def describe(self, request: Request) -> dict[str, Any]:
        """One add-on, as it stands now."""
        cluster = self._state.get(request)
        addon = self._find(cluster, request.params)
        settle(cluster, addon)
        return {"addon": self._shown(cluster, addon)}

    def list_all(self, request: Request) -> dict[str, Any]:
        """Names of the cluster's add-ons."""
        cluster = self._state.get(request)
        found, more = page(sorted(cluster.table("addons")), request.params)
        return {"addons": found, "nextToken": more}

    def update(self, request: Request) -> dict[str, Any]:
        """Changes version, configuration, role or associations of an add-on; a list of associations replaces all."""
        cluster, params = self._state.usable(request), request.params
        addon = self._find(cluster, params)
        kind = CATALOGUE[addon["addonName"]]
        with cluster.lock:
            known = known_update(cluster, params)
            if known is not None:
                return {"update": known}
        settle(cluster, addon)
        with cluster.lock:
            if addon["status"] in ("CREATING", "UPDATING", "DELETING"):
                raise ApiError(
                    "ResourceInUseException",
                    f"Addon {kind.name} cannot be updated as it is currently in {addon['status']} state",
                    members={"clusterName": cluster.spec.name, "addonName": kind.name},
                )
            update = self._begin(request, cluster, kind, addon)
        if "podIdentityAssociations" in params:
            cluster.tell_associations()
        self._install(cluster, addon, "UPDATE_FAILED")
        self._change(cluster, kind, addon, params)
        return {"update": update}

    def _begin(self, request: Request, cluster: Cluster, kind: AddonKind, addon: dict[str, Any]) -> dict[str, Any]:
        """Writes down what the update makes of the add-on; the caller holds the cluster's lock."""
        params, owner = request.params, str(addon["addonArn"])
        version = version_of(kind, params.get("addonVersion") or addon["addonVersion"])
        configuration = configuration_of(params)
        wanted = params.get("podIdentityAssociations")
        if wanted is not None:
            self._associations.check(request, cluster, kind, version=version, owner=owner, wanted=wanted)
            self._associations.set(cluster, kind, owner, wanted)
        addon |= {"addonVersion": version, "status": "UPDATING", "modifiedAt": self._clock()}
        for member, value in (
            ("configurationValues", configuration if "configurationValues" in params else None),
            ("serviceAccountRoleArn", params.get("serviceAccountRoleArn")),
        ):
            addon[member] = value if value is not None else addon[member]
        cluster.table("addon-fates")[kind.name] = {"failure": self.fate(cluster, kind.name)}
        update = new_update(cluster, "AddonUpdate", kind.name, params, self._clock())
        cluster.tokens["addon-update", str(params.get("clientRequestToken") or "")] = (
            fingerprint(params),
            update["id"],
        )
        return update

    def _change(self, cluster: Cluster, kind: AddonKind, addon: dict[str, Any], params: Mapping[str, Any]) -> None:
        """Where an update gives associations and no role, EKS takes away the role it had by itself, seconds later."""

        def dropped() -> None:
            with cluster.lock:
                addon["serviceAccountRoleArn"] = None

        given = params.get("serviceAccountRoleArn")
        drops = bool(params.get("podIdentityAssociations") and addon["serviceAccountRoleArn"]) and not given
        if given or "podIdentityAssociations" in params:
            cluster.plane.change_addon(change_of(kind, addon, drops=drops, rolls=True), dropped)

    def delete(self, request: Request) -> dict[str, Any]:
        """Takes an add-on away, with its associations; `preserve` leaves objects and associations behind."""
        cluster = self._state.get(request)
        keep = bool(request.params.get("preserve"))
        with cluster.lock:
            addon = self._find(cluster, request.params)
            shown = self._shown(cluster, addon)
            del cluster.table("addons")[addon["addonName"]]
            for item in owned(cluster, addon["addonArn"]):
                item.owner_arn = None
                if not keep:
                    del cluster.associations[item.id]
        cluster.tell_associations()
        if not keep:
            cluster.plane.remove_addon(addon["addonName"])
        return {"addon": shown | {"status": "DELETING"}}

    def versions(self, request: Request) -> dict[str, Any]:
        """The catalogue."""
        params = request.params
        kinds = [
            kind
            for kind in CATALOGUE.values()
            if kind.name == params.get("addonName", kind.name)
            and kind.kind in params.get("types", [kind.kind])
            and kind.publisher in params.get("publishers", [kind.publisher])
            and kind.owner in params.get("owners", [kind.owner])
        ]
        found, more = page(kinds, params)
        kubernetes = params.get("kubernetesVersion")
        return {"addons": [versions_shown(kind, kubernetes) for kind in found], "nextToken": more}

    def configuration(self, request: Request) -> dict[str, Any]:
        """What one version can be configured with, and which service accounts may have associations."""
        kind = kind_of(request.params)
        version = version_of(kind, request.params["addonVersion"])
        return configuration_shown(kind, version, partition_of(request.region))
