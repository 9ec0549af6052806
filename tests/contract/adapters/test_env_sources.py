"""Key names of ConfigMaps and Secrets over a real socket: what is there, is not there, may not be read; no value."""

import json
import traceback

import pytest

from migrator.adapters.kube.connection import KubeConnection
from migrator.adapters.kube.env_sources import key_names
from migrator.model.errors import EnvironmentFault
from migrator.model.facts import EnvSource, Unread
from tests.contract.adapters.scripted import Asked, Said, Server
from tests.contract.adapters.support import in_turn, status

VALUE = "c2VjcmV0"
SECRET = EnvSource(namespace="shop", source="secret/keys")
CONFIG = EnvSource(namespace="shop", source="configmap/settings")
GONE = EnvSource(namespace="shop", source="configmap/gone")
EMPTY = EnvSource(namespace="shop", source="configmap/empty")
DENIED = 'secrets "keys" is forbidden: User "ann" cannot get resource "secrets" in API group "" in the namespace "shop"'


def test_names_of_what_is_there(server: Server, connection: KubeConnection) -> None:
    def answer(asked: Asked) -> Said:
        kind, name = asked.path.rsplit("/", 2)[1:]
        if name == "gone":
            return status(404, "NotFound")
        data = {"secrets/keys": {"A": VALUE, "B": VALUE}, "configmaps/settings": {"C": "x"}}.get(f"{kind}/{name}")
        return Said(body=json.dumps({"metadata": {"name": name}, "data": data}).encode())

    server.answer = answer
    found = key_names(connection, [SECRET, CONFIG, GONE, EMPTY])

    assert found == {SECRET: {"A", "B"}, CONFIG: {"C"}, GONE: frozenset(), EMPTY: frozenset()}
    assert VALUE not in repr(found)


def test_what_may_not_be_read_is_said(server: Server, connection: KubeConnection) -> None:
    server.answer = in_turn(status(403, "Forbidden", DENIED))
    said = key_names(connection, [SECRET])[SECRET]

    assert said == Unread(
        what='Secret "shop/keys"', why=f'get "secrets" in namespace "shop" is not permitted: {DENIED}'
    )


@pytest.mark.parametrize("body", [f'{{"data": ["{VALUE}"]}}', f'{{"data": {{"A": "{VALUE}"', f'{{"data": "{VALUE}"}}'])
def test_an_answer_that_cannot_be_read_shows_no_value(server: Server, connection: KubeConnection, body: str) -> None:
    server.answer = in_turn(Said(body=body.encode()))
    with pytest.raises(EnvironmentFault, match="cannot be read") as caught:
        key_names(connection, [SECRET])

    assert VALUE not in "".join(traceback.format_exception(caught.value))
