"""Rules about the annotated role, its trust policy, and associations that exist already."""

from collections.abc import Iterator

from migrator.model.facts import Association, Role
from migrator.model.ids import ROLE_ARN_ANNOTATION
from migrator.model.plan import Finding
from migrator.model.trust import IrsaKind, IrsaMatch, Merged, Scope
from migrator.model.trust.match import SERVICE
from migrator.model.trust.parties import provider_arn, subject_of
from migrator.planning.case import Case, RoleView
from migrator.planning.findings import conditions, crossing
from migrator.planning.findings.catalogue import found

_RESERVED = ("/aws-service-role/", "/aws-reserved/")
_SHOWN = 5
_WHY = {
    IrsaKind.NO_SUBJECT: "the statement for the cluster's issuer names other subjects",
    IrsaKind.WRONG_AUDIENCE: "the statement asks for another audience",
    IrsaKind.CONDITIONS: "a further condition is not met",
    IrsaKind.NO_PROVIDER_STATEMENT: "no statement trusts the cluster's issuer",
    IrsaKind.DENIED: "a Deny keeps it out",
}


def judge(case: Case) -> Iterator[Finding]:
    """Findings about role, trust and association."""
    yield from _association(case)
    yield from _arn(case)
    role = case.role.role
    if role is not None:
        yield from _trust(case, role)
        yield from _others(case, role)


def _arn(case: Case) -> Iterator[Finding]:
    view, cluster = case.role, case.cluster
    owner = f"ServiceAccount {case.service.name}"
    if not view.written.strip():
        yield found("role-arn-empty", owner, ROLE_ARN_ANNOTATION, view.written)
    elif view.arn is None or view.arn.partition != cluster.partition:
        yield found("role-arn-malformed", owner, ROLE_ARN_ANNOTATION, view.written, partition=cluster.partition)
    else:
        if view.arn.account != cluster.account:
            yield from crossing.judge(case)
        if view.arn.path.startswith(_RESERVED):
            yield found("role-reserved", view.written, "path", view.arn.path)
        if view.unreadable:
            yield found("account-unreadable", view.arn.account, "", view.unreadable)
        elif view.role is None:
            yield found("role-missing", view.written)


def _trust(case: Case, role: Role) -> Iterator[Finding]:
    view = case.role
    if view.irsa is None or view.merged is None:
        yield found("trust-unreadable", role.arn, "AssumeRolePolicyDocument", view.trust_problem)
        return
    yield from _irsa(case, role, view.irsa)
    if not view.allowed_after:
        why = "; ".join(view.denials) or "its conditions cannot be judged from here"
        yield found("trust-denies", role.arn, "AssumeRolePolicyDocument", "; ".join(view.denials), why=why)
    yield from _wider(case, role)
    yield from _room(view, view.merged, role)


def _wider(case: Case, role: Role) -> Iterator[Finding]:
    wide, policy = case.subject.scope, case.policy.trust_conditions
    if list(Scope).index(wide) > list(Scope).index(policy):
        said = "the cluster only" if wide is Scope.CLUSTER else "nothing"
        yield found("trust-wider", role.arn, "AssumeRolePolicyDocument", said, policy=policy)


def _room(view: RoleView, merged: Merged, role: Role) -> Iterator[Finding]:
    """With the numbers that a person decides by: now, after, once all have moved, and with wider statements."""
    sizes = view.sizes
    numbers = {"now": sizes.now, "by_cluster": sizes.by_cluster, "quota": sizes.quota, "for_all": sizes.for_all}
    if merged.changed and merged.size > sizes.quota:
        yield found("trust-too-large", role.arn, "AssumeRolePolicyDocument", str(merged.size), **numbers)
    elif merged.changed and sizes.for_all > sizes.quota:
        yield found("trust-fills-up", role.arn, "AssumeRolePolicyDocument", str(sizes.for_all), **numbers)


def _irsa(case: Case, role: Role, match: IrsaMatch) -> Iterator[Finding]:
    """A service that has moved needs its OIDC trust no more."""
    if not match.works:
        if not case.moved:
            yield found(
                "irsa-broken", role.arn, f"Statement {match.statement}".strip(), _there(match), why=_WHY[match.kind]
            )
        return
    if match.kind is IrsaKind.WILDCARD:
        yield found("trust-pattern", role.arn, f"Statement {match.statement}", match.evidence)
    yield from conditions.judge(role, match)


def _there(match: IrsaMatch) -> str:
    return f"there is: {match.evidence}" if match.evidence else "there is none at all"


def _others(case: Case, role: Role) -> Iterator[Finding]:
    if case.sharing:
        yield found("role-shared", role.arn, "", _some([str(service) for service in case.sharing]))
    others = trusted_others(case)
    if others:
        yield found("role-trusts-others", role.arn, "", _some(others))


def trusted_others(case: Case) -> list[str]:
    """Principals and subjects the trust policy names besides this service and Pod Identity, sorted."""
    role = case.role.role
    if role is None:
        return []
    own = provider_arn(case.cluster.issuer_host, role.account, case.cluster.partition)
    subject = subject_of(case.service.namespace, case.service.name)
    seen: set[str] = set()
    for party in case.role.trusted:
        if party.kind == "Federated" and party.principal == own:
            seen.update(asked for asked in party.subjects if asked != subject)
        elif (party.kind, party.principal) != ("Service", SERVICE):
            seen.update(f"{asked} of {party.principal}" for asked in party.subjects or ("anyone",))
    return sorted(seen)


def _association(case: Case) -> Iterator[Finding]:
    association = case.association
    if association is None:
        return
    if association.owner_arn and not _of_its_addon(case, association):
        yield found("association-addon", association.id, "ownerArn", association.owner_arn)
    if association.role_arn != (case.subject.source or case.role.written):
        yield found("association-other-role", association.id, "roleArn", association.role_arn)
    elif not case.moved:
        yield found("association-other-role", association.id, "targetRoleArn", association.target_role_arn)
    else:
        yield found("association-exists", association.id, "roleArn", association.role_arn)


def _of_its_addon(case: Case, association: Association) -> bool:
    return case.addon is not None and case.addon.addon.arn == association.owner_arn


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
