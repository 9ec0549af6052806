"""What an API server of long ago left in etcd: none of today's rules were asked about it."""

import base64
import json
import uuid
from typing import Any

import urllib3

from migrator.lab.controlplane.apiserver import RealApiServer
from migrator.lab.kubeclient import plural_of

_FLAG = "--listen-client-urls="


def put(api: RealApiServer, document: dict[str, Any]) -> None:
    """Writes an object of a built-in kind that is of no namespace."""
    meta = {**document["metadata"], "uid": str(uuid.uuid4()), "creationTimestamp": "2020-01-01T00:00:00Z"}
    key = f"/registry/{plural_of(document['kind'])}/{meta['name']}"
    body = {"key": _base64(key), "value": _base64(json.dumps({**document, "metadata": meta}))}
    answer = urllib3.request("POST", f"{_url(api)}/v3/kv/put", json=body)
    assert answer.status == 200, answer.data


def compact(api: RealApiServer) -> None:
    """Forgets all that was before, which etcd does every few minutes."""
    key = _base64("/registry/")
    found = urllib3.request("POST", f"{_url(api)}/v3/kv/range", json={"key": key}).json()
    body = {"revision": found["header"]["revision"], "physical": True}
    answer = urllib3.request("POST", f"{_url(api)}/v3/kv/compaction", json=body)
    assert answer.status == 200, answer.data


def _url(api: RealApiServer) -> str:
    assert api._etcd is not None
    return next(part.removeprefix(_FLAG) for part in api._etcd._command if part.startswith(_FLAG))


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
