"""What could not be looked at: said once each, so that nobody takes silence for a clean bill."""

from collections.abc import Iterator

from migrator.model.plan import Finding
from migrator.planning.case import Case
from migrator.planning.findings.catalogue import found


def judge(case: Case) -> Iterator[Finding]:
    """One line for everything that may not be read."""
    for unread in case.unread:
        yield found("not-read", unread.what, "", unread.why)
