"""Which services are meant: `--service X` to ids, and the selectors that commands share. Pure functions."""

import difflib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from migrator.model.errors import UsageError
from migrator.model.ids import RoleArn, ServiceId
from migrator.model.plan import Edit, Plan

if TYPE_CHECKING:
    from migrator.model.fleet import Fleet, FleetCluster

WorkloadNames = Mapping[ServiceId, Collection[str]]

_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Selectors:
    """Globs; an empty tuple selects everything, several in one tuple are alternatives, the tuples are joined by and."""

    clusters: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    waves: tuple[int, ...] = ()

    def cluster(self, alias: str, account: str) -> bool:
        """Whether a cluster is worth looking at."""
        return _any(self.clusters, alias) and _any(self.accounts, account)

    def service(self, service: ServiceId, role_arn: str) -> bool:
        """Whether a service of a selected cluster is meant; a role is matched by its name or its whole ARN."""
        return _any(self.namespaces, service.namespace) and (not self.roles or self._role(role_arn))

    def planned(self, service: ServiceId, plan: Plan | None) -> bool:
        """The same of a service with its plan; without one, neither a role nor a wave is known."""
        from migrator.render.views.plan import role_of

        return self.in_wave(plan.edit if plan else None) and self.service(
            service, (role_of(plan) if plan else None) or ""
        )

    def in_wave(self, edit: Edit | None) -> bool:
        """Whether what a person wrote puts the service into a wave that is meant; without a plan file, into none."""
        return not self.waves or (edit is not None and edit.wave in self.waves)

    def given(self, *names: str) -> str:
        """These options as they were given, for messages; an option that was not is left out."""
        values = {
            "cluster": self.clusters,
            "namespace": self.namespaces,
            "account": self.accounts,
            "role": self.roles,
            "wave": self.waves,
        }
        return ", ".join(f'"--{name} {value}"' for name in names or values for value in values[name])

    def _role(self, arn: str) -> bool:
        parsed = RoleArn.parse(arn)
        return _any(self.roles, arn) or (parsed is not None and _any(self.roles, parsed.name))


def selectors(
    clusters: list[str] | None,
    namespaces: list[str] | None,
    accounts: list[str] | None,
    roles: list[str] | None,
    waves: list[int] | None = None,
) -> Selectors:
    """The options as typer gives them."""
    return Selectors(
        clusters=tuple(clusters or ()),
        namespaces=tuple(namespaces or ()),
        accounts=tuple(accounts or ()),
        roles=tuple(roles or ()),
        waves=tuple(waves or ()),
    )


def clusters_of(fleet: "Fleet", chosen: Selectors) -> tuple["FleetCluster", ...]:
    """The clusters that the selectors leave.

    Raises:
        UsageError: none is left.
    """
    found = tuple(one for one in fleet.clusters if chosen.cluster(one.alias, one.account))
    if not found:
        known = ", ".join(f'"{one.alias}" (account {one.account})' for one in fleet.clusters)
        text = f"no cluster of the fleet file is selected by {chosen.given('cluster', 'account')}"
        raise UsageError(text, remedy=f"it has {known}")
    return found


def resolve(
    wanted: Iterable[str], services: Sequence[ServiceId], workloads: Callable[[], WorkloadNames]
) -> tuple[ServiceId, ...]:
    """The services meant by each of `wanted`, in the order asked for, each once.

    Args:
        wanted: a full id, NAMESPACE/SA, a ServiceAccount's name or a workload's name.
        services: every service that has a plan.
        workloads: names of each service's workloads; asked for only when a bare name has to be looked up.

    Raises:
        UsageError: one of `wanted` means no service, or more than one.
    """
    found = [_one(text, services, workloads) for text in wanted]
    return tuple(dict.fromkeys(found))


def _one(text: str, services: Sequence[ServiceId], workloads: Callable[[], WorkloadNames]) -> ServiceId:
    candidates = sorted(_candidates(text, services, workloads))
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        listed = ", ".join(f'"{service}"' for service in candidates[:_SHOWN])
        more = f" and {len(candidates) - _SHOWN} more" if len(candidates) > _SHOWN else ""
        raise UsageError(f'service "{text}" is ambiguous: {listed}{more}', remedy="give the whole id")
    raise _unknown(text, services, workloads)


def _candidates(
    text: str, services: Sequence[ServiceId], workloads: Callable[[], WorkloadNames]
) -> Collection[ServiceId]:
    parts = text.split("/")
    if len(parts) == 3:
        return [service for service in services if str(service) == text]
    if len(parts) == 2:
        return [service for service in services if [service.namespace, service.name] == parts]
    named = {service for service in services if service.name == text}
    return named | {service for service, names in workloads().items() if text in names}


def _unknown(text: str, services: Sequence[ServiceId], workloads: Callable[[], WorkloadNames]) -> UsageError:
    near = difflib.get_close_matches(text, _names_like(text, services, workloads), n=3)
    hint = f"did you mean {' or '.join(f'{chr(34)}{name}{chr(34)}' for name in near)}? " if near else ""
    if not services:
        return UsageError(f'service "{text}" is not known: there are no plans yet', remedy='run "migrate plan" first')
    return UsageError(
        f'service "{text}" is not known',
        remedy=f'{hint}"migrate status" lists the known ones, "migrate plan" finds new ones',
    )


def _names_like(text: str, services: Sequence[ServiceId], workloads: Callable[[], WorkloadNames]) -> list[str]:
    parts = text.count("/") + 1
    if parts == 3:
        return [str(service) for service in services]
    if parts == 2:
        return sorted({f"{service.namespace}/{service.name}" for service in services})
    names = {service.name for service in services}
    return sorted(names.union(*workloads().values()))


def _any(globs: tuple[str, ...], text: str) -> bool:
    return not globs or any(fnmatchcase(text, glob) for glob in globs)
