"""Kinds a cluster may not have: found by discovery in the best version, listed whole, or said to be unread."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from migrator.adapters.kube.connection import KubeConnection
from migrator.adapters.kube.surroundings import surroundings
from migrator.model.errors import EnvironmentFault
from migrator.model.facts import Unread
from migrator.model.surroundings import RoleUse, S3Volume, Surroundings
from tests.contract.adapters.scripted import Asked, Said, Server
from tests.contract.adapters.support import status

Json = dict[str, Any]
POLICIES = "/apis/networking.k8s.io/v1/networkpolicies"
STORES = "/apis/external-secrets.io/v1beta1/secretstores"
STORE = {
    "metadata": {"namespace": "shop", "name": "store"},
    "spec": {"provider": {"aws": {"auth": {"jwt": {"serviceAccountRef": {"name": "web"}}}}}},
}
FORBIDDEN = 'is forbidden: User "ann" cannot list resource "x" in API group "y" at the cluster scope'


def groups(**versions: list[str]) -> Json:
    """An APIGroupList; the first version of each group is the preferred one, which comes last."""
    listed = [
        {
            "name": name,
            "versions": [{"groupVersion": f"{name}/{one}", "version": one} for one in reversed(found)],
            "preferredVersion": {"groupVersion": f"{name}/{found[0]}", "version": found[0]},
        }
        for name, found in versions.items()
    ]
    return {"kind": "APIGroupList", "groups": listed}


def resources(*names: str) -> Json:
    return {"kind": "APIResourceList", "resources": [{"name": name} for name in names]}


def items(*found: Json, token: str = "") -> Json:
    return {"metadata": {"continue": token} if token else {}, "items": list(found)}


def answering(answers: dict[str, Json | Said]) -> Callable[[Asked], Said]:
    """By path; a list that is not named is empty, anything else is not there."""

    def answer(asked: Asked) -> Said:
        found = answers.get(asked.path, items() if asked.path.rpartition("/")[2].isalpha() else None)
        if isinstance(found, Said):
            return found
        return Said(body=json.dumps(found).encode()) if found is not None else status(404, "NotFound")

    return answer


def read(server: Server, connection: KubeConnection, answers: dict[str, Json | Said], **also: bool) -> Surroundings:
    server.answer = answering({"/apis": groups(), **answers})
    asked = {"volumes": False, "security_groups": False, **also}
    return surroundings(connection, **asked)


ESO: dict[str, Json | Said] = {
    "/apis": groups(**{"apps": ["v1"], "external-secrets.io": ["v1", "v1beta1"]}),
    "/apis/external-secrets.io/v1": resources("clustersecretstores", "clustersecretstores/status"),
    "/apis/external-secrets.io/v1beta1": resources("secretstores", "clustersecretstores"),
    STORES: items(STORE),
}


def test_a_cluster_without_any_costs_two_calls(server: Server, connection: KubeConnection) -> None:
    assert read(server, connection, {}) == Surroundings()
    assert [asked.path for asked in server.asked] == [POLICIES, "/apis"]


def test_each_kind_is_read_in_the_version_that_is_preferred_among_those_that_have_it(
    server: Server, connection: KubeConnection
) -> None:
    found = read(server, connection, ESO)

    assert [str(one.ref) for one in found.things if isinstance(one, RoleUse)] == ["SecretStore store"]
    assert [asked.path for asked in server.asked] == [
        POLICIES,
        "/apis",
        "/apis/external-secrets.io/v1",
        "/apis/external-secrets.io/v1beta1",
        STORES,
        "/apis/external-secrets.io/v1/clustersecretstores",
    ]


def test_calls_grow_with_pages_and_not_with_objects(server: Server, connection: KubeConnection) -> None:
    plain = answering(ESO)

    def answer(asked: Asked) -> Said:
        if asked.path != STORES:
            return plain(asked)
        last = "continue" in asked.query
        page = [{**STORE, "metadata": {"namespace": "shop", "name": f"store-{number}"}} for number in range(500)]
        return Said(body=json.dumps(items(*page, token="" if last else "more")).encode())

    server.answer = answer
    found = surroundings(connection, volumes=False, security_groups=False)
    assert len(found.things) == 1000
    assert Counter(asked.path for asked in server.asked)[STORES] == 2
    assert len(server.asked) == 7


@pytest.mark.parametrize("asked_for", [True, False])
def test_volumes_are_read_when_they_matter(server: Server, connection: KubeConnection, asked_for: bool) -> None:
    csi = {"driver": "s3.csi.aws.com", "volumeAttributes": {"authenticationSource": "pod"}}
    volumes = [
        {"metadata": {"name": "bucket"}, "spec": {"csi": csi, "claimRef": {"namespace": "shop", "name": "data"}}},
        {"metadata": {"name": "unbound"}, "spec": {"csi": csi}},
        {"metadata": {"name": "disk"}, "spec": {"csi": {"driver": "ebs.csi.aws.com"}, "claimRef": {"name": "data"}}},
    ]
    found = read(server, connection, {"/api/v1/persistentvolumes": items(*volumes)}, volumes=asked_for)

    seen = [(one.namespace, one.claim, one.source) for one in found.things if isinstance(one, S3Volume)]
    assert seen == ([("shop", "data", "pod")] if asked_for else [])


def test_what_may_not_be_listed_is_said_once_for_each_group(server: Server, connection: KubeConnection) -> None:
    closed = status(403, "Forbidden", FORBIDDEN)
    answers = {**ESO, STORES: closed, "/apis/external-secrets.io/v1/clustersecretstores": closed, POLICIES: closed}
    found = read(server, connection, answers)

    why = "the operator has no permission to list them"
    assert found.unread == (
        Unread(what="clustersecretstores, secretstores of external-secrets.io", why=why),
        Unread(what="networkpolicies of networking.k8s.io", why=why),
    )


def test_discovery_that_is_not_permitted_is_said(server: Server, connection: KubeConnection) -> None:
    said = 'forbidden: User "ann" cannot get path "/apis"'
    found = read(server, connection, {"/apis": status(403, "Forbidden", said)})

    [unread] = found.unread
    assert unread.what == "what API groups there are"
    assert "discovery" in unread.why


def test_an_object_of_another_form_is_said_and_the_others_count(server: Server, connection: KubeConnection) -> None:
    odd = {"metadata": {"namespace": "shop", "name": "odd"}, "spec": {"provider": {"aws": "of course"}}}
    found = read(server, connection, {**ESO, STORES: items(odd, STORE)})

    assert [one.ref.name for one in found.things] == ["store"]
    [unread] = found.unread
    assert unread.what == "SecretStore shop/odd"
    assert "$.spec.provider.aws" in unread.why


def test_a_kind_that_goes_meanwhile_has_no_objects(server: Server, connection: KubeConnection) -> None:
    assert read(server, connection, {**ESO, STORES: status(404, "NotFound")}) == Surroundings()


def test_a_server_in_trouble_is_not_taken_for_an_empty_one(server: Server, connection: KubeConnection) -> None:
    with pytest.raises(EnvironmentFault, match="went on answering 500"):
        read(server, connection, {**ESO, STORES: status(500, "InternalError")})


@pytest.mark.parametrize("closed", [True, False])
def test_cilium_is_there_even_if_its_policies_may_not_be_read(
    server: Server, connection: KubeConnection, closed: bool
) -> None:
    path = "/apis/cilium.io/v2/ciliumnetworkpolicies"
    answers: dict[str, Json | Said] = {
        "/apis": groups(**{"cilium.io": ["v2"]}),
        "/apis/cilium.io/v2": resources("ciliumnetworkpolicies", "ciliumnodes"),
        path: status(403, "Forbidden", FORBIDDEN) if closed else items(),
    }
    found = read(server, connection, answers)

    assert found.cilium
    assert bool(found.unread) == closed
