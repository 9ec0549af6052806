"""From findings, and what a person took on of them, to the one word that decides what may happen."""

from collections.abc import Iterable

from migrator.model.plan import Acceptance, Finding, Severity, Verdict
from migrator.planning.findings.catalogue import CATALOGUE


def verdict(findings: Iterable[Finding], accepted: Iterable[Acceptance] = ()) -> Verdict:
    """Blocked by any open block, else attention for any open warning, else ready."""
    standing = open_findings(findings, accepted)
    if any(finding.severity is Severity.BLOCK for finding in standing):
        return Verdict.BLOCKED
    return Verdict.ATTENTION if any(f.severity is Severity.WARN for f in standing) else Verdict.READY


def open_findings(findings: Iterable[Finding], accepted: Iterable[Acceptance] = ()) -> tuple[Finding, ...]:
    """The findings nobody took on; a code that may not be accepted stays open whatever the plan says."""
    taken = {acceptance.code for acceptance in accepted if may_accept(acceptance.code)}
    return tuple(finding for finding in findings if finding.code not in taken)


def open_blocks(findings: Iterable[Finding], accepted: Iterable[Acceptance] = ()) -> tuple[str, ...]:
    """Codes of the open blocks, each once, sorted."""
    standing = open_findings(findings, accepted)
    return tuple(sorted({finding.code for finding in standing if finding.severity is Severity.BLOCK}))


def may_accept(code: str) -> bool:
    """Whether the catalogue lets a person take the finding on."""
    entry = CATALOGUE.get(code)
    return entry is not None and entry.acceptable
