"""What the checks share: the API as bytes on the wire, and small objects to try it with."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import urllib3

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from migrator.lab.kubeapi import ApiServer

Json = dict[str, Any]


@dataclass(frozen=True)
class Target:
    """A Kubernetes API to be checked."""

    url: str
    token: str
    ca_file: Path
    kubeconfig: Path
    server: ApiServer | None


@dataclass(frozen=True)
class Answer:
    """What came back over HTTP."""

    status: int
    headers: Any
    body: Json


class Api:
    """The API as bytes on the wire, without any client library between."""

    def __init__(self, target: Target, token: str | None = None) -> None:
        self.target = target
        self._token = target.token if token is None else token
        self.pool = urllib3.PoolManager(ca_certs=str(target.ca_file), cert_reqs="CERT_REQUIRED", maxsize=4)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        response = self.pool.request(
            method,
            self.target.url + path,
            body=body if body is None or isinstance(body, bytes) else msgspec.json.encode(body),
            headers={
                "Authorization": f"Bearer {self._token}",
                "Accept": "application/json",
                "User-Agent": "contract/1",
                "Content-Type": "application/json",
                **{name.replace("_", "-"): value for name, value in headers.items()},
            },
            retries=False,
            timeout=20,
        )
        text = response.data.strip()
        return Answer(response.status, response.headers, msgspec.json.decode(text) if text[:1] in (b"{", b"[") else {})

    def ok(self, method: str, path: str, body: Any = None, **headers: str) -> Json:
        answer = self.call(method, path, body, **headers)
        assert answer.status < 300, answer.body
        return answer.body

    def patch(self, path: str, body: Any, kind: str = "merge-patch+json") -> Answer:
        return self.call("PATCH", path, body, Content_Type=f"application/{kind}")

    def apply(self, path: str, body: Any, manager: str = "contract", *, force: bool = False) -> Answer:
        query = f"?fieldManager={manager}" + ("&force=true" if force else "")
        return self.call("PATCH", path + query, body, Content_Type="application/apply-patch+yaml")

    def watch(self, path: str) -> Iterator[Json]:
        response = self.pool.request(
            "GET",
            self.target.url + path,
            headers={"Authorization": f"Bearer {self._token}"},
            preload_content=False,
            timeout=20,
        )
        rest = b""
        try:
            assert response.status == 200, response.data
            for chunk in response.stream(65536):
                rest += chunk
                *lines, rest = rest.split(b"\n")
                yield from (msgspec.json.decode(line) for line in lines if line)
        finally:
            response.close()


def eventually(check: Callable[[], Any], seconds: float = 15.0) -> Any:
    """Wait until a check gives something true."""
    give_up = time.monotonic() + seconds
    while True:
        found = check()
        if found or time.monotonic() > give_up:
            assert found, "it did not happen in time"
            return found
        time.sleep(0.05)


def config_map(name: str, **data: str) -> Json:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def pod(name: str, **spec: Any) -> Json:
    container = {"name": "app", "image": "registry.example/app:1"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": [container], **spec},
    }


def deployment(name: str, replicas: int = 1, **container: Any) -> Json:
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "app", "image": "registry.example/app:1", **container}]},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template},
    }
