"""Rules about what the role's policies are keyed on: what a session of IRSA has and one of Pod Identity has not.

Sources: the IAM user guide's pages on global and on AWS STS condition keys; the EKS user guide's page on session tags;
for Kafka, the open requests for a session name that stays (containers-roadmap 2362, eks-pod-identity-agent 14).
What other policies than the role's own say is told in `resources`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from migrator.model.chains import ASSUME, TAG
from migrator.model.permissions import Line, boundary_lines, lines
from migrator.model.plan import Finding
from migrator.model.trust.document import as_list, text_of
from migrator.model.trust.match import TAGS, acts
from migrator.model.trust.parties import provider_arn
from migrator.model.wildcards import matches
from migrator.planning.case import Case
from migrator.planning.findings.catalogue import found

_VARIABLE = re.compile(r"\$\{\s*([^},\s]+)\s*(?:,[^}]*)?\}")
_SESSION_TAG = "aws:principaltag/"
_KAFKA = "kafka-cluster:"


@dataclass(frozen=True, slots=True)
class _Use:
    """A condition key in a statement, as it stands there; `values` is None for a policy variable."""

    key: str  # lower case
    shown: str
    values: tuple[str, ...] | None = None
    operator: str = ""


def judge(case: Case) -> Iterator[Finding]:
    """Findings about the role's own policies, its boundary and its tags."""
    role = case.role.role
    if role is None:
        return
    for line in (*lines(case.reach.permissions), *(boundary_lines(case.reach.permissions) or ())):
        for use in _uses(line):
            yield from _keyed(case, role.arn, line, use)
        if line.body.get("Effect") == "Allow" and (actions := _kafka(line)):
            yield found("kafka-iam", role.arn, line.label, ", ".join(actions))
    for key in sorted(case.reach.permissions.tags.keys() & set(TAGS)) if case.session_tags else ():
        yield found("role-tag-overridden", role.arn, f"tag {key}", case.reach.permissions.tags[key])


def _keyed(case: Case, role: str, line: Line, use: _Use) -> Iterator[Finding]:
    if _of_web_identity(case, use):
        yield found("policy-oidc-key", role, line.label, use.shown)
    elif _of_session(use):
        yield found("policy-session-name", role, line.label, use.shown)
    elif case.session_tags and use.key.startswith(_SESSION_TAG) and use.key.removeprefix(_SESSION_TAG) in TAGS:
        yield found("policy-session-tag", role, line.label, use.shown)
    elif case.session_tags and use.key == "aws:tagkeys" and (acts(line.body, ASSUME) or acts(line.body, TAG)):
        yield found("policy-tag-keys", role, line.label, use.shown)


def _of_web_identity(case: Case, use: _Use) -> bool:
    """Whether the key is one that only a session of this cluster's issuer has; those of other issuers never fit it."""
    if use.key.startswith(f"{case.cluster.issuer_host.lower()}:"):
        return True
    if use.key != "aws:federatedprovider":
        return False
    negated = use.values is None or "not" in use.operator.lower() or "null" in use.operator.lower()
    own = provider_arn(case.cluster.issuer_host, case.cluster.account, case.cluster.partition)
    return negated or any(matches(value, own) for value in use.values or ())


def _of_session(use: _Use) -> bool:
    """Whether it rests on the session's name; `AROA...:*` does not, and stays true."""
    if use.key == "aws:userid":
        return use.values is None or any(":" in value and not value.endswith(":*") for value in use.values)
    return any(":assumed-role/" in value for value in use.values or ())


def _uses(line: Line) -> Iterator[_Use]:
    for entry in line.condition:
        yield _Use(entry.key.lower(), str(entry), entry.values, entry.operator)
        for value in entry.values:
            yield from _variables(value)
    for member in ("Resource", "NotResource"):
        for resource in as_list(line.body.get(member)):
            yield from _variables(text_of(resource))


def _variables(text: str) -> Iterator[_Use]:
    for variable in _VARIABLE.finditer(text):
        yield _Use(variable[1].lower(), text)


def _kafka(line: Line) -> list[str]:
    return [text for action in as_list(line.body.get("Action")) if (text := text_of(action)).lower().startswith(_KAFKA)]
