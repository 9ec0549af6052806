"""Rules about policies of buckets, keys, queues and the like: what a statement says to the service before and after.

A statement is put to a session of IRSA and to one of Pod Identity. Where the answers differ, access is lost (an Allow
no longer holds, a Deny comes to), or a guard falls away (a Deny no longer holds, an Allow comes to): that is worse, as
nothing fails. What another statement says to the same end counts, so that the change may be made ahead of the move.
Sources: the IAM user guide's policy evaluation logic, within an account and across accounts; the developer guide of KMS
on key policies, without which the role's own policies say nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from migrator.model.chains import Caller
from migrator.model.facts import Role
from migrator.model.permissions import lines
from migrator.model.plan import Finding
from migrator.model.role_session import (
    PRINCIPAL,
    USER_ID,
    Part,
    Session,
    by_account,
    filled,
    irsa_session,
    is_claim,
    parts,
    pod_identity_session,
)
from migrator.model.statement_scope import Scope, scope_of
from migrator.model.trust.conditions import Sure, holds
from migrator.model.trust.parties import Statement
from migrator.planning.case import Case
from migrator.planning.findings.catalogue import found
from migrator.planning.resource_patches import beside, instead
from migrator.planning.resources import Resource


@dataclass(frozen=True)
class _Own:
    """What the role's own policies allow, as the sessions after the move meet them."""

    allowed: Sequence[tuple[Scope, Sure]]
    unread: bool

    def says(self, scope: Scope) -> Sure:
        """What they say to all that a statement is about; MAYBE where they speak of a part of it."""
        least = Sure.MAYBE if self.unread else Sure.NO
        each = [met if own.covers(scope) else min(met, Sure.MAYBE) for own, met in self.allowed if own.meets(scope)]
        return max([least, *each])


@dataclass(frozen=True)
class _View:
    """A statement as the service meets it; `delegates` where it leaves the last word to the role's own policies."""

    statement: Statement
    scope: Scope
    parts: Sequence[Part]
    own: _Own
    delegates: bool

    @property
    def allows(self) -> bool:
        """Whether it is an Allow."""
        return self.statement.body.get("Effect") == "Allow"

    @cached_property
    def shares(self) -> Sure:
        """What the role's own policies say to what the statement is about."""
        return self.own.says(self.scope)

    @cached_property
    def before(self) -> Sure:
        """Whether it holds for a session of IRSA."""
        return self.met(self.scope)[0]

    @cached_property
    def after(self) -> Sure:
        """Whether it holds for a session of Pod Identity."""
        return self.met(self.scope)[1]

    def met(self, scope: Scope) -> tuple[Sure, Sure]:
        """Whether it holds before and after for what it says to a scope."""
        before, after = min(part.before for part in self.parts), min(part.after for part in self.parts)
        if not self.allows or not self.delegates or before is after is Sure.NO:
            return before, after
        shares = self.own.says(scope)
        return min(before, shares), min(after, shares)

    @property
    def falls(self) -> bool:
        """Whether it holds less."""
        return self.after < self.before

    @property
    def changed(self) -> list[Part]:
        """What makes the difference."""
        return [part for part in self.parts if (part.after < part.before if self.falls else part.after > part.before)]


def judge(case: Case) -> Iterator[Finding]:
    """Findings about whatever has a policy that rests on what the move changes."""
    role = case.role.role
    if role is None or not case.resources.keyed:
        return
    before, after = _sessions(case, role)
    own = _own(case, after)
    for resource in case.resources.keyed:
        views = [_view(resource, statement, before, after, own) for statement in resource.statements]
        for view in views:
            if view.before is not view.after and _matters(resource, view, views, role):
                yield from _told(case, resource, view, before)


def _sessions(case: Case, role: Role) -> tuple[Session, Session]:
    caller = Caller(role.arn, role.id, role.account, role.arn.split(":")[1])
    permissions = case.reach.permissions
    tags = None if permissions.unread else permissions.tags
    before = irsa_session(caller, case.subject, case.cluster.issuer_host, case.audience, tags)
    return before, pod_identity_session(caller, case.subject, tags, tagged=case.session_tags)


def _own(case: Case, after: Session) -> _Own:
    permissions = case.reach.permissions
    allowing = (line for line in lines(permissions) if line.body.get("Effect") == "Allow")
    allowed = [(scope_of(line.body), holds(line.condition, after.request)) for line in allowing]
    return _Own(allowed, bool(permissions.unread))


def _view(resource: Resource, statement: Statement, before: Session, after: Session, own: _Own) -> _View:
    return _View(
        statement=statement,
        scope=scope_of(filled(statement.body, before), resource.policy.arn),
        parts=parts(statement, before, after),
        own=own,
        delegates=by_account(statement, before.role),
    )


def _matters(resource: Resource, view: _View, views: Sequence[_View], role: Role) -> bool:
    """Whether the service may reach the thing at all, and no other statement says the same to it."""
    if any(_stands_in(other, view) for other in views):
        return False
    if resource.policy.account != role.account:  # both sides must allow
        return view.shares is not Sure.NO
    enough = view.delegates or (view.falls and view.shares is Sure.YES)
    if view.allows and enough and not resource.policy.decides:  # the role's own policies say what there is to say
        return False
    return view.shares is not Sure.NO or any(_grants(other, view) for other in views)


def _stands_in(other: _View, view: _View) -> bool:
    if other is view or other.allows is not view.allows or not other.scope.covers(view.scope):
        return False
    before, after = other.met(view.scope)
    return after >= view.before if view.falls else before >= view.after


def _grants(other: _View, view: _View) -> bool:
    """Whether another Allow, or this one, lets the role in by itself."""
    holds_once = max(other.before, other.after) is not Sure.NO
    return other.allows and not other.delegates and holds_once and other.scope.meets(view.scope)


def _told(case: Case, resource: Resource, view: _View, session: Session) -> Iterator[Finding]:
    changed = view.changed
    claims = any(is_claim(part.key) for part in changed)
    body = view.statement.body
    place = "put beside it" if view.falls else "it must read"
    patch = beside(case, session, body, claims=claims) if view.falls else instead(session.role.arn, body)
    told: dict[str, list[str]] = {}
    for part in changed:
        if code := _code(view, part):
            told.setdefault(code, []).append(part.shown)
    for code, shown in told.items():
        where = f"statement {view.statement.label}"
        words = {"kind": resource.policy.kind, "place": place, "patch": patch}
        yield found(code, resource.policy.arn, where, "; ".join(shown), **words)


def _code(view: _View, part: Part) -> str:
    """An Allow that comes to hold was meant so if it rests on the tags, and may have held before if on the name."""
    lost = view.allows is view.falls
    if is_claim(part.key):
        return ("resource-oidc-key" if view.allows else "resource-oidc-deny") if lost else "resource-oidc-guard"
    if view.allows and not lost:
        return ""
    if part.key in {PRINCIPAL, USER_ID}:
        return "resource-session-name" if lost else "resource-session-guard"
    return "resource-session-tag"
