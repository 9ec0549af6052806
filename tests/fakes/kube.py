"""Kubernetes for tests of what runs on it: an API server, controllers and nodes, and a way to wait for them.

A real server can take the place of ours; it brings its own controllers then, and our nodes serve it.
"""

import base64
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from migrator.lab.controllers import EVERY_KIND, Controllers, argo_kind
from migrator.lab.kubeapi import ApiServer
from migrator.lab.kubeclient import KubeClient, KubeError, path_of, resource_path
from migrator.lab.nodes import NodeAgent, NodeSpec, PodAws

Json = dict[str, Any]
NOWHERE = PodAws("http://127.0.0.1:9", "111111111111", "us-east-1", "practice")
ISSUER = "https://oidc.eks.us-east-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
_SERVED, _UNKNOWN = 200, 404
TWO_NODES = (NodeSpec("node-a"), NodeSpec("node-b"))


@dataclass(frozen=True)
class Opened:
    """An API server with a client of it; `server` is None when it is not one of ours."""

    kube: KubeClient
    ca_pem: str
    server: ApiServer | None


@contextmanager
def open_kube(target: Any) -> Iterator[Opened]:
    """The real server that the suite was pointed at, or an empty one of our own."""
    with ExitStack() as stack:
        server, ca_pem = None, target.ca_file.read_text()
        url, token = target.url, target.token
        if target.server is not None:
            server = ApiServer("practice", ISSUER)
            server.start()
            stack.callback(server.stop)
            url, token, ca_pem = server.url, server.admin_token, server.ca_pem
        yield Opened(stack.enter_context(KubeClient(url, ca_pem, token)), ca_pem, server)


@contextmanager
def open_cluster(
    target: Any, nodes: tuple[NodeSpec, ...] = TWO_NODES, aws: PodAws = NOWHERE, *, argo: bool = False, **options: Any
) -> Iterator[Opened]:
    """A server with nodes, and with controllers where it is ours; `argo` installs Argo Rollouts, ours in any case."""
    with open_kube(target) as opened, ExitStack() as stack:
        agent = NodeAgent(opened.kube, nodes, aws, **options)
        agent.start()
        stack.callback(_remove_nodes, opened.kube, nodes)
        stack.callback(agent.stop)
        if argo:
            _install_argo(opened.kube)
            stack.callback(_remove_argo, opened.kube)
        if opened.server is not None or argo:
            ours = EVERY_KIND if opened.server is not None else ("rollouts",)
            controllers = Controllers(opened.kube, with_argo=argo, only=ours)
            controllers.start()
            stack.callback(controllers.stop)
        yield opened


def _install_argo(kube: KubeClient) -> None:
    """The kind of Argo Rollouts; returns once it is served."""
    kube.create_object(argo_kind.definition())
    _until(lambda: _rollouts(kube) == _SERVED, "Rollouts are not served")


def _remove_argo(kube: KubeClient) -> None:
    """Takes the kind away again, as other tests on this server begin without it."""
    kube.delete(path_of(argo_kind.definition()))
    _until(lambda: _rollouts(kube) == _UNKNOWN, "Rollouts are still served")


def _rollouts(kube: KubeClient) -> int:
    """The status of a list of all Rollouts: 429 while a real server prepares to serve a kind that is new."""
    try:
        kube.get("/apis/argoproj.io/v1alpha1/rollouts")
    except KubeError as error:
        return error.status
    return _SERVED


def _until(reached: Callable[[], bool], complaint: str, seconds: float = 30.0) -> None:
    give_up = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < give_up, complaint
        time.sleep(0.05)


def _remove_nodes(kube: KubeClient, nodes: tuple[NodeSpec, ...]) -> None:
    for node in nodes:
        kube.delete(resource_path("v1", "nodes", None, node.name))


def add_namespace(kube: KubeClient, name: str) -> str:
    """A namespace, made, once its default ServiceAccount has come."""
    kube.create_object({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    path = resource_path("v1", "serviceaccounts", name, "default")
    _until(lambda: kube.find(path) is not None, f"{path} did not come")
    return name


def wait_for(kube: KubeClient, path: str, wanted: Callable[[Json], Any], seconds: float = 15.0) -> Json:
    """Read a path until what it gives is as wanted."""
    until = time.monotonic() + seconds
    while True:
        document = kube.get(path)
        if wanted(document):
            return document
        assert time.monotonic() < until, f"{path} did not become as wanted: {document.get('status', document)}"
        time.sleep(0.02)


@dataclass(frozen=True)
class Kubectl:
    """Runs kubectl against a server."""

    program: str
    folder: Path
    opened: Opened

    def __call__(self, *words: str, code: int = 0, stdin: str | None = None) -> str:
        """What kubectl prints."""
        done = self.run(*words, stdin=stdin)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def run(self, *words: str, stdin: str | None = None) -> "subprocess.CompletedProcess[str]":
        """How kubectl ends."""
        config = self.folder / "kubeconfig"
        if not config.exists():
            config.write_text(kubeconfig(self.opened))
        command = [self.program, "--kubeconfig", str(config), "--cache-dir", str(self.folder / "cache"), *words]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60, check=False)


def kubeconfig(opened: Opened) -> str:
    """A kubeconfig for a server."""
    authority = base64.b64encode(opened.ca_pem.encode()).decode()
    cluster = {"server": opened.kube.url, "certificate-authority-data": authority}
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "lab",
            "clusters": [{"name": "lab", "cluster": cluster}],
            "users": [{"name": "admin", "user": {"token": opened.kube.token}}],
            "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "admin"}}],
        }
    )
