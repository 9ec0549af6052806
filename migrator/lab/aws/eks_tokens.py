"""The bearer tokens of `aws eks get-token`: a presigned GetCallerIdentity, in base64."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from migrator.lab.aws.errors import ApiError
from migrator.lab.aws.signatures import read_scope, signed_header_names, verify
from migrator.lab.aws.wire import HttpRequest

if TYPE_CHECKING:
    from migrator.lab.aws.callers import Caller, Callers

_PREFIX = "k8s-aws-v1."
_LIFE = timedelta(minutes=15)


def caller_of_token(token: str, cluster_name: str, callers: Callers, now: datetime) -> Caller | None:
    """Whom a token proves to this cluster: right call, right cluster, signed by a known key, not too old."""
    http = _request_in(token, cluster_name)
    scope = read_scope(http) if http else None
    if http is None or scope is None or scope.service != "sts":
        return None
    if dict(http.query_pairs()).get("Action") != "GetCallerIdentity":
        return None
    if "x-k8s-aws-id" not in signed_header_names(scope) or not _fresh(scope.time, now):
        return None
    try:
        caller = callers.identify(scope.access_key, scope.token, scope.region)
    except ApiError:
        return None
    return caller if verify(http, scope, caller.secret) else None


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


def _fresh(stamp: str, now: datetime) -> bool:
    try:
        made = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return False
    return made - timedelta(minutes=5) <= now <= made + _LIFE
