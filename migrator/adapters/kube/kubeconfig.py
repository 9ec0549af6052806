"""Access through a kubeconfig context, read by the official client's loader: exec plugins, tokens, certificates.

The loader is imported only when a cluster asks for a context. A context that skips TLS verification is refused: the
cluster could not be proven to be the one meant.
"""

import base64
import os
import ssl
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from migrator.adapters.kube.tls import trusting
from migrator.model.errors import CredentialsExpired, EnvironmentFault, MigrateError
from migrator.model.fleet import KubeconfigAccess

_IDENTIFIERS = ("BearerToken", "authorization")  # the client's newer and older name of the same key


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """One context, loaded: where its server is, and how to speak to it."""

    access: KubeconfigAccess
    server: str
    ca: str  # PEM; empty when the context names none
    proxy: str
    context: ssl.SSLContext
    auth: "KubeconfigAuth"


class KubeconfigAuth:
    """The context's credentials; an exec plugin is run again when its token has expired."""

    def __init__(self, access: KubeconfigAccess, configuration: Any) -> None:
        self._access = access
        self._configuration = configuration
        self._lock = threading.Lock()

    def header(self) -> str:
        """The context's Authorization header."""
        with self._lock:
            return _token(self._configuration)

    def renew(self, refused: str) -> None:
        """Loads the context anew, which runs its exec plugin again, unless that has happened since."""
        with self._lock:
            if _token(self._configuration) == refused:
                self._configuration = _configuration(self._access)

    def complaint(self, *, worked: bool) -> MigrateError:
        """Expired when it was good before, unknown to the cluster when it never was."""
        context = self._access.context
        if worked:
            remedy = "renew its credentials, then run the same command again: it resumes"
            return CredentialsExpired(f'the credentials of kubeconfig context "{context}" have expired', remedy=remedy)
        return EnvironmentFault(
            f'the cluster does not accept the credentials of kubeconfig context "{context}"',
            remedy=f'check them with "kubectl --context {context} auth whoami"',
        )


def load(access: KubeconfigAccess) -> Kubeconfig:
    """The context, ready for use.

    Raises:
        EnvironmentFault: the file or the context cannot be used.
    """
    configuration = _configuration(access)
    if not configuration.verify_ssl or not str(configuration.host).startswith("https://"):
        raise EnvironmentFault(
            f'kubeconfig context "{access.context}" does not verify its server',
            remedy="give the context its certificate authority and an https server",
        )
    ca = Path(configuration.ssl_ca_cert).read_text(encoding="ascii") if configuration.ssl_ca_cert else ""
    context = trusting(ca)
    if configuration.cert_file:
        _certified(context, access, configuration)
    return Kubeconfig(
        access=access,
        server=str(configuration.host).rstrip("/"),
        ca=ca,
        proxy=getattr(configuration, "proxy", None) or "",
        context=context,
        auth=KubeconfigAuth(access, configuration),
    )


def differences(loaded: Kubeconfig, endpoint: str, ca: str) -> str:
    """What sets the context apart from the cluster that EKS describes; empty when they are one.

    Args:
        loaded: the context.
        endpoint: DescribeCluster's endpoint.
        ca: DescribeCluster's certificate authority, base64 of PEM.
    """
    if loaded.server.lower() != endpoint.rstrip("/").lower():
        return (
            f'kubeconfig context "{loaded.access.context}" leads to "{loaded.server}", the cluster is at "{endpoint}"'
        )
    if _certificates(loaded.ca) != _certificates(base64.b64decode(ca).decode("ascii")):
        return f'kubeconfig context "{loaded.access.context}" trusts another certificate authority than the cluster\'s'
    return ""


def _certificates(pem: str) -> frozenset[bytes]:
    end = "-----END CERTIFICATE-----"
    blocks = (block[block.index("-----BEGIN") :] + end for block in pem.split(end) if "-----BEGIN" in block)
    return frozenset(ssl.PEM_cert_to_DER_cert(block) for block in blocks)


def _certified(context: ssl.SSLContext, access: KubeconfigAccess, configuration: Any) -> None:
    try:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    except (OSError, ValueError) as error:
        raise _unusable(access, f"its client certificate: {error}") from error


def _configuration(access: KubeconfigAccess) -> Any:
    from kubernetes.client import Configuration  # noqa: PLC0415 - 0.3 s that only kubeconfig clusters pay
    from kubernetes.config import ConfigException, load_kube_config  # noqa: PLC0415 - the same
    from yaml import YAMLError  # noqa: PLC0415 - the same

    configuration = Configuration()
    loader: Any = load_kube_config  # the client's config package has no annotations
    try:
        loader(
            config_file=str(access.file) if access.file else os.environ.get("KUBECONFIG") or None,
            context=access.context,
            client_configuration=configuration,
        )
    except (ConfigException, OSError, ValueError, TypeError, AttributeError, YAMLError) as error:
        # the loader checks little: a file of another form ends in whatever its first step trips over
        raise _unusable(access, " ".join(str(error).split())) from error
    return configuration


def _unusable(access: KubeconfigAccess, why: str) -> EnvironmentFault:
    where = f'"{access.file}"' if access.file else "the kubeconfig"
    text = f'context "{access.context}" of {where} cannot be used: {why}'
    return EnvironmentFault(text, remedy='correct it, or "kubeconfig" of the cluster in the fleet file')


def _token(configuration: Any) -> str:
    tokens = (configuration.get_api_key_with_prefix(name) for name in _IDENTIFIERS)
    return next((token for token in tokens if token), "")
