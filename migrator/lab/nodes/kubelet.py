"""The kubelet's HTTPS port: exec over websocket and container logs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from migrator.lab.kubeclient import KubeError
from migrator.lab.listener import Exchange, Listener
from migrator.lab.nodes.channels import ERROR, STDERR, STDOUT, Channels, choose_protocol
from migrator.lab.nodes.commands import run
from migrator.lab.nodes.environment import MissingReferenceError
from migrator.lab.nodes.process import Process
from migrator.lab.podlogs import written

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from migrator.lab.nodes.awscli import AwsCli
    from migrator.lab.nodes.environment import Environments
    from migrator.lab.nodes.files import Files

Json = dict[str, Any]


class Kubelet:
    """Answers for the containers of every pod that `find(namespace, name)` knows."""

    def __init__(
        self,
        find: Callable[[str, str], Json | None],
        environments: Environments,
        files: Files,
        aws: AwsCli,
        tls: ssl.SSLContext,
    ) -> None:
        self._find, self._environments = find, environments
        self._files, self._aws = files, aws
        self._listener = Listener(self._respond, tls)
        self.port = self._listener.port

    def start(self) -> None:
        """Listen."""
        self._listener.start()

    def stop(self) -> None:
        """Stop listening."""
        self._listener.stop()

    def _respond(self, exchange: Exchange) -> None:
        parts = urlsplit(exchange.path)
        words = [unquote(word) for word in parts.path.strip("/").split("/")]
        query = parse_qs(parts.query, keep_blank_values=True)
        if len(words) != 4 or words[0] not in ("exec", "containerLogs"):
            exchange.read_body()
            exchange.refuse(404, "404 page not found")
            return
        pod = self._find(words[1], words[2])
        container = running_container(pod, words[3])
        if pod is None:
            exchange.refuse(404, f'pod "{words[2]}_{words[1]}" not found')
        elif words[0] == "containerLogs":
            exchange.reply(200, _log(pod, words[3], query))
        elif container is None:
            exchange.refuse(500, f'container not found ("{words[3]}")')
        else:
            self._exec(exchange, pod, container, query)

    def _exec(self, exchange: Exchange, pod: Json, container: Json, query: dict[str, list[str]]) -> None:
        protocol = choose_protocol(exchange)
        if protocol is None:
            text = "unable to upgrade: only websockets of v5.channel.k8s.io and v4.channel.k8s.io are served here"
            exchange.refuse(400, text)
            return
        try:
            env = self._environments.of(pod, container)
        except (MissingReferenceError, KubeError) as error:
            exchange.refuse(500, str(error))
            return
        channels = Channels(exchange, protocol)
        process = Process(
            pod=pod,
            container=container,
            env=env,
            read=lambda path: self._files.read(pod, container, path),
            names=lambda path: self._files.names(pod, container, path),
            aws=self._aws,
            stdin=channels.stdin if _asked(query, "input", "stdin") else _no_input,
            out=lambda data: channels.send(STDOUT, data),
            err=lambda data: channels.send(STDERR, data),
            cancelled=channels.gone,
        )
        channels.send(ERROR, json.dumps(status_of(_code(process, query["command"]))).encode())
        channels.finish()


def _code(process: Process, words: list[str]) -> int:
    try:
        return run(process, words)
    except KubeError as error:
        process.complain(f"{words[0]}: {error}")
        return 1


def _no_input() -> bytes:
    return b""


def _asked(query: dict[str, list[str]], *names: str) -> bool:
    return any(query.get(name, ["false"])[0] in ("1", "true") for name in names)


def status_of(code: int) -> Json:
    """The Status that ends an exec."""
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


def running_container(pod: Json | None, name: str) -> Json | None:
    """A container of the pod that runs right now, sidecars included."""
    if pod is None:
        return None
    status = pod.get("status") or {}
    states = [*(status.get("containerStatuses") or []), *(status.get("initContainerStatuses") or [])]
    if not any(one["name"] == name and "running" in one.get("state", {}) for one in states):
        return None
    containers = [*pod["spec"]["containers"], *(pod["spec"].get("initContainers") or [])]
    return next((one for one in containers if one["name"] == name), None)


def _log(pod: Json, name: str, query: dict[str, list[str]]) -> str:
    tail, limit = (int(query[field][0]) if field in query else None for field in ("tailLines", "limitBytes"))
    return written(pod, name, stamped=_asked(query, "timestamps"), tail=tail, limit=limit)
