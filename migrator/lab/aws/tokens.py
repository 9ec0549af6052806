"""Service account tokens: RS256 JWTs, taken apart and checked against an issuer's published keys."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class BadTokenError(Exception):
    """A token that is no JWT, or whose signature is not the issuer's."""


@dataclass(frozen=True)
class Token:
    """A JWT taken apart, not yet believed."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes

    @property
    def issuer(self) -> str:
        """Claim `iss`."""
        return str(self.claims.get("iss", ""))

    @property
    def subject(self) -> str:
        """Claim `sub`."""
        return str(self.claims.get("sub", ""))

    @property
    def audiences(self) -> tuple[str, ...]:
        """Claim `aud`, scalar or list."""
        found = self.claims.get("aud", ())
        return (found,) if isinstance(found, str) else tuple(str(item) for item in found)

    def expired(self, now: datetime) -> bool:
        """Whether `exp` has passed, or is missing."""
        return not isinstance(self.claims.get("exp"), (int, float)) or now.timestamp() >= self.claims["exp"]

    def early(self, now: datetime) -> bool:
        """Whether `nbf` lies ahead by more than the minute that clocks may differ."""
        not_before = self.claims.get("nbf", 0)
        return isinstance(not_before, (int, float)) and now.timestamp() + 60 < not_before


def read(text: str) -> Token:
    """Takes a compact JWT apart.

    Raises:
        BadTokenError: it is none.
    """
    parts = text.split(".")
    if len(parts) != 3:
        raise BadTokenError("token contains an invalid number of segments")
    try:
        header, claims = (json.loads(_bytes(part)) for part in parts[:2])
        signature = _bytes(parts[2])
    except (ValueError, binascii.Error) as broken:
        raise BadTokenError(f"token is malformed: {broken}") from broken
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise BadTokenError("token is malformed: header and claims must be objects")
    return Token(header, claims, f"{parts[0]}.{parts[1]}".encode(), signature)


def check_signature(token: Token, jwks: Mapping[str, Any]) -> None:
    """Refuses a token that none of the issuer's keys has signed.

    Raises:
        BadTokenError: wrong algorithm, unknown key, or wrong signature.
    """
    if token.header.get("alg") != "RS256":
        raise BadTokenError(f"token is signed with {token.header.get('alg')!r}, not RS256")
    kid = token.header.get("kid")
    keys = [key for key in jwks.get("keys", []) if key.get("kty") == "RSA" and kid in (None, key.get("kid"), "")]
    for key in keys:
        public = RSAPublicNumbers(_number(key["e"]), _number(key["n"])).public_key()
        try:
            public.verify(token.signature, token.signed, PKCS1v15(), SHA256())
        except InvalidSignature:
            continue
        return
    raise BadTokenError("token is signed by none of the issuer's keys")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _number(text: str) -> int:
    return int.from_bytes(_bytes(text), "big")
