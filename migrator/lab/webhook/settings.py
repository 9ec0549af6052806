"""What decides the webhook's answer beside the pod: its flags and the ServiceAccount's annotations."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "eks.amazonaws.com/"
ROLE_ARN = PREFIX + "role-arn"
AUDIENCE = PREFIX + "audience"
STS_REGIONAL = PREFIX + "sts-regional-endpoints"
TOKEN_EXPIRATION = PREFIX + "token-expiration"
SKIP_CONTAINERS = PREFIX + "skip-containers"
SKIP_LABEL = PREFIX + "skip-pod-identity-webhook"
POD_IDENTITY_LABEL = PREFIX + "pod-identity"

DEFAULT_EXPIRATION = 86400
MINIMUM_EXPIRATION = 600
JITTER_FROM = 79200
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_QUOTED = re.compile(r'"((?:[^"]|"")*)"(?=,|\r?\n|\Z)')
_PLAIN = re.compile(r'([^",\r\n]*)(?=,|\r?\n|\Z)')
_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)


@dataclass(frozen=True)
class ComposeRoleArn:
    """The self-hosted option that turns a bare role name into an ARN."""

    partition: str
    account_id: str

    def compose(self, role: str) -> str:
        """The ARN of a bare role name; a value with `arn:` in it, or an empty one, is left as it is."""
        if not role or "arn:" in role:
            return role
        return f"arn:{self.partition}:iam::{self.account_id}:role/{role}"


@dataclass(frozen=True)
class Flags:
    """The webhook's command line; the defaults are upstream's."""

    region: str = ""
    sts_regional_endpoint: bool = False
    token_expiration: int = DEFAULT_EXPIRATION
    compose_role_arn: ComposeRoleArn | None = None


@dataclass(frozen=True)
class Account:
    """What the webhook's cache holds of one ServiceAccount."""

    role_arn: str
    audience: str
    sts_regional: bool
    expiration: int


UNSEEN = Account(role_arn="", audience="", sts_regional=False, expiration=DEFAULT_EXPIRATION)
"""Stands in for a ServiceAccount that is not in the cache, whatever the flags say."""


def read_account(annotations: Mapping[str, str], flags: Flags) -> Account:
    """The cache entry made of a ServiceAccount's annotations."""
    role = annotations.get(ROLE_ARN, "")
    if flags.compose_role_arn:
        role = flags.compose_role_arn.compose(role)
    regional = parse_bool(annotations.get(STS_REGIONAL, ""))
    return Account(
        role_arn=role,
        audience=annotations.get(AUDIENCE, "sts.amazonaws.com"),
        sts_regional=flags.sts_regional_endpoint if regional is None else regional,
        expiration=expiration(annotations, flags.token_expiration),
    )


def expiration(annotations: Mapping[str, str], fallback: int) -> int:
    """The token lifetime an annotation asks for, at least ten minutes; the fallback if it asks for none."""
    asked = parse_integer(annotations.get(TOKEN_EXPIRATION, ""))
    return fallback if asked is None else max(asked, MINIMUM_EXPIRATION)


def parse_bool(text: str) -> bool | None:
    """A Go boolean; None if it is none."""
    if text in _TRUE:
        return True
    return False if text in _FALSE else None


def parse_integer(text: str) -> int | None:
    """A Go 64-bit base-10 integer; None if it is none."""
    if not _INTEGER.fullmatch(text):
        return None
    value = int(text)
    return value if -(2**63) <= value < 2**63 else None


def csv_fields(text: str) -> list[str]:
    """The fields of one CSV line as Go reads it: nothing trimmed; none at all if it is malformed."""
    fields: list[str] = []
    rest = text.lstrip("\r\n")
    if not rest:
        return []
    while True:
        field = _QUOTED.match(rest) or _PLAIN.match(rest)
        if field is None:
            return []
        fields.append(field[1].replace('""', '"'))
        rest = rest[field.end() :]
        if not rest.startswith(","):
            return fields
        rest = rest[1:]
