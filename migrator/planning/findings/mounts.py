"""Rules about AWS credentials files that pods mount from Secrets and ConfigMaps.

Source: the SDKs' shared files, `~/.aws/credentials` and `~/.aws/config`, and the two variables that move them.
"""

from collections.abc import Iterator
from pathlib import PurePosixPath

from migrator.model.facts import Container
from migrator.model.plan import Finding
from migrator.planning.case import Case, Template
from migrator.planning.findings.catalogue import found

_FILES = ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE")
_HOME = ".aws"


def judge(case: Case) -> Iterator[Finding]:
    """Findings about every container of every template."""
    for template in case.templates:
        for container in template.touched:
            yield from _about(template, container)


def _about(template: Template, container: Container) -> Iterator[Finding]:
    for path, volume in sorted(container.paths.items()):
        sources = template.spec.files.get(volume, ())
        if sources and _holds(PurePosixPath(path), container):
            field = f"containers[{container.name}].volumeMounts[{path}]"
            yield found("credentials-file", template.object, field, ", ".join(sources))


def _holds(path: PurePosixPath, container: Container) -> bool:
    """Whether what is mounted there is, or lies in, a place that SDKs read."""
    if _HOME in {path.name, path.parent.name}:
        return True
    named = (container.variable(name) for name in _FILES)
    files = [PurePosixPath(variable.value) for variable in named if variable is not None and variable.value]
    return any(file == path or path in file.parents for file in files)
