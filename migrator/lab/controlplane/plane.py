"""The real control plane of one cluster, as the rest of a practice fleet is given it."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from migrator.lab.certs import Authority, ServerCert
from migrator.lab.controllers import Controllers
from migrator.lab.controlplane import commands, programs
from migrator.lab.controlplane.accounts import DefaultAccounts
from migrator.lab.controlplane.apiserver import RealApiServer, Servers, answers
from migrator.lab.controlplane.children import Child
from migrator.lab.controlplane.ports import free_port, on_free_ports
from migrator.lab.controlplane.programs import Program, Tell
from migrator.lab.controlplane.settings import MANAGER, WEBHOOK, Settings
from migrator.lab.controlplane.webhook import RealWebhook
from migrator.lab.kubeclient import KubeClient
from migrator.lab.planes import Api, Authenticate, Part, Webhook
from migrator.lab.webhook.server import PodIdentityWebhook
from migrator.lab.webhook.settings import Flags
from migrator.lab.world.model import Cluster

_READY_SECONDS = 30.0


@dataclass(frozen=True)
class Programs:
    """Where the programs are; what is None, the practice fleet's own part stands in for."""

    servers: Servers
    manager: Path | None
    webhook: Path | None


def programs_at_hand(tell: Tell = programs.say) -> Programs:
    """Every program, built if need be. etcd and kube-apiserver must be there; for the others, ours stand in.

    Raises:
        LabError: etcd or kube-apiserver is missing and cannot be built, or a build failed.
    """
    servers = Servers(programs.have(programs.ETCD, tell), programs.have(programs.API_SERVER, tell))
    return Programs(servers, _if_any(programs.MANAGER, tell), _if_any(programs.WEBHOOK, tell))


def _if_any(program: Program, tell: Tell) -> Path | None:
    if programs.find(program) is None and not programs.can_build():
        tell(f"{program.name} is not here, the practice fleet's own part stands in; {programs.how_to_get(program)}")
        return None
    return programs.have(program, tell)


class RealPlane:
    """One real API server; it refuses nobody because a fault says so, and one instance is all there is."""

    obeys = False

    def __init__(self, at_hand: Programs, folder: Path) -> None:
        self._programs = at_hand
        self._settings = Settings(folder)
        self._authority: Authority | None = None
        self._api: RealApiServer | None = None

    def api(self, spec: Cluster, authority: Authority, authenticate: Authenticate) -> Api:
        """kube-apiserver, and its etcd."""
        self._api = RealApiServer(spec.issuer, self._programs.servers, self._settings.folder, authority, authenticate)
        self._authority = authority
        return self._api

    def controllers(self, kube: KubeClient, spec: Cluster) -> Part:
        """kube-controller-manager; Argo Rollouts, where the world has any, are ours."""
        if self._programs.manager is None:
            return Together(DefaultAccounts(kube), Controllers(kube, with_argo=spec.argo))
        self._admit("manager", MANAGER.name)
        manager = Manager(self._programs.manager, self._settings)
        return Together(manager, Controllers(kube, only=("rollouts",), with_argo=True)) if spec.argo else manager

    def webhook(self, kube: KubeClient, flags: Flags, associations: Sequence[Path], cert: ServerCert) -> Webhook:
        """EKS's own webhook."""
        if self._programs.webhook is None:
            return PodIdentityWebhook(kube, flags, associations, cert)
        self._admit("webhook", WEBHOOK.name)
        return RealWebhook(self._programs.webhook, self._settings, flags, associations, cert)

    def _admit(self, name: str, user: str) -> None:
        """Writes the kubeconfig of one of the programs."""
        if self._api is None or self._authority is None:
            raise RuntimeError("there is no API server yet")
        self._settings.write_kubeconfig(name, self._api.url, self._authority, self._api.tokens[user])


class Together:
    """Several parts as one."""

    def __init__(self, *parts: Part) -> None:
        self._parts = parts

    def start(self) -> None:
        """Starts them in this order."""
        for part in self._parts:
            part.start()

    def stop(self) -> None:
        """Stops them, the last first."""
        for part in reversed(self._parts):
            part.stop()


class Manager:
    """kube-controller-manager."""

    def __init__(self, program: Path, settings: Settings) -> None:
        self._program, self._settings = program, settings
        self._child: Child | None = None

    def start(self) -> None:
        """Starts it.

        Raises:
            LabError: it does not start.
        """
        on_free_ports(self._start, self.stop)

    def stop(self) -> None:
        """Stops it."""
        if self._child is not None:
            self._child.stop()
        self._child = None

    def _start(self) -> None:
        port = free_port()
        tls = ssl.create_default_context(cafile=str(self._settings.ca))
        command = commands.manager(self._program, self._settings, port)
        self._child = Child(command, self._settings.log(self._program.name), kept=True)
        self._child.start()
        self._child.wait_until(lambda: answers(f"https://127.0.0.1:{port}/healthz", tls), _READY_SECONDS)
