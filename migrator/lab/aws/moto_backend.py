"""moto, behind the front, in this process: requests are handed to it as WSGI, with the account named by a header.

moto keeps its state in module globals, so one process holds one world at a time: `claim` empties it and refuses a
second owner.
"""

from __future__ import annotations

import io
import os
import threading
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from moto.core.base_backend import BackendDict
from moto.dynamodb.models import dynamodb_backends
from moto.moto_server.werkzeug_app import create_backend_app

from migrator.lab.aws.errors import ApiError, not_served
from migrator.lab.aws.models import GUARDED, partition_of
from migrator.lab.aws.moto_tables import quicken
from migrator.lab.aws.wire import HttpAnswer, HttpRequest, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_PROFILE = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")
_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "server", "date"}


@cache
def _application(service: str) -> Any:
    make: Callable[[Any], Any] = create_backend_app
    return make(service)


@cache
def _know_regions() -> None:
    """Lets moto learn the Regions once, without the user's profile: one that does not exist would break it later."""
    saved = {name: os.environ.pop(name) for name in _PROFILE if name in os.environ}
    try:
        dynamodb_backends["000000000000"]["us-east-1"]
    finally:
        os.environ.update(saved)


class _Claim:
    """Who owns moto's globals."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner: object | None = None

    def take(self, owner: object) -> None:
        with self._lock:
            if self._owner is not None and self._owner is not owner:
                raise RuntimeError("another AWS front is alive in this process: stop it first, moto's state is shared")
            self._owner = owner

    def drop(self, owner: object) -> None:
        with self._lock:
            if self._owner is owner:
                self._owner = None


_CLAIM = _Claim()


class MotoBackend:
    """moto's services; one call per service at a time, as moto tests a condition and stores apart."""

    SERVICES = ("iam", "dynamodb", "s3", *GUARDED)

    def __init__(self) -> None:
        self._locks = {service: threading.RLock() for service in self.SERVICES}
        _CLAIM.take(self)
        _know_regions()
        quicken()
        BackendDict.reset()

    def close(self) -> None:
        """Lets go of moto's globals, and forgets the world in them."""
        BackendDict.reset()
        _CLAIM.drop(self)

    def lock(self, service: str) -> threading.RLock:
        """The lock under which a service's state may be touched."""
        return self._locks[service]

    def forward(self, request: Request) -> HttpAnswer:
        """Lets moto answer a request.

        Raises:
            ApiError: 501 when moto has no such operation.
        """
        captured: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], _exc: Any = None) -> None:
            captured.append((status, headers))

        application = _application(request.service)
        with self._locks[request.service]:
            try:
                chunks: Iterable[bytes] = application(_environ(request), start_response)
                body = b"".join(chunks)
            except NotImplementedError as missing:
                raise not_served(request.service, request.action) from missing
        return _answer(captured[-1], body, request)


def _answer(start: tuple[str, list[tuple[str, str]]], body: bytes, request: Request) -> HttpAnswer:
    status, headers = int(start[0].split()[0]), start[1]
    if status == 501 or (status == 500 and b"NotImplemented" in body):
        raise not_served(request.service, request.action)
    if status == 404 and body.startswith(b"<!doctype html>"):
        raise ApiError("UnknownOperationException", f"no route for {request.http.path}", 404)
    kept = {name.lower(): value for name, value in headers if name.lower() not in _HOP}
    for name in [name for name in kept if name.startswith("access-control-")]:
        del kept[name]
    if request.http.method == "HEAD":
        length = next((value for name, value in headers if name.lower() == "content-length"), None)
        if length is not None:
            kept["content-length"] = length
    kept.setdefault("x-amzn-requestid", request.id)
    return HttpAnswer(status, kept, body)


def _environ(request: Request) -> dict[str, Any]:
    http: HttpRequest = request.http
    environ: dict[str, Any] = {
        "REQUEST_METHOD": http.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": _wsgi_text(http.path),
        "RAW_URI": http.path + (f"?{http.query}" if http.query else ""),
        "REQUEST_URI": http.path + (f"?{http.query}" if http.query else ""),
        "QUERY_STRING": http.query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(http.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "CONTENT_LENGTH": str(len(http.body)),
        "CONTENT_TYPE": http.headers.get("content-type", ""),
    }
    for name, value in http.headers.items():
        if name not in ("content-type", "content-length", "transfer-encoding", "host", "user-agent"):
            environ["HTTP_" + name.upper().replace("-", "_")] = value
    suffix = "amazonaws.com.cn" if partition_of(request.region) == "aws-cn" else "amazonaws.com"
    environ["HTTP_HOST"] = f"{request.service}.{request.region}.{suffix}"
    environ["HTTP_USER_AGENT"] = "practice-fleet"
    environ["HTTP_X_MOTO_ACCOUNT_ID"] = request.account
    return environ


def _wsgi_text(path: str) -> str:
    """PATH_INFO as WSGI wants it: decoded bytes shown as latin-1."""
    return unquote_to_bytes(path).decode("latin-1")
