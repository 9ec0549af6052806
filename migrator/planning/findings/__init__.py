"""What the planner has to say about a service: pure rules over facts, a module per family, one catalogue of words."""

from collections.abc import Callable, Iterator

from migrator.model.plan import Finding
from migrator.planning.case import Case
from migrator.planning.findings import (
    addons,
    agents,
    chains,
    clusters,
    consumers,
    endpoints,
    images,
    keda,
    mounts,
    network,
    operator,
    owners,
    ownership,
    patterns,
    policies,
    properties,
    providers,
    resources,
    roles,
    sessions,
    templates,
    unread,
)

_RULES: tuple[Callable[[Case], Iterator[Finding]], ...] = (
    clusters.judge,
    agents.judge,
    templates.judge,
    mounts.judge,
    properties.judge,
    providers.judge,
    images.judge,
    roles.judge,
    chains.judge,
    policies.judge,
    resources.judge,
    sessions.judge,
    patterns.judge,
    endpoints.judge,
    operator.judge,
    addons.judge,
    owners.judge,
    ownership.judge,
    consumers.judge,
    keda.judge,
    network.judge,
    unread.judge,
)


def judge(case: Case) -> tuple[Finding, ...]:
    """Every finding about the service, each once, sorted by code and evidence."""
    findings = {finding for rule in _RULES for finding in rule(case)}
    return tuple(sorted(findings, key=lambda f: (f.code, f.object, f.field, f.value)))
