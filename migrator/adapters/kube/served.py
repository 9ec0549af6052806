"""Which kinds a cluster serves, and in which version: discovery, in the form that every Kubernetes has."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from migrator.adapters.kube.connection import KubeConnection
from migrator.adapters.kube.pages import decoded
from migrator.adapters.kube.workload_structs import Served

_GROUPS = "/apis"


class GroupVersion(Struct, frozen=True):
    """A version of an API group."""

    version: str = ""


class Group(Struct, rename="camel", frozen=True):
    """An API group and its versions."""

    name: str = ""
    versions: list[GroupVersion] | None = None
    preferred_version: GroupVersion = GroupVersion()


class Groups(Struct, frozen=True):
    """An APIGroupList."""

    groups: list[Group] | None = None


def paths(connection: KubeConnection, wanted: Mapping[str, Iterable[str]]) -> Mapping[tuple[str, str], str]:
    """The paths of collections by group and resource, each in the version its group prefers, or else the next one.

    One request, and one more for each version of a wanted group that is there. What is not served is left out.

    Args:
        connection: the cluster.
        wanted: resources by group.
    """
    found: dict[tuple[str, str], str] = {}
    for group, versions in _versions(connection).items():
        missing = set(wanted.get(group, ()))
        for version in versions:
            if not missing:
                break
            there = missing & _resources(connection, f"{_GROUPS}/{group}/{version}")
            found.update({(group, resource): f"{_GROUPS}/{group}/{version}/{resource}" for resource in there})
            missing -= there
    return found


def _versions(connection: KubeConnection) -> Mapping[str, Sequence[str]]:
    """The versions of each group, the preferred one first."""
    doing = "asking which API groups there are"
    groups = decoded(connection.get(_GROUPS, doing=doing), Groups, doing=doing).groups or ()
    return {one.name: _preferred_first(one) for one in groups}


def _preferred_first(group: Group) -> list[str]:
    versions = [one.version for one in group.versions or ()]
    return sorted(versions, key=lambda version: version != group.preferred_version.version)


def _resources(connection: KubeConnection, path: str) -> set[str]:
    """The resources of a version; none when it is gone by now."""
    doing = f'asking what "{path}" serves'
    body = connection.find(path, doing=doing)
    return set() if body is None else {one.name for one in decoded(body, Served, doing=doing).resources or ()}
