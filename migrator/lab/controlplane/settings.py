"""What the programs of a control plane read: certificates, keys, tokens, kubeconfigs, and the policy of the audit."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from migrator.lab.certs import Authority
from migrator.lab.kubeapi.tokens import ADMIN, OWN, User
from migrator.lab.kubeconfigs import Access, kubeconfig
from migrator.lab.record import write_private

MANAGER = User("system:kube-controller-manager", "", ("system:masters",))
WEBHOOK = User("pod-identity-webhook", "", ("system:masters",))
_UNHEARD = (OWN, MANAGER, WEBHOOK, User("system:apiserver"), User("system:anonymous"))


@dataclass(frozen=True)
class Settings:
    """The files in one folder, readable by their owner only."""

    folder: Path

    @property
    def ca(self) -> Path:
        """Certificate of the authority that signed everybody's."""
        return self.folder / "ca.crt"

    @property
    def certificate(self) -> Path:
        """Of every server of the control plane; for 127.0.0.1."""
        return self.folder / "server.crt"

    @property
    def key(self) -> Path:
        """Its private key."""
        return self.folder / "server.key"

    @property
    def account_key(self) -> Path:
        """Signs the tokens of ServiceAccounts."""
        return self.folder / "service-account.key"

    @property
    def tokens(self) -> Path:
        """The static tokens."""
        return self.folder / "tokens.csv"

    @property
    def audit_policy(self) -> Path:
        """Which calls the audit tells of."""
        return self.folder / "audit-policy.json"

    def kubeconfig(self, name: str) -> Path:
        """A kubeconfig by its name."""
        return self.folder / f"{name}.kubeconfig"

    def log(self, name: str) -> Path:
        """Where a program's output goes."""
        return self.folder / f"{name}.log"

    def write(self, authority: Authority, tokens: dict[str, User]) -> None:
        """Writes what does not depend on ports."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        mine = authority.issue()
        write_private(self.ca, authority.ca_pem)
        write_private(self.certificate, mine.cert_pem)
        write_private(self.key, mine.key_pem)
        write_private(self.account_key, _rsa_key())
        lines = [f'{token},{user.name},{user.name},"system:masters"' for token, user in tokens.items()]
        write_private(self.tokens, "\n".join(lines) + "\n")
        write_private(self.audit_policy, json.dumps(_policy()))

    def write_kubeconfig(self, name: str, url: str, authority: Authority, token: str = "unused") -> None:
        """A kubeconfig for a program of the control plane, or for the API server's way to a webhook."""
        write_private(self.kubeconfig(name), kubeconfig([Access(name, url, authority.ca_pem, token)]))


STATIC = (ADMIN, OWN, MANAGER, WEBHOOK)


def _policy() -> dict[str, Any]:
    """Everybody's calls but those of the cluster's own parts; names and outcomes, no bodies."""
    unheard = {"level": "None", "users": [user.name for user in _UNHEARD]}
    return {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [unheard, {"level": "Metadata"}]}


def _rsa_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
