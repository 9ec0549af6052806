"""Which nodes have a pod identity agent right now, and where it listens."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from migrator.lab.nodes.identity_agent import IdentityAgent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from migrator.lab.nodes.botoclients import Clients
    from migrator.lab.nodes.specs import NodeSpec, PodAws

Json = dict[str, Any]
NAME_LABEL = "app.kubernetes.io/name"
AGENT = "eks-pod-identity-agent"


class IdentityAgents:
    """An agent per node, alive while a ready agent pod runs there; always, where it is part of the node."""

    def __init__(
        self,
        nodes: Iterable[NodeSpec],
        aws: PodAws,
        clients: Clients,
        pods_on: Callable[[str], Iterable[Json]],
    ) -> None:
        self._aws, self._clients, self._pods_on = aws, clients, pods_on
        self._built_in = frozenset(node.name for node in nodes if node.compute_type == "auto")
        self._running: dict[str, IdentityAgent] = {}
        self._lock = threading.Lock()

    def url(self, node: str) -> str | None:
        """Base URL of a node's agent; None while there is none."""
        with self._lock:
            alive = node in self._built_in or any(_is_agent(pod) for pod in self._pods_on(node))
            agent = self._running.get(node)
            if alive and agent is None:
                agent = self._running[node] = IdentityAgent(self._aws, self._clients)
                agent.start()
            elif agent is not None and not alive:
                self._running.pop(node).stop()
                agent = None
            return agent.url if agent else None

    def look(self, pod: Json) -> None:
        """Start or stop an agent after a change of this pod, if it is one of theirs."""
        node = pod["spec"].get("nodeName")
        if node and _is_labelled(pod):
            self.url(node)

    def stop(self) -> None:
        """Stop every agent."""
        with self._lock:
            agents, self._running = list(self._running.values()), {}
        for agent in agents:
            agent.stop()


def _is_labelled(pod: Json) -> bool:
    return (pod["metadata"].get("labels") or {}).get(NAME_LABEL) == AGENT


def _is_agent(pod: Json) -> bool:
    if not _is_labelled(pod) or "deletionTimestamp" in pod["metadata"]:
        return False
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
