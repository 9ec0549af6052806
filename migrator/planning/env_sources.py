"""The key names of the ConfigMaps and Secrets that the planned services' containers take all their variables from."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from migrator.model.facts import EnvSource, Unread
from migrator.model.ports.planning import ClusterView
from migrator.planning.case import Case


def with_keys(cases: Sequence[Case], view: ClusterView) -> list[Case]:
    """The cases with the key names of their sources; what may not be read stands in `unread`."""
    wanted = sorted({source for case in cases for source in _sources(case)})
    found = view.key_names(wanted) if wanted else {}
    return [_with(case, {source: found[source] for source in _sources(case)}) for case in cases]


def _with(case: Case, found: dict[EnvSource, frozenset[str] | Unread]) -> Case:
    keys = {source.source: names for source, names in found.items() if not isinstance(names, Unread)}
    unread = {refused for refused in found.values() if isinstance(refused, Unread)}
    return replace(case, keys=keys, unread=tuple(sorted({*case.unread, *unread})))


def _sources(case: Case) -> Iterator[EnvSource]:
    for template in case.templates:
        for container in template.touched:
            yield from (EnvSource(namespace=case.service.namespace, source=source) for source in container.env_from)
