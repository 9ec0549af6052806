"""Runs a command inside a container, over the API server's exec websocket (subprotocol v4.channel.k8s.io).

Each message begins with its channel: 1 stdout, 2 stderr, 3 the final Status, which alone carries the exit code.
The command starts with the upgrade, so that only the way to the server is tried again: never the request itself, unless
the server refused the token.
"""

import http.client
import re
import socket
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import SplitResult, unquote, urlencode, urlsplit

import msgspec
import websocket
from urllib3.util import make_headers

from migrator.adapters.kube.connection import USER_AGENT, KubeConnection
from migrator.adapters.kube.decoders import decoder
from migrator.adapters.kube.errors import Refusal
from migrator.adapters.kube.paths import path_of
from migrator.model.errors import EnvironmentFault, Rejected
from migrator.model.facts import CommandResult, Pod

LONGEST = 4096  # bytes of output that are kept
TIMED_OUT = 124  # as timeout(1) says it
NOT_STARTED = 126  # as a shell says it
_SUBPROTOCOL = "v4.channel.k8s.io"
_OUTPUT, _STATUS = (1, 2), 3
_HANDSHAKE = 10.0  # seconds
_GONE = re.compile(  # what API server, kubelet and container runtimes say of a pod or a container that is no more
    r"container not found|pod does not exist|no running task found|not created or running|CONTAINER_EXITED"
)
_OTHER_POD = "is not valid for pod"  # no such container: it was in the pod that had the name a moment ago


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
        Rejected: reason `NotFound`: the pod or the container is gone.
        EnvironmentFault: the connection was lost before the command ended; it is not run twice.
    """
    path = path_of("Pod", pod.namespace, pod.name, "exec")
    query = [("container", container), ("stdout", "true"), ("stderr", "true"), *(("command", part) for part in command)]
    doing = f'running a command in pod "{pod.namespace}/{pod.name}", container "{container}"'
    until = time.monotonic() + timeout

    def asked() -> CommandResult:
        channel = _opened(connection, f"{path}?{urlencode(query)}", min(timeout, _HANDSHAKE), doing)
        try:
            return _heard(channel, until, timeout)
        finally:
            channel.close()

    try:
        return connection.run(asked, doing=doing, worth=lambda _error: False)
    except (EnvironmentFault, _NotThere) as error:
        said = _gone(error, pod, container)
        if not said:
            raise
        raise Rejected(said, reason="NotFound", doing=f'cluster "{connection.where.cluster}": {doing}') from error


class _NotThere(Exception):
    """The Status says that the container is gone; nothing ran."""


def _gone(error: Exception, pod: Pod, container: str) -> str:
    """What was said of a pod, or of a container that it had when it was read, that is no more; empty otherwise."""
    if isinstance(error, _NotThere):
        return str(error)
    cause = error.__cause__
    if not isinstance(cause, Refusal):
        return ""
    had = any(one.name == container for one in pod.spec.containers)
    gone = cause.status == 404 or _GONE.search(cause.message) or (had and _OTHER_POD in cause.message)
    return (cause.message or "it is gone") if gone else ""


def _opened(connection: KubeConnection, target: str, timeout: float, doing: str) -> Any:
    """The websocket; a 401 renews the token and asks once more."""
    headers, used = connection.authorised({"User-Agent": USER_AGENT})
    try:
        return _handshake(connection, _line(connection, timeout, doing), target, headers, timeout)
    except Refusal as error:
        if error.status != 401:
            raise
    connection.auth.renew(used)
    headers, _ = connection.authorised({"User-Agent": USER_AGENT})
    return _handshake(connection, _line(connection, timeout, doing), target, headers, timeout)


def _line(connection: KubeConnection, timeout: float, doing: str) -> socket.socket:
    """A TLS connection to the API server on which nothing is asked yet: this may be tried again."""
    return connection.run(lambda: _connected(connection, timeout), doing=doing)


def _connected(connection: KubeConnection, timeout: float) -> socket.socket:
    """One try, through the proxy if there is one."""
    where, proxy = urlsplit(connection.where.endpoint), urlsplit(connection.proxy)
    host, port = where.hostname or "", where.port or 443
    first = (proxy.hostname or "", proxy.port or 80) if connection.proxy else (host, port)
    opening = http.client.HTTPSConnection(*first, timeout=timeout, context=connection.context)
    if connection.proxy:
        opening.set_tunnel(host, port, headers=_proxy_headers(proxy))
    try:
        opening.connect()
    except http.client.HTTPException as error:
        raise ConnectionError(f"the proxy's answer cannot be read: {error}") from error
    line: socket.socket = opening.sock
    return line


def _proxy_headers(proxy: SplitResult) -> dict[str, str]:
    if not proxy.username:
        return {}
    return make_headers(proxy_basic_auth=f"{unquote(proxy.username)}:{unquote(proxy.password or '')}")


def _handshake(
    connection: KubeConnection, line: socket.socket, target: str, headers: dict[str, str], timeout: float
) -> Any:
    """The upgrade. The command may have begun as soon as this was sent, whatever comes back."""
    connection.count()
    url = connection.where.endpoint.replace("https://", "wss://", 1) + target
    try:
        return websocket.create_connection(
            url,
            timeout=timeout,
            header=headers,
            subprotocols=[_SUBPROTOCOL],
            socket=line,
            suppress_origin=True,
            redirect_limit=0,
        )
    except websocket.WebSocketBadStatusException as error:
        body = error.resp_body or b""
        raise Refusal("GET", target.partition("?")[0], error.status_code, body) from error
    except websocket.WebSocketException as error:
        raise ConnectionError(str(error)) from error


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
        outcome = decoder(_Outcome).decode(status)
    except msgspec.DecodeError as error:
        raise ConnectionError(f"the command's status cannot be read: {error}") from error
    if outcome.status == "Success":
        return CommandResult(exit_code=0, output=_text(output))
    causes = (outcome.details.causes or ()) if outcome.details is not None else ()
    codes = (cause.message for cause in causes if cause.reason == "ExitCode" and cause.message.isdigit())
    code = int(next(codes, NOT_STARTED))
    if code == NOT_STARTED and _GONE.search(outcome.message):
        raise _NotThere(outcome.message)
    said = _text(output) if code != NOT_STARTED or output else outcome.message
    return CommandResult(exit_code=code, output=said)


def _late(output: bytearray, timeout: float) -> CommandResult:
    return CommandResult(exit_code=TIMED_OUT, output=f"{_text(output)}\n(not over after {timeout:.0f} s)".lstrip())


def _text(output: bytearray) -> str:
    """The beginning of what it wrote; a mark where it was cut."""
    text = bytes(output[:LONGEST]).decode("utf-8", "replace")
    return text if len(output) <= LONGEST else f"{text}\n(cut)"
