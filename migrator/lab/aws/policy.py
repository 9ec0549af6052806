"""Trust and identity policies evaluated as IAM does: an explicit deny wins, nothing said is a no."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from migrator.lab.aws.conditions import Context, arn_like, holds, like, listed, substitute


class Verdict(Enum):
    """What a set of policies says about one request.

    `BY_ACCOUNT` is a trust policy's yes that names only the caller's account: the caller's own policies must agree.
    """

    DENIED = "denied"
    SILENT = "silent"
    BY_ACCOUNT = "by account"
    ALLOWED = "allowed"


@dataclass(frozen=True)
class Principal:
    """Who asks, as the Principal element of a policy may name them.

    Attributes:
        kind: `AWS`, `Service` or `Federated`.
        names: every name that means just this principal: ARNs of the session and of its role, the role's id.
        account: its account; empty for services and federated callers.
        partition: its partition.
    """

    kind: str
    names: frozenset[str]
    account: str = ""
    partition: str = "aws"


@dataclass(frozen=True)
class Ask:
    """One action on one resource, with the condition keys that go with it (lower case)."""

    action: str
    resource: str = "*"
    context: Context = field(default_factory=dict)


def context_of(values: Mapping[str, str | Iterable[str] | None]) -> dict[str, tuple[str, ...]]:
    """A context from readable pairs: keys lowered, scalars made tuples, absent ones left out."""
    found: dict[str, tuple[str, ...]] = {}
    for key, value in values.items():
        if value is not None:
            found[key.lower()] = (value,) if isinstance(value, str) else tuple(value)
    return found


def statements(document: Any) -> Iterator[Mapping[str, Any]]:
    """The statements of a policy, given as text or as parsed JSON."""
    parsed = json.loads(document) if isinstance(document, str) else document
    for statement in listed(parsed.get("Statement", [])):
        if isinstance(statement, Mapping):
            yield statement


def _action_fits(statement: Mapping[str, Any], action: str) -> bool:
    lower = action.lower()
    if "NotAction" in statement:
        return not any(like(str(text).lower(), lower) for text in listed(statement["NotAction"]))
    return any(like(str(text).lower(), lower) for text in listed(statement.get("Action", [])))


def _resource_fits(statement: Mapping[str, Any], ask: Ask) -> bool:
    def fits(pattern: str) -> bool:
        filled = substitute(pattern, ask.context)
        return filled == "*" or arn_like(filled, ask.resource) or like(filled, ask.resource)

    if "NotResource" in statement:
        return not any(fits(str(text)) for text in listed(statement["NotResource"]))
    return any(fits(str(text)) for text in listed(statement.get("Resource", [])))


def identity_verdict(documents: Iterable[Any], ask: Ask) -> Verdict:
    """What identity policies (or a boundary, or session policies) say about a request."""
    found = Verdict.SILENT
    for document in documents:
        for statement in statements(document):
            if not (_action_fits(statement, ask.action) and _resource_fits(statement, ask)):
                continue
            if not holds(statement.get("Condition"), ask.context):
                continue
            if statement.get("Effect") == "Deny":
                return Verdict.DENIED
            found = Verdict.ALLOWED
    return found


def _named(names: Any, principal: Principal) -> Verdict:
    """How a Principal element names the caller: not at all, by account, or itself."""
    if names == "*":
        return Verdict.ALLOWED
    if not isinstance(names, Mapping):
        return Verdict.SILENT
    roots = {principal.account, f"arn:{principal.partition}:iam::{principal.account}:root"} - {""}
    found = Verdict.SILENT
    for name in listed(names.get(principal.kind, [])):
        if name in principal.names or (name == "*" and principal.kind == "AWS"):
            return Verdict.ALLOWED
        if principal.kind == "AWS" and principal.account and name in roots:
            found = Verdict.BY_ACCOUNT
    return found


def _names(statement: Mapping[str, Any], principal: Principal) -> Verdict:
    if "NotPrincipal" in statement:
        named = _named(statement["NotPrincipal"], principal)
        return Verdict.ALLOWED if named is Verdict.SILENT else Verdict.SILENT
    return _named(statement.get("Principal"), principal)


def trust_verdict(document: Any, principal: Principal, ask: Ask) -> Verdict:
    """What a role's trust policy says about one principal and one sts action."""
    found = Verdict.SILENT
    for statement in statements(document):
        named = _names(statement, principal)
        if named is Verdict.SILENT or not _action_fits(statement, ask.action):
            continue
        if not holds(statement.get("Condition"), ask.context):
            continue
        if statement.get("Effect") == "Deny":
            return Verdict.DENIED
        if found is not Verdict.ALLOWED:
            found = named
    return found
