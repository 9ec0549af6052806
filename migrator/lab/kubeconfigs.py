"""Kubeconfig files: whoever has one acts in a cluster with its token."""

import base64
import json
from collections.abc import Sequence
from typing import Any, NamedTuple


class Access(NamedTuple):
    """A way into a cluster: how it is called, where it is, and whom it takes the caller for."""

    name: str
    url: str
    ca_pem: str
    token: str


def kubeconfig(ways: Sequence[Access]) -> str:
    """The file's text, a context for each, the first being current."""
    document: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": one.name, "cluster": _cluster(one)} for one in ways],
        "users": [{"name": one.name, "user": {"token": one.token}} for one in ways],
        "contexts": [{"name": one.name, "context": {"cluster": one.name, "user": one.name}} for one in ways],
        "current-context": ways[0].name,
    }
    return json.dumps(document, indent=2) + "\n"


def _cluster(one: Access) -> dict[str, str]:
    return {"server": one.url, "certificate-authority-data": base64.b64encode(one.ca_pem.encode()).decode()}
