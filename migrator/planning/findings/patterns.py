"""Rules about trust policies that let ServiceAccounts in by a pattern: an association names one, by its whole name."""

import re
from collections.abc import Iterator

from migrator.model.facts import ServiceAccount
from migrator.model.plan import Finding
from migrator.model.trust import IrsaKind
from migrator.model.trust.parties import provider_arn, subject_of
from migrator.model.wildcards import has_wildcard, matches
from migrator.planning.case import Case
from migrator.planning.findings.catalogue import found

_SHOWN = 10
_BEFORE = re.compile(r"[*?]")


def judge(case: Case) -> Iterator[Finding]:
    """Findings about ServiceAccounts that are made anew under other names, and about those that have no annotation."""
    role, match = case.role.role, case.role.irsa
    if role is None or match is None or match.kind is not IrsaKind.WILDCARD:
        return
    if case.account.controller:
        owner = f"ServiceAccount {case.service.name}"
        yield found("pattern-generated", owner, "ownerReferences", case.account.controller, role=role.arn)
    bare = [f"{one.namespace}/{one.name}" for one in _covered(case) if one.role_arn is None]
    if bare:
        more = f" and {len(bare) - _SHOWN} more" if len(bare) > _SHOWN else ""
        yield found("pattern-covers", role.arn, f"Statement {match.statement}", ", ".join(bare[:_SHOWN]) + more)


def _covered(case: Case) -> list[ServiceAccount]:
    """The ServiceAccounts of the cluster that the patterns fit today, by name."""
    patterns = [(_BEFORE.split(pattern, maxsplit=1)[0], pattern) for pattern in _patterns(case)]
    fits = [one for one in case.aws.accounts if _any_fits(patterns, subject_of(one.namespace, one.name))]
    return sorted(fits, key=lambda one: (one.namespace, one.name))


def _any_fits(patterns: list[tuple[str, str]], subject: str) -> bool:
    """Whether one fits; what stands before its first wildcard is cheap to compare, and a cluster may have very many."""
    return any(subject.startswith(start) and matches(pattern, subject) for start, pattern in patterns)


def _patterns(case: Case) -> list[str]:
    """The patterns for the cluster's own issuer; a statement that asks for no subject lets all in."""
    role = case.role.role
    account = role.account if role is not None else ""
    own = provider_arn(case.cluster.issuer_host, account, case.cluster.partition)
    asked = [party.subjects or ("*",) for party in case.role.trusted if party.principal == own]
    return [subject for subjects in asked for subject in subjects if has_wildcard(subject)]
