"""Rules about the conditions of the OIDC statement: which go over into the statement for Pod Identity, which cannot.

Sources: the EKS user guide on session tags and on how the agent gets credentials (EKS itself calls STS); the IAM user
guide's condition keys.
"""

from collections.abc import Iterator

from migrator.model.facts import Role
from migrator.model.plan import Finding
from migrator.model.trust import IrsaMatch
from migrator.model.trust.subject import carriable
from migrator.planning.findings.catalogue import found

_NETWORK = frozenset({"aws:sourceip", "aws:sourcevpc", "aws:sourcevpce", "aws:sourcevpcarn", "aws:vpcsourceip"})
_SESSION = frozenset({"sts:rolesessionname", "aws:userid", "sts:sourceidentity", "aws:sourceidentity"})


def judge(role: Role, match: IrsaMatch) -> Iterator[Finding]:
    """One finding for each condition besides subject and audience, and for each Deny that may hold."""
    where = f"Statement {match.statement}"
    for condition in match.conditions:
        code = "condition-carried" if carriable(condition) else _code(condition.key.lower())
        yield found(code, role.arn, where, str(condition))
    for doubt in match.doubts:
        yield found("trust-unsure", role.arn, where, doubt)


def _code(key: str) -> str:
    if key in _NETWORK:
        return "condition-network"
    return "condition-session" if key in _SESSION else "trust-unsure"
