"""The real API server of one cluster, with the etcd behind it."""

import http.client
import json
import secrets
import ssl
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from migrator.lab.certs import Authority, server_context
from migrator.lab.controlplane import commands
from migrator.lab.controlplane.audit import AuditTrail
from migrator.lab.controlplane.authentication import Authenticator
from migrator.lab.controlplane.children import Child
from migrator.lab.controlplane.ports import free_port, on_free_ports
from migrator.lab.controlplane.settings import STATIC, Settings
from migrator.lab.kubeapi.hooks import Hooks
from migrator.lab.kubeapi.tokens import ADMIN, OWN, User

_READY_SECONDS = 60.0
_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")


@dataclass(frozen=True)
class Servers:
    """The programs of an API server."""

    etcd: Path
    api_server: Path


class RealApiServer:
    """A kube-apiserver on a port of 127.0.0.1; its content goes with the folder.

    Attributes:
        hooks: called on every call of others than the cluster's own parts; they cannot refuse it.
        settings: the folder.
        tokens: the static tokens, by the name of the user.
    """

    def __init__(
        self,
        issuer: str,
        servers: Servers,
        folder: Path,
        authority: Authority,
        authenticate: Callable[[str], User | None],
    ) -> None:
        self._issuer, self._servers, self._authority = issuer, servers, authority
        self.settings = Settings(folder)
        self.hooks = Hooks()
        self.tokens = {user.name: secrets.token_urlsafe(24) for user in STATIC}
        tls = server_context(authority.issue())
        self._authenticator, self._audit = Authenticator(authenticate, tls), AuditTrail(self.hooks, tls)
        self._port = 0
        self._etcd: Child | None = None
        self._server: Child | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"https://127.0.0.1:{self._port}"

    @property
    def ca_pem(self) -> str:
        """The certificate of the authority that signed its own, PEM."""
        return self._authority.ca_pem

    @property
    def admin_token(self) -> str:
        """The token of the kubeconfig's administrator."""
        return self.tokens[ADMIN.name]

    @property
    def own_token(self) -> str:
        """The token of the fleet's own parts."""
        return self.tokens[OWN.name]

    def jwks(self) -> dict[str, Any]:
        """The public keys of the ServiceAccount token issuer."""
        tls = ssl.create_default_context(cadata=self.ca_pem)
        with _asked(f"{self.url}/openid/v1/jwks", tls, self.own_token) as answer:
            keys: dict[str, Any] = json.load(answer)
            return keys

    def start(self) -> None:
        """Starts it and returns when it is ready.

        Raises:
            LabError: it does not start.
        """
        users = {user.name: user for user in STATIC}
        self.settings.write(self._authority, {token: users[name] for name, token in self.tokens.items()})
        self._authenticator.start()
        self._audit.start()
        self.settings.write_kubeconfig("authentication", self._authenticator.url, self._authority)
        self.settings.write_kubeconfig("audit", self._audit.url, self._authority)
        on_free_ports(self._start, self._stop)

    def stop(self) -> None:
        """Stops it, and then what it waits for while it runs."""
        self._stop()
        self._authenticator.stop()
        self._audit.stop()

    def _start(self) -> None:
        etcd_port, self._port = free_port(), free_port()
        self._etcd = self._child(commands.etcd(self._servers.etcd, self.settings, etcd_port))
        self._etcd.start()
        self._etcd.wait_until(lambda: answers(f"http://127.0.0.1:{etcd_port}/health"), _READY_SECONDS)
        self._server = self._child(
            commands.api_server(self._servers.api_server, self.settings, self._port, etcd_port, self._issuer)
        )
        self._server.start()
        self._server.wait_until(self._ready, _READY_SECONDS)

    def _child(self, command: list[str]) -> Child:
        return Child(command, self.settings.log(Path(command[0]).name), kept=True)

    def _stop(self) -> None:
        for child in (self._server, self._etcd):
            if child is not None:
                child.stop()
        self._server = self._etcd = None

    def _ready(self) -> bool:
        """Whether it answers that it is, and what every cluster has is there."""
        tls = ssl.create_default_context(cadata=self.ca_pem)
        paths = ("/readyz", *(f"/api/v1/namespaces/{name}" for name in _NAMESPACES))
        return all(answers(self.url + path, tls, self.own_token) for path in paths)


def _asked(url: str, tls: ssl.SSLContext | None = None, token: str = "") -> Any:
    """The answer to a GET of a server of our own."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    asked = urllib.request.Request(url, headers=headers)  # noqa: S310 - a port of our own
    return urllib.request.urlopen(asked, timeout=5, context=tls)  # noqa: S310 - a port of our own


def answers(url: str, tls: ssl.SSLContext | None = None, token: str = "") -> bool:
    """Whether a GET is answered with success."""
    try:
        with _asked(url, tls, token) as answer:
            return bool(answer.status == 200)
    except (OSError, http.client.HTTPException):
        return False
