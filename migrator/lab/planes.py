"""What a practice cluster is built on: an API server, controllers and a webhook; ours, unless it is to be real ones."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from migrator.lab.certs import Authority, ServerCert
from migrator.lab.controllers import Controllers
from migrator.lab.kubeapi.hooks import Hooks
from migrator.lab.kubeapi.server import ApiServer
from migrator.lab.kubeapi.tokens import User
from migrator.lab.kubeclient import KubeClient
from migrator.lab.webhook.server import Lapses, PodIdentityWebhook
from migrator.lab.webhook.settings import Flags
from migrator.lab.world.model import Cluster

Authenticate = Callable[[str], User | None]


class Part(Protocol):
    """Something that runs from `start()` to `stop()`."""

    def start(self) -> None:
        """Returns when it runs."""

    def stop(self) -> None:
        """Returns when it does not."""


class Api(Part, Protocol):
    """The API server of one cluster."""

    @property
    def hooks(self) -> Hooks:
        """What is called on every call of others than the fleet's own parts."""

    @property
    def url(self) -> str:
        """Where it listens."""

    @property
    def ca_pem(self) -> str:
        """The authority that signed its certificate, PEM."""

    @property
    def admin_token(self) -> str:
        """The token of the kubeconfig's administrator."""

    @property
    def own_token(self) -> str:
        """The token of the fleet's own parts."""

    def jwks(self) -> dict[str, Any]:
        """The public keys of its ServiceAccount tokens."""


class Webhook(Part, Protocol):
    """The pod identity webhook of one cluster; `lapses` are what it gets wrong."""

    lapses: Lapses
    url: str


class Plane(Protocol):
    """Makes the parts of one cluster's control plane, in this order, each when the one before it runs.

    Attributes:
        obeys: whether its API server refuses and drops the calls that faults tell it to.
    """

    obeys: bool

    def api(self, spec: Cluster, authority: Authority, authenticate: Authenticate) -> Api:
        """An API server that asks `authenticate` about tokens it does not know."""

    def controllers(self, kube: KubeClient, spec: Cluster) -> Part:
        """The controllers of the built-in kinds, and of Argo Rollouts where the world has any."""

    def webhook(self, kube: KubeClient, flags: Flags, associations: Sequence[Path], cert: ServerCert) -> Webhook:
        """A webhook that reads these association files, one for each instance of the API server."""


class PracticePlane:
    """The practice fleet's own, in this process."""

    obeys = True

    def api(self, spec: Cluster, authority: Authority, authenticate: Authenticate) -> Api:
        """Our API server, in as many instances as the world says."""
        return ApiServer(
            spec.alias,
            spec.issuer,
            authenticate,
            authority=authority,
            version=spec.version,
            instances=spec.api_servers,
        )

    def controllers(self, kube: KubeClient, spec: Cluster) -> Part:
        """Our controllers."""
        return Controllers(kube, with_argo=spec.argo)

    def webhook(self, kube: KubeClient, flags: Flags, associations: Sequence[Path], cert: ServerCert) -> Webhook:
        """Our webhook."""
        return PodIdentityWebhook(kube, flags, associations, cert)
