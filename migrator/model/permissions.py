"""What a role may do: its permission policies as they were read, and what they say to one action on one resource.

Judged as IAM judges: some Allow must hold, no Deny may; a permissions boundary must agree. What cannot be told from
outside is MAYBE. Sources: the IAM user guide's policy evaluation logic and its page on permissions boundaries.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from migrator.model.facts import Json, Unread
from migrator.model.trust.conditions import Entry, Request, Sure, holds
from migrator.model.trust.document import TrustUnreadable, as_list, parse, text_of
from migrator.model.trust.match import acts
from migrator.model.trust.parties import Statement, named
from migrator.model.wildcards import matches


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Policy:
    """One permission policy; `name` is what people call it: an inline policy's name, or an ARN."""

    name: str
    document: str  # JSON text


@dataclass(frozen=True, slots=True, kw_only=True)
class Permissions:
    """What a role may do; a `boundary` whose document may not be read has an empty one."""

    policies: tuple[Policy, ...] = ()  # inline ones, then attached ones, each kind by name
    boundary: Policy | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    unread: tuple[Unread, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A statement of one of a role's policies."""

    policy: str
    statement: Statement

    @property
    def label(self) -> str:
        """What people call it: its policy, then its Sid or position."""
        return f"policy {self.policy}, statement {self.statement.label}"

    @property
    def body(self) -> Mapping[str, Json]:
        """The statement as it stands."""
        return self.statement.body

    @property
    def condition(self) -> tuple[Entry, ...]:
        """The lines of its Condition block."""
        return self.statement.condition


def readable(permissions: Permissions) -> Permissions:
    """The same, without the documents that are not understood: those are told of as unread."""
    kept, unread = [], list(permissions.unread)
    for policy in permissions.policies:
        problem = _problem(policy)
        if problem:
            unread.append(Unread(what=f"policy {policy.name}", why=problem))
        else:
            kept.append(policy)
    boundary = permissions.boundary
    if boundary is not None and boundary.document and (problem := _problem(boundary)):
        unread.append(Unread(what=f"permissions boundary {boundary.name}", why=problem))
        boundary = replace(boundary, document="")
    return replace(permissions, policies=tuple(kept), boundary=boundary, unread=tuple(unread))


def lines(permissions: Permissions) -> Iterator[Line]:
    """The statements of the role's policies, its boundary's left out."""
    for policy in permissions.policies:
        for statement in named(parse(policy.document)):
            yield Line(policy.name, statement)


def boundary_lines(permissions: Permissions) -> list[Line] | None:
    """The boundary's statements; None when there is no boundary, or its document may not be read."""
    boundary = permissions.boundary
    if boundary is None or not boundary.document:
        return None
    return [Line(boundary.name, statement) for statement in named(parse(boundary.document))]


def allows(policies: Iterable[Line], action: str, resource: str, request: Request) -> Sure:
    """What the statements together say to the action on the resource."""
    allowed, denied = Sure.NO, Sure.NO
    for line in policies:
        met = min(_on(line.body, resource), holds(line.condition, request)) if acts(line.body, action) else Sure.NO
        if line.body.get("Effect") == "Allow":
            allowed = max(allowed, met)
        else:
            denied = max(denied, met)
    return min(allowed, denied.negated())


def granting(policies: Iterable[Line], action: str, resource: str) -> Line | None:
    """The first statement that may allow the action on the resource."""
    allowing = (line for line in policies if line.body.get("Effect") == "Allow" and acts(line.body, action))
    return next((line for line in allowing if _on(line.body, resource) is not Sure.NO), None)


def _on(body: Mapping[str, Json], resource: str) -> Sure:
    """Whether the statement is about the resource; one with a policy variable says so only at the request."""
    if "NotResource" in body:
        return _any_covers(body["NotResource"], resource).negated()
    return _any_covers(body.get("Resource"), resource)


def _any_covers(patterns: Json, resource: str) -> Sure:
    return max((_covers(text_of(pattern), resource) for pattern in as_list(patterns)), default=Sure.NO)


def _covers(pattern: str, resource: str) -> Sure:
    return Sure.MAYBE if "${" in pattern else Sure(2 * matches(pattern, resource))


def _problem(policy: Policy) -> str:
    try:
        parse(policy.document)
    except TrustUnreadable as error:
        return error.message.replace("the trust policy", "it")
    return ""
