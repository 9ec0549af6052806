"""The node agent: registers nodes, schedules, runs pods in appearance, and serves their kubelet port."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from migrator.lab.certs import Authority, ServerCert, server_context
from migrator.lab.informer import Informer
from migrator.lab.kubeclient import KubeError, resource_path
from migrator.lab.nodes.agents import IdentityAgents
from migrator.lab.nodes.awscli import AwsCli
from migrator.lab.nodes.botoclients import Clients
from migrator.lab.nodes.environment import Environments, MissingReferenceError
from migrator.lab.nodes.files import Files
from migrator.lab.nodes.kubelet import Kubelet
from migrator.lab.nodes.lifecycle import Lifecycle, now_text
from migrator.lab.nodes.process import Process
from migrator.lab.nodes.scheduler import Scheduler
from migrator.lab.nodes.specs import NodeSpec, PodAws, node_object, node_status
from migrator.lab.nodes.tokens import Tokens
from migrator.lab.workqueue import Task, WorkQueue

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from migrator.lab.kubeclient import KubeClient

Json = dict[str, Any]
_LOG = logging.getLogger(__name__)


def _node_name(pod: Json) -> Iterable[str]:
    return (pod["spec"]["nodeName"],) if pod["spec"].get("nodeName") else ()


class NodeAgent:
    """All nodes of one cluster, behind one kubelet port."""

    def __init__(
        self,
        kube: KubeClient,
        nodes: Sequence[NodeSpec],
        aws: PodAws,
        *,
        cert: ServerCert | None = None,
        delay: float = 0.05,
        backoff: float = 1.0,
        version: str = "v1.33.0-eks-practice",
    ) -> None:
        self._kube, self._specs, self._version = kube, {node.name: node for node in nodes}, version
        self._queue = WorkQueue()
        self._pods = Informer(kube, resource_path("v1", "pods"), self._pod_changed, _node_name)
        self._nodes = Informer(kube, resource_path("v1", "nodes"), self._node_changed)
        clients = Clients(aws.endpoint)
        self._environments, self._tokens = Environments(kube), Tokens(kube)
        self.agents = IdentityAgents(nodes, aws, clients, self._pods.having)
        self._lifecycle = Lifecycle(
            kube,
            self._specs,
            Scheduler(kube, self._own_nodes, lambda name: len(self._pods.having(name))),
            self._environments,
            delay=delay,
            backoff=backoff,
        )
        self._files, self._aws = Files(kube, self._tokens), AwsCli(clients, self.agents)
        self._kubelet = Kubelet(
            self._pod_now,
            self._environments,
            self._files,
            self._aws,
            server_context(cert or Authority("nodes").issue()),
        )
        self._thread = threading.Thread(target=self._work, daemon=True, name="nodes")

    @property
    def port(self) -> int:
        """The kubelet port of every node."""
        return self._kubelet.port

    @property
    def lifecycle(self) -> Lifecycle:
        """What moves the pods along."""
        return self._lifecycle

    def aws(self, pod: Json, container: Json, words: list[str]) -> tuple[int, str, str]:
        """What `aws WORDS` in a container comes to: exit code, standard output, standard error."""
        said: tuple[list[bytes], list[bytes]] = ([], [])
        try:
            env = self._environments.of(pod, container)
        except MissingReferenceError as error:
            return 1, "", str(error)
        process = Process(
            pod=pod,
            container=container,
            env=env,
            read=lambda path: self._files.read(pod, container, path),
            names=lambda path: self._files.names(pod, container, path),
            aws=self._aws,
            stdin=lambda: b"",
            out=said[0].append,
            err=said[1].append,
        )
        try:
            code = self._aws(process, words)
        except KubeError as error:
            return 1, "", str(error)
        return code, b"".join(said[0]).decode(), b"".join(said[1]).decode()

    def look_again(self) -> None:
        """Look at every pod anew: something beside the pods themselves has changed."""
        for pod in self._pods.all():
            self._queue.add(Task("pods", pod["metadata"]["namespace"], pod["metadata"]["name"]))

    def start(self) -> None:
        """Register the nodes and take on their pods."""
        self._kubelet.start()
        for spec in self._specs.values():
            self._register(spec)
        self._nodes.start()
        self._nodes.wait_synced()
        self._pods.start()
        self._pods.wait_synced()
        self._thread.start()

    def stop(self) -> None:
        """Let go of everything; the Node objects stay."""
        self._queue.close()
        if self._thread.is_alive():
            self._thread.join(5)
        self._pods.stop()
        self._nodes.stop()
        self._kubelet.stop()
        self.agents.stop()

    def _pod_now(self, namespace: str, name: str) -> Json | None:
        """The pod as the API server has it: the copy here may be behind what whoever asks has seen."""
        return self._kube.find(resource_path("v1", "pods", namespace, name))

    def _register(self, spec: NodeSpec) -> None:
        document = node_object(spec, self.port, self._version, now_text())
        path = resource_path("v1", "nodes")
        try:
            self._kube.create(path, document)
        except KubeError as error:
            if error.reason != "AlreadyExists":
                raise
            self._kube.patch(f"{path}/{spec.name}", {"metadata": document["metadata"], "spec": document["spec"]})
        status = node_status(spec, self.port, self._version, now_text())
        self._kube.patch(f"{path}/{spec.name}/status", {"status": status})

    def _own_nodes(self) -> list[Json]:
        return [node for node in self._nodes.all() if node["metadata"]["name"] in self._specs]

    def _pod_changed(self, pod: Json, gone: bool) -> None:
        if gone:
            self._lifecycle.forget(pod)
            self._tokens.forget(pod["metadata"]["uid"])
        else:
            self._queue.add(Task("pods", pod["metadata"]["namespace"], pod["metadata"]["name"]))
        self.agents.look(pod)

    def _node_changed(self, _node: Json, _gone: bool) -> None:
        """A node came, went or changed: pods that fitted nowhere are looked at again."""
        for pod in self._pods.all():
            if not pod["spec"].get("nodeName"):
                self._queue.add(Task("pods", pod["metadata"]["namespace"], pod["metadata"]["name"]))

    def _work(self) -> None:
        self._queue.work_off(self._reconcile)

    def _reconcile(self, task: Task) -> float | None:
        pod = self._pods.get(task.namespace, task.name)
        return self._lifecycle.reconcile(pod) if pod is not None else None
