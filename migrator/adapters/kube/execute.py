"""Runs a command inside a container, over the API server's exec websocket (subprotocol v4.channel.k8s.io).

Each message begins with its channel: 1 stdout, 2 stderr, 3 the final Status, which alone carries the exit code.
"""

import ssl
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
import websocket

from migrator.adapters.kube.connection import USER_AGENT, KubeConnection
from migrator.adapters.kube.errors import Refusal
from migrator.adapters.kube.paths import path_of
from migrator.model.facts import CommandResult, Pod

LONGEST = 4096  # bytes of output that are kept
TIMED_OUT = 124  # as timeout(1) says it
NOT_STARTED = 126  # as a shell says it
_SUBPROTOCOL = "v4.channel.k8s.io"
_OUTPUT, _STATUS = (1, 2), 3
_HANDSHAKE = 10.0  # seconds


class _Cause(msgspec.Struct, frozen=True):
    reason: str = ""
    message: str = ""


class _Details(msgspec.Struct, frozen=True):
    causes: list[_Cause] | None = None


class _Outcome(msgspec.Struct, frozen=True):
    status: str = ""
    message: str = ""
    details: _Details | None = None


def run_in(
    connection: KubeConnection, pod: Pod, container: str, command: Sequence[str], timeout: float
) -> CommandResult:
    """The command's exit code and output.

    Args:
        connection: the cluster.
        pod: which pod.
        container: which of its containers.
        command: program and arguments; no shell in between.
        timeout: seconds for all of it; afterwards the exit code is 124.

    Raises:
        NotPermitted: the operator may not exec there.
        EnvironmentFault: the connection was lost before the command ended; it is not run twice.
    """
    path = path_of("Pod", pod.namespace, pod.name, "exec")
    query = [("container", container), ("stdout", "true"), ("stderr", "true"), *(("command", part) for part in command)]
    doing = f'running a command in pod "{pod.namespace}/{pod.name}", container "{container}"'
    until = time.monotonic() + timeout
    channel = connection.run(lambda: _opened(connection, path, urlencode(query), timeout), doing=doing)
    try:
        return connection.run(lambda: _heard(channel, until, timeout), doing=doing, worth=lambda _error: False)
    finally:
        channel.close()


def _opened(connection: KubeConnection, path: str, query: str, timeout: float) -> Any:
    """The websocket; a 401 renews the token and asks once more."""
    headers, used = connection.authorised({"User-Agent": USER_AGENT})
    try:
        return _handshake(connection, f"{path}?{query}", headers, timeout)
    except Refusal as error:
        if error.status != 401:
            raise
    connection.auth.renew(used)
    headers, _ = connection.authorised({"User-Agent": USER_AGENT})
    return _handshake(connection, f"{path}?{query}", headers, timeout)


def _handshake(connection: KubeConnection, target: str, headers: dict[str, str], timeout: float) -> Any:
    url = connection.where.endpoint.replace("https://", "wss://", 1) + target
    try:
        return websocket.create_connection(
            url,
            timeout=min(timeout, _HANDSHAKE),
            header=headers,
            subprotocols=[_SUBPROTOCOL],
            sslopt={"context": connection.context},
            suppress_origin=True,
            **_proxied(connection.proxy),
        )
    except websocket.WebSocketBadStatusException as error:
        body = error.resp_body or b""
        raise Refusal("GET", target.partition("?")[0], error.status_code, body) from error
    except ssl.SSLCertVerificationError:
        raise
    except websocket.WebSocketException as error:
        raise ConnectionError(str(error)) from error


def _proxied(proxy: str) -> dict[str, Any]:
    if not proxy:
        return {"http_no_proxy": ["*"]}
    parts = urlsplit(proxy)
    given: dict[str, Any] = {
        "http_proxy_host": parts.hostname,
        "http_proxy_port": parts.port or 80,
        "proxy_type": "http",
        "http_no_proxy": [""],
    }
    if parts.username:
        given["http_proxy_auth"] = (parts.username, parts.password or "")
    return given


def _heard(channel: Any, until: float, timeout: float) -> CommandResult:
    """Listens until the Status comes, the time is up, or the connection is lost (an OSError)."""
    output = bytearray()
    while True:
        left = until - time.monotonic()
        if left <= 0:
            return _late(output, timeout)
        channel.settimeout(left)
        try:
            opcode, data = channel.recv_data()
        except websocket.WebSocketTimeoutException:
            return _late(output, timeout)
        except websocket.WebSocketException as error:
            raise ConnectionError(f"lost before the command ended: {error}") from error
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            raise ConnectionError("closed before the command's exit code came")
        if data and data[0] == _STATUS:
            return _ended(data[1:], output)
        if data and data[0] in _OUTPUT and len(output) <= LONGEST:
            output += data[1:]


def _ended(status: bytes, output: bytearray) -> CommandResult:
    try:
        outcome = msgspec.json.decode(status, type=_Outcome)
    except msgspec.DecodeError as error:
        raise ConnectionError(f"the command's status cannot be read: {error}") from error
    if outcome.status == "Success":
        return CommandResult(exit_code=0, output=_text(output))
    causes = (outcome.details.causes or ()) if outcome.details is not None else ()
    codes = (cause.message for cause in causes if cause.reason == "ExitCode" and cause.message.isdigit())
    code = int(next(codes, NOT_STARTED))
    said = _text(output) if code != NOT_STARTED or output else outcome.message
    return CommandResult(exit_code=code, output=said)


def _late(output: bytearray, timeout: float) -> CommandResult:
    return CommandResult(exit_code=TIMED_OUT, output=f"{_text(output)}\n(not over after {timeout:.0f} s)".lstrip())


def _text(output: bytearray) -> str:
    """The beginning of what it wrote; a mark where it was cut."""
    text = bytes(output[:LONGEST]).decode("utf-8", "replace")
    return text if len(output) <= LONGEST else f"{text}\n(cut)"
