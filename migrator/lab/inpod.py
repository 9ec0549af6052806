"""Runs a command in a container of a practice cluster, over the exec subresource, as `kubectl exec` does."""

import json
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import websocket

from migrator.lab.record import RunningCluster

_STDOUT, _STDERR, _STATUS = 1, 2, 3


@dataclass(frozen=True)
class Ran:
    """What came of a command."""

    stdout: str
    stderr: str
    code: int


def run_in_pod(cluster: RunningCluster, namespace: str, pod: str, command: Sequence[str]) -> Ran:
    """Runs the command in the pod's first container, with what the container has for its environment.

    Raises:
        websocket.WebSocketException: the API server refused, or the pod is gone.
        OSError: the connection was lost.
    """
    query = [("command", word) for word in command] + [("stdout", "true"), ("stderr", "true")]
    where = f"{cluster.url.replace('https', 'wss')}/api/v1/namespaces/{namespace}/pods/{pod}/exec"
    connection = websocket.create_connection(
        f"{where}?{urlencode(query)}",
        timeout=30,
        header=[f"Authorization: Bearer {cluster.token}"],
        subprotocols=["v4.channel.k8s.io"],
        sslopt={"context": ssl.create_default_context(cadata=cluster.ca_pem)},
    )
    channels = {_STDOUT: b"", _STDERR: b"", _STATUS: b""}
    try:
        while not channels[_STATUS]:
            frame = connection.recv()
            data = frame.encode() if isinstance(frame, str) else frame
            if data:
                channels[data[0]] = channels.get(data[0], b"") + data[1:]
    finally:
        connection.close()
    return Ran(channels[_STDOUT].decode(), channels[_STDERR].decode(), _exit_code(json.loads(channels[_STATUS])))


def _exit_code(status: dict[str, object]) -> int:
    if status.get("status") == "Success":
        return 0
    details = status.get("details")
    causes = details.get("causes", []) if isinstance(details, dict) else []
    return next((int(cause["message"]) for cause in causes if cause.get("reason") == "ExitCode"), -1)
