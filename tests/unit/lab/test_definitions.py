"""Custom resource definitions of the practice fleet's own API server, event by event."""

from typing import Any

import pytest

from migrator.lab.kubeapi.cluster import Cluster
from migrator.lab.kubeapi.delete_options import Options
from migrator.lab.kubeapi.kinds import DEFINITION
from migrator.lab.kubeapi.storage import Event

NAME, KEY = "gadgets.example.com", ("example.com", "gadgets")


@pytest.fixture
def cluster() -> Cluster:
    """Not started: nobody follows its changes but the test."""
    made = Cluster("main", "https://issuer.example.com", "", {}, None)
    version = {"name": "v1", "served": True, "storage": True}
    names = {"plural": "gadgets", "kind": "Gadget"}
    spec = {"group": "example.com", "scope": "Namespaced", "names": names, "versions": [version]}
    written = {"metadata": {"name": NAME}, "spec": spec, "status": {"storedVersions": ["v1"]}}
    made.put_new(DEFINITION, {"kind": "CustomResourceDefinition", **written})
    return made


def told(cluster: Cluster) -> None:
    record = cluster.store.get(DEFINITION.key, "", NAME)
    assert record is not None
    cluster.definitions.handle(DEFINITION.key, Event("MODIFIED", record.version, ("", NAME), record, None))


def conditions(cluster: Cluster) -> set[str]:
    record = cluster.store.get(DEFINITION.key, "", NAME)
    status: dict[str, Any] = record.obj.get("status", {}) if record else {}
    return {one["type"] for one in status.get("conditions", ())}


def served(cluster: Cluster) -> bool:
    return any(kind.key == KEY for kind in cluster.kinds.all())


def test_its_kind_is_served_once_it_is_established_and_not_before(cluster: Cluster) -> None:
    told(cluster)
    assert (conditions(cluster), served(cluster)) == ({"NamesAccepted", "Established"}, False)
    told(cluster)
    assert served(cluster)


def test_one_that_goes_before_it_was_established_is_gone_and_never_served(cluster: Cluster) -> None:
    cluster.deleter.delete(DEFINITION, ("", NAME), Options())
    if cluster.store.get(DEFINITION.key, "", NAME) is not None:
        told(cluster)
    assert (cluster.store.get(DEFINITION.key, "", NAME), served(cluster)) == (None, False)
