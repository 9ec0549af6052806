"""Which well-known controller a service runs, by the label that its chart gives its pods, or by its image's name."""

from collections.abc import Iterable

from migrator.model.facts import Container
from migrator.planning.case import Case
from migrator.planning.findings.images import parsed

_NAME = "app.kubernetes.io/name"
_CROSSPLANE = ("pkg.crossplane.io/provider", "pkg.crossplane.io/revision")


def runs(case: Case, controller: str) -> bool:
    """Whether pods of the service run that controller."""
    return any(
        template.labels.get(_NAME) == controller or _has_image(template.spec.containers, controller)
        for template in case.templates
    )


def is_crossplane_provider(case: Case) -> bool:
    """Whether pods of the service run a provider that Crossplane installed."""
    return any(label in template.labels for template in case.templates for label in _CROSSPLANE)


def _has_image(containers: Iterable[Container], controller: str) -> bool:
    """Whether an image is called so, whichever registry, tag or digest it has."""
    repositories = (parsed(container.image)[0] for container in containers)
    return any(repository.rpartition("/")[2].startswith(controller) for repository in repositories)
