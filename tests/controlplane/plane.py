"""A real control plane for a session of tests: API server, controllers, nodes, and EKS's own webhook."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from migrator.lab.certs import Authority
from migrator.lab.controlplane.apiserver import RealApiServer
from migrator.lab.controlplane.plane import Manager, programs_at_hand
from migrator.lab.controlplane.settings import MANAGER
from migrator.lab.kubeapi.tokens import User
from migrator.lab.kubeclient import KubeClient

ISSUER = "https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"


@dataclass(frozen=True)
class Plane:
    """What runs; `kube` is the administrator's client."""

    api: RealApiServer
    kube: KubeClient
    authority: Authority


def nobody(_token: str) -> User | None:
    """Knows no token: the static ones and those of ServiceAccounts are all there are."""
    return None


@contextmanager
def open_plane(folder: Path) -> Iterator[Plane]:
    """etcd, kube-apiserver and kube-controller-manager for the block, their files in the folder."""
    at_hand = programs_at_hand()
    assert at_hand.manager is not None
    authority = Authority("real")
    api = RealApiServer(ISSUER, at_hand.servers, folder, authority, nobody)
    with ExitStack() as stack:
        stack.callback(api.stop)
        api.start()
        api.settings.write_kubeconfig("manager", api.url, authority, api.tokens[MANAGER.name])
        manager = Manager(at_hand.manager, api.settings)
        stack.callback(manager.stop)
        manager.start()
        yield Plane(api, stack.enter_context(KubeClient(api.url, api.ca_pem, api.admin_token)), authority)
