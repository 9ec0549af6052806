"""Rules about pods that use web identity by themselves, past the SDK's default chain, as far as their template tells.

Looks at commands, arguments and plain variables, and never shows more of them than the name that was found. Source:
the SDKs' credential providers; Hadoop's S3A connector, which passes AWS's class names on.
"""

import re
import string
from collections.abc import Iterator

from migrator.model.facts import Container
from migrator.model.identity import IRSA_PAIR
from migrator.model.plan import Finding
from migrator.planning.case import Case, Template
from migrator.planning.findings.catalogue import found

_PINNED = re.compile(
    r"Web_?Identity\w*(?:Provider|Credentials)\w*"  # Java, Hadoop, Go, .NET, C++, Rust, Ruby, PHP
    r"|\bfromTokenFile\b|\bfromWebToken\b"  # JavaScript
)
_CHAINED = re.compile(r"(?:Container|Default|IAMInstance)\w*Credentials\w*Provider")  # asks the agent as well
_TOKEN = "/var/run/secrets/eks.amazonaws.com/serviceaccount/"  # noqa: S105 - a path
_READ = re.compile(
    rf"\$[({{]?(?P<variable>{'|'.join(IRSA_PAIR)})\b|{re.escape(_TOKEN)}\w*"
    r"|assume-role-with-web-identity|AssumeRoleWithWebIdentity"
)
_OWN = frozenset(f"env[{name}]" for name in IRSA_PAIR)
_WORD = string.ascii_letters + string.digits + "_"


def judge(case: Case) -> Iterator[Finding]:
    """Findings about every container of every template."""
    for template in case.templates:
        for container in template.touched:
            yield from _about(template, container)


def _about(template: Template, container: Container) -> Iterator[Finding]:
    for place, text in container.texts:
        if place in _OWN:
            continue  # the variables of IRSA itself are another rule's
        field = f"containers[{container.name}].{place}"
        if pinned := _pinned(text):
            yield found("web-identity-pinned", template.object, field, pinned)
        elif read := _READ.search(text):
            yield found("web-identity-read", template.object, field, read["variable"] or read[0])


def _pinned(text: str) -> str:
    """The name of the provider that is written there alone, or nothing."""
    match = _PINNED.search(text)
    if match is None or _CHAINED.search(text):
        return ""
    before = text[: match.start()]
    return text[len(before.rstrip(_WORD)) : match.end()]
