"""A certificate authority that lives in memory and dies with the lab.

Every TLS port of the lab (API servers, node agents, webhooks) gets its certificate here, so one CA
certificate in a kubeconfig or a webhook's ``caBundle`` is enough to check them all.
"""

from __future__ import annotations

import ipaddress
import ssl
import tempfile
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_VALID_FOR = timedelta(days=365)
_CLOCK_SKEW = timedelta(hours=1)


@dataclass(frozen=True)
class ServerCert:
    """A server's certificate and private key, both PEM."""

    cert_pem: str
    key_pem: str


class Authority:
    """A self-signed certificate authority with its key in memory only."""

    def __init__(self, name: str = "practice-fleet") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name}-ca")])
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        self._cert = (
            _builder(self._name, self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self._issued: dict[str, ServerCert] = {}
        self._lock = threading.Lock()

    @property
    def ca_pem(self) -> str:
        """The authority's own certificate, PEM."""
        return self._cert.public_bytes(serialization.Encoding.PEM).decode()

    def issue(self, host: str = "127.0.0.1") -> ServerCert:
        """A server certificate for a host (name or IP address), the same one each time it is asked for."""
        with self._lock:
            if host not in self._issued:
                self._issued[host] = self._sign(host)
            return self._issued[host]

    def _sign(self, host: str) -> ServerCert:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        names = {host, "localhost"}
        authority_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        cert = (
            _builder(subject, self._name, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([_general_name(n) for n in sorted(names)]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(authority_key, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return ServerCert(
            cert_pem=cert.public_bytes(serialization.Encoding.PEM).decode(),
            key_pem=key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ).decode(),
        )


def server_context(cert: ServerCert) -> ssl.SSLContext:
    """A TLS context for a server that presents this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    # ssl reads keys from files only; this one is removed before the function returns
    with tempfile.TemporaryDirectory(prefix="practice-tls-") as folder:
        chain = Path(folder) / "server.pem"
        chain.touch(mode=0o600)
        chain.write_text(cert.key_pem + cert.cert_pem, encoding="ascii")
        context.load_cert_chain(chain)
    return context


def _builder(subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _VALID_FOR)
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
