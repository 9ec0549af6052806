"""The bearer tokens of `aws eks get-token`: a presigned GetCallerIdentity, in base64."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from migrator.lab.aws.errors import ApiError
from migrator.lab.aws.signatures import Scope, read_scope, signed_header_names, verify
from migrator.lab.aws.wire import HttpRequest

if TYPE_CHECKING:
    from migrator.lab.aws.callers import Caller, Callers

_PREFIX = "k8s-aws-v1."
_EARLY, _LIFE = timedelta(minutes=5), timedelta(minutes=15)
_KEPT = 1024  # tokens looked into last


@dataclass(frozen=True)
class _Claim:
    """What a token says: a presigned request, by whom, and when."""

    http: HttpRequest
    scope: Scope
    made: datetime


def caller_of_token(token: str, cluster_name: str, callers: Callers, now: datetime) -> Caller | None:
    """Whom a token proves to this cluster: right call, right cluster, signed by a known key, not too old."""
    claim = _claim(token, cluster_name)
    if claim is None or not claim.made - _EARLY <= now <= claim.made + _LIFE:
        return None
    try:
        caller = callers.identify(claim.scope.access_key, claim.scope.token, claim.scope.region)
    except ApiError:
        return None
    return caller if _signed(token, cluster_name, caller.secret) else None


@lru_cache(_KEPT)
def _claim(token: str, cluster_name: str) -> _Claim | None:
    """What it says, if that is the right call, for this cluster. A client sends one token with all its requests."""
    http = _request_in(token, cluster_name)
    scope = read_scope(http) if http else None
    if http is None or scope is None or scope.service != "sts" or "x-k8s-aws-id" not in signed_header_names(scope):
        return None
    made = _moment(scope.time)
    called = dict(http.query_pairs()).get("Action")
    return _Claim(http, scope, made) if made is not None and called == "GetCallerIdentity" else None


@lru_cache(_KEPT)
def _signed(token: str, cluster_name: str, secret: str) -> bool:
    claim = _claim(token, cluster_name)
    return claim is not None and verify(claim.http, claim.scope, secret)


def _request_in(token: str, cluster_name: str) -> HttpRequest | None:
    """The request inside the token, as STS would get it from this cluster."""
    if not token.startswith(_PREFIX):
        return None
    body = token.removeprefix(_PREFIX)
    try:
        url = urlsplit(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode())
    except (binascii.Error, ValueError):
        return None
    headers = {"host": url.netloc, "x-k8s-aws-id": cluster_name}
    return HttpRequest("GET", url.path or "/", url.query, headers, b"")


def _moment(stamp: str) -> datetime | None:
    try:
        return datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
