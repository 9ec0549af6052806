"""Puts a world's Kubernetes objects into a cluster through its public API."""

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

from migrator.lab.kubeclient import KubeClient, KubeError
from migrator.lab.world.errors import SeedError
from migrator.lab.world.model import Cluster, Json, Placed

_APPLY = "application/apply-patch+yaml"
_DEFINITION = "CustomResourceDefinition"
_PATIENCE, _PAUSE = 30.0, 0.02  # seconds
_GIVEN_BY_THE_SERVER = {("ServiceAccount", "default"), ("Namespace", "default"), ("Namespace", "kube-system")}


class KubeSeeder:
    """Seeds one cluster; kinds it does not know are looked up in the server's discovery."""

    def __init__(self, kube: KubeClient, cluster: Cluster) -> None:
        self._kube = kube
        self._cluster = cluster
        self._known: dict[tuple[str, str], Json] = {}

    def objects(self) -> None:
        """Makes everything but the workloads, in order.

        Raises:
            SeedError: the cluster refuses an object.
        """
        for placed in self._cluster.objects:
            self._create(placed)

    def workloads(self) -> None:
        """Makes the workloads, several at a time.

        Raises:
            SeedError: the cluster refuses one.
        """
        with ThreadPoolExecutor(max_workers=4) as pool:
            for _done in pool.map(self._create, self._cluster.workloads):
                pass

    def _create(self, placed: Placed) -> None:
        try:
            if placed.applied:
                self._apply(placed)
            else:
                self._create_or_replace(placed)
            if placed.document["kind"] == _DEFINITION:
                self._wait_for(placed.document["spec"])
        except KubeError as error:
            raise SeedError(placed.at, error.message) from error

    def _apply(self, placed: Placed) -> None:
        name = quote(placed.document["metadata"]["name"], safe="")
        path = f"{self._collection(placed.document)}/{name}"
        self._kube.patch(path, placed.document, _APPLY, fieldManager=placed.manager)

    def _create_or_replace(self, placed: Placed) -> None:
        document = placed.document
        path, by = self._collection(document), {"fieldManager": placed.manager} if placed.manager else {}
        try:
            self._kube.create(path, document, **by)
        except KubeError as error:
            kind, name = document["kind"], document["metadata"]["name"]
            made_by_server = (kind, name) in _GIVEN_BY_THE_SERVER or kind == "Namespace"
            if error.reason != "AlreadyExists" or not made_by_server:
                raise
            self._kube.patch(f"{path}/{quote(name, safe='')}", document, **by)

    def _wait_for(self, defined: Json) -> None:
        """Returns once what a definition defines is served, which comes a moment after it.

        Raises:
            KubeError: it is not served in time.
        """
        until = time.monotonic() + _PATIENCE
        wanted = {f"{defined['group']}/{one['name']}" for one in defined["versions"] if one.get("served", True)}
        while not all(self._is_served(version, defined["names"]["kind"]) for version in wanted):
            if time.monotonic() > until:
                raise KubeError(404, "NotFound", f"{defined['names']['kind']} is not served after {_PATIENCE:.0f} s")
            time.sleep(_PAUSE)

    def _is_served(self, api_version: str, kind: str) -> bool:
        return any(resource["kind"] == kind for resource in self._listed(f"/apis/{api_version}"))

    def _collection(self, document: Json) -> str:
        resource = self._resource(document["apiVersion"], document["kind"])
        version = document["apiVersion"]
        root = f"/api/{version}" if "/" not in version else f"/apis/{version}"
        namespace = document["metadata"].get("namespace", "default")
        scope = f"/namespaces/{quote(namespace, safe='')}" if resource["namespaced"] else ""
        return f"{root}{scope}/{resource['name']}"

    def _resource(self, api_version: str, kind: str) -> Json:
        """What discovery says of a kind; looked up anew when it is not there yet, as a CRD may just have made it."""
        if (api_version, kind) not in self._known:
            root = f"/api/{api_version}" if "/" not in api_version else f"/apis/{api_version}"
            for resource in self._listed(root):
                if "/" not in resource["name"]:
                    self._known[api_version, resource["kind"]] = resource
        found = self._known.get((api_version, kind))
        if found is None:
            raise KubeError(404, "NotFound", f'no matches for kind "{kind}" in version "{api_version}"')
        return found

    def _listed(self, root: str) -> Iterable[Any]:
        try:
            return self._kube.get(root)["resources"]  # type: ignore[no-any-return]  # a list, says the API
        except KubeError as error:
            if error.status != 404:
                raise
            return ()
