"""AWS Signature Version 4, checked: of signed requests and of presigned URLs."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrator.lab.aws.wire import HttpRequest

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]+)"
)
_EMPTY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True)
class Scope:
    """What a signed request says of itself."""

    access_key: str
    date: str
    region: str
    service: str
    token: str
    time: str
    signed_headers: tuple[str, ...]
    signature: str
    presigned: bool


def read_scope(http: HttpRequest) -> Scope | None:
    """The signature data of a request, or None when it is not signed (or not so that it can be read)."""
    found = _AUTHORIZATION.search(http.headers.get("authorization", ""))
    if found:
        parts = found[1].split("/")
        if len(parts) != 5:
            return None
        token, time = http.headers.get("x-amz-security-token", ""), http.headers.get("x-amz-date", "")
        return Scope(parts[0], parts[1], parts[2], parts[3], token, time, tuple(found[2].split(";")), found[3], False)
    query = dict(http.query_pairs())
    parts = query.get("X-Amz-Credential", "").split("/")
    if len(parts) != 5 or "X-Amz-Signature" not in query:
        return None
    return Scope(
        access_key=parts[0],
        date=parts[1],
        region=parts[2],
        service=parts[3],
        token=query.get("X-Amz-Security-Token", ""),
        time=query.get("X-Amz-Date", ""),
        signed_headers=tuple(query.get("X-Amz-SignedHeaders", "host").split(";")),
        signature=query["X-Amz-Signature"],
        presigned=True,
    )


def verify(http: HttpRequest, scope: Scope, secret: str) -> bool:
    """Whether the signature was made with this secret over this request."""
    canonical = _canonical(http, scope)
    credential = f"{scope.date}/{scope.region}/{scope.service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", scope.time, credential, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{secret}".encode()
    for part in (scope.date, scope.region, scope.service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    wanted = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted, scope.signature)


def _canonical(http: HttpRequest, scope: Scope) -> str:
    headers = "".join(
        f"{name}:{re.sub(' +', ' ', http.headers.get(name, '').strip())}\n" for name in scope.signed_headers
    )
    return "\n".join(
        [
            http.method,
            _canonical_path(http.path, scope.service),
            _canonical_query(http.query),
            headers,
            ";".join(scope.signed_headers),
            _payload_hash(http, scope),
        ]
    )


def _canonical_path(path: str, service: str) -> str:
    if service == "s3":
        return quote(unquote(path), safe="/-_.~")
    return quote(path, safe="/~")


def _canonical_query(query: str) -> str:
    pairs: list[tuple[str, str]] = []
    for part in query.split("&") if query else []:
        name, _, value = part.partition("=")
        if name != "X-Amz-Signature":
            pairs.append((_again(name), _again(value)))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def _again(text: str) -> str:
    return quote(unquote(text.replace("+", "%20")), safe="-_.~")


def _payload_hash(http: HttpRequest, scope: Scope) -> str:
    stated = http.headers.get("x-amz-content-sha256")
    if scope.service == "s3" and scope.presigned:
        return stated or "UNSIGNED-PAYLOAD"
    if stated:
        return stated
    return hashlib.sha256(http.body).hexdigest() if http.body else _EMPTY


def signed_header_names(scope: Scope) -> Sequence[str]:
    """The headers a signature covers, lower case."""
    return [name.lower() for name in scope.signed_headers]
