"""Rules about AWS settings that reach a Java program as system properties: in arguments, or in variables the JVM reads.

Source: the AWS SDKs and tools reference guide, "JVM system properties"; `aws.secretKey` is the older SDK's. Values of
keys are never shown.
"""

import re
from collections.abc import Iterator, Mapping

from migrator.model.facts import Container
from migrator.model.plan import Finding
from migrator.planning.case import Case, Template
from migrator.planning.findings.catalogue import found

_PROPERTY = re.compile(r"-D(aws\.[A-Za-z]+)=([^\s\"']*)")
_CODES: Mapping[str, str] = {
    "aws.accessKeyId": "static-keys",
    "aws.secretAccessKey": "static-keys",
    "aws.secretKey": "static-keys",
    "aws.profile": "shared-credentials",
    "aws.configFile": "shared-credentials",
    "aws.sharedCredentialsFile": "shared-credentials",
    "aws.webIdentityTokenFile": "web-identity-written",
    "aws.roleArn": "web-identity-written",
}


def judge(case: Case) -> Iterator[Finding]:
    """Findings about every container of every template."""
    for template in case.templates:
        for container in template.touched:
            yield from _about(template, container)


def _about(template: Template, container: Container) -> Iterator[Finding]:
    for place, text in container.texts:
        for name, value in _PROPERTY.findall(text):
            code = _CODES.get(name)
            if code is not None:
                shown = "(written)" if code == "static-keys" else value
                yield found(code, template.object, f"containers[{container.name}].{place} -D{name}", shown)
