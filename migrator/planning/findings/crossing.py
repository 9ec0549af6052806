"""Rules about a role of another account: whether it is reached through a source role, and what changes with that."""

from collections.abc import Iterator

from migrator.model.ids import RoleArn
from migrator.model.plan import Finding
from migrator.model.source_role import LONGEST_SESSION, source_tags
from migrator.planning.case import Case
from migrator.planning.crossing import crosses, refusal
from migrator.planning.findings.catalogue import found


def judge(case: Case) -> Iterator[Finding]:
    """Findings about the account of the role, and about the sessions of a target role."""
    arn, home = case.role.arn, case.cluster.account
    if arn is None or not crosses(case):
        return
    why = refusal(case)
    if why:
        yield found("role-other-account", case.role.written, "account", arn.account, account=home, why=why)
    elif case.role.role is not None and case.subject.source:
        yield from _planned(case, arn)


def _planned(case: Case, arn: RoleArn) -> Iterator[Finding]:
    written, role, subject = case.role.written, case.role.role, case.subject
    source = subject.source.rpartition("/")[2]
    yield found("cross-account", written, "account", arn.account, account=case.cluster.account, source=source)
    if role is not None and role.max_session_seconds > LONGEST_SESSION:
        seconds = str(role.max_session_seconds)
        yield found("target-session-shorter", written, "MaxSessionDuration", seconds, longest=LONGEST_SESSION)
    lacked = sorted(source_tags(str(case.service)).items() - (case.role.source_tags or {}).items())
    if lacked and case.role.source_tags is not None:
        yield found("source-role-taken", subject.source, "tags", ", ".join(f"{key}={value}" for key, value in lacked))
    if not subject.tagged:
        yield found("session-tags-off", written, "sts:ExternalId", subject.external_id)
