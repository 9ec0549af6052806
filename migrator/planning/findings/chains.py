"""Rules about role chaining: the tags of a Pod Identity session go along, and every role on the way must let them in.

Sources: the EKS user guide, "Grant Pods access to Amazon Web Services resources based on tags" (all six session tags
are transitive); the IAM user guide, "Pass session tags in AWS STS" (chaining needs `sts:TagSession`).
"""

from collections.abc import Iterator

from migrator.model.chains import ASSUME, TAG, Caller, Hop, hop, may, with_tag
from migrator.model.facts import Role
from migrator.model.permissions import Line, boundary_lines, granting, lines
from migrator.model.plan import Finding
from migrator.model.trust.conditions import Sure
from migrator.model.trust.document import TrustUnreadable
from migrator.planning.case import Case
from migrator.planning.findings.catalogue import found
from migrator.planning.reach import Target


def judge(case: Case) -> Iterator[Finding]:
    """Findings about the roles that the service's role may go on to assume; none while its session bears no tags."""
    role = case.role.role
    if role is None or not case.session_tags:
        return
    caller = Caller(role.arn, role.id, role.account, role.arn.split(":")[1])
    own = list(lines(case.reach.permissions))
    for target in case.reach.targets:
        if may(own, ASSUME, target.arn, caller, None) is not Sure.NO:
            yield from _target(case, caller, own, target)
    for pattern, where in case.reach.patterns.items():
        yield found("chain-pattern", role.arn, where, pattern)
    if case.reach.permissions.boundary is not None:
        yield found("permissions-boundary", role.arn, "PermissionsBoundary", case.reach.permissions.boundary.name)


def _target(case: Case, caller: Caller, own: list[Line], target: Target) -> Iterator[Finding]:
    if target.unreadable:
        yield found("chain-unread", target.arn, "", target.unreadable, role=caller.arn)
    if target.role is None:
        return
    try:
        way = hop(target.role.trust, target.role.account, caller, case.subject)
    except TrustUnreadable as error:
        yield found("chain-unread", target.arn, "", error.message, role=caller.arn)
        return
    if way.assumes is not Sure.NO:
        yield from _trust(caller, target.role, way)
        yield from _own(case, caller, own, target.arn, way)


def _trust(caller: Caller, target: Role, way: Hop) -> Iterator[Finding]:
    """A condition that could not be judged before the move stands for itself: only what the tags add is told."""
    if way.tagged is Sure.NO:
        code = "chain-itself" if target.arn == caller.arn else "chain-tag-session"
        yield found(code, target.arn, f"Statement {way.label}", way.patch, role=caller.arn)


def _own(case: Case, caller: Caller, own: list[Line], target: str, way: Hop) -> Iterator[Finding]:
    """What the role's own policies and its boundary say; the boundary counts whoever the trust policy names."""
    line = granting(own, ASSUME, target)
    if way.own and line is not None and may(own, TAG, target, caller, case.subject) is Sure.NO:
        yield found("chain-own-policy", caller.arn, line.label, with_tag(line.body), target=target)
    bounds = boundary_lines(case.reach.permissions)
    if bounds is None or may(bounds, ASSUME, target, caller, None) is Sure.NO:
        return
    if may(bounds, TAG, target, caller, case.subject) is Sure.NO:
        boundary = bounds[0].policy if bounds else ""
        yield found("chain-boundary", boundary, "Action", TAG, target=target, role=caller.arn)
