"""Who is asking: users, and the signed tokens of ServiceAccounts."""

from __future__ import annotations

import base64
import hashlib
import time
import uuid
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Json = dict[str, Any]


@dataclass(frozen=True)
class User:
    """An authenticated caller."""

    name: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, Sequence[str]] = field(default_factory=dict)


ADMIN = User("kubernetes-admin", "", ("system:masters", "system:authenticated"))
OWN = User("practice-fleet", "", ("system:masters", "system:authenticated"))
"""The lab's own controllers, nodes and webhook: what they do is nobody's doing."""


@dataclass(frozen=True)
class Bound:
    """A name and uid that a token is bound to."""

    name: str
    uid: str


class TokenIssuer:
    """Makes and checks RS256 tokens for ServiceAccounts."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = self._key.public_key()
        der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self._key_id = _encode(hashlib.sha256(der).digest())

    def jwks(self) -> Json:
        """The public keys, as served at ``/openid/v1/jwks``."""
        numbers = self._key.public_key().public_numbers()
        return {
            "keys": [
                {
                    "use": "sig",
                    "kty": "RSA",
                    "kid": self._key_id,
                    "alg": "RS256",
                    "n": _encode(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")),
                    "e": _encode(numbers.e.to_bytes(3, "big")),
                }
            ]
        }

    def discovery(self) -> Json:
        """The document at ``/.well-known/openid-configuration``; on EKS the issuer is who has the keys."""
        return {
            "issuer": self.issuer,
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def issue(
        self,
        namespace: str,
        account: Bound,
        audiences: Sequence[str],
        seconds: int,
        bound: Mapping[str, Bound] = MappingProxyType({}),
        *,
        warn_after: int = 0,
    ) -> str:
        """A token for one ServiceAccount; it ends with what it is bound to, and is old before it ends if need be."""
        now = int(time.time())
        held = {"serviceaccount": account, **bound}
        kubernetes: Json = {"namespace": namespace}
        for word, one in held.items():
            kubernetes[word] = {"name": one.name} | ({"uid": one.uid} if one.uid else {})
        if warn_after:
            kubernetes["warnafter"] = now + warn_after
        claims = {
            "aud": list(audiences),
            "exp": now + seconds,
            "iat": now,
            "iss": self.issuer,
            "jti": str(uuid.uuid4()),
            "kubernetes.io": kubernetes,
            "nbf": now,
            "sub": f"system:serviceaccount:{namespace}:{account.name}",
        }
        head = {"alg": "RS256", "kid": self._key_id}
        signed = f"{_encode(msgspec.json.encode(head))}.{_encode(msgspec.json.encode(claims))}"
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_encode(signature)}"

    def verify(self, token: str) -> Json | None:
        """The claims of a token of this issuer that is signed right and not expired, else ``None``."""
        signed, _, signature = token.rpartition(".")
        _, _, payload = signed.partition(".")
        try:
            self._key.public_key().verify(_decode(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
            claims: Json = msgspec.json.decode(_decode(payload))
        except (ValueError, InvalidSignature):
            return None
        if claims["exp"] <= time.time() or claims["iss"] != self.issuer:
            return None
        return claims


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
