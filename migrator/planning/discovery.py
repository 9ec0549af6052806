"""What was listed, against the fleet file: which clusters are new, known or gone, and what the new ones are called."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from migrator.model.discovery import Entry, Known, Listed, Place
from migrator.model.fleet import FleetCluster

_LONGEST = 100  # characters of an alias, by the fleet file's schema


def compare(
    clusters: Sequence[FleetCluster], listed: Iterable[Listed], looked: Collection[Place], names: Sequence[str]
) -> list[Entry]:
    """Every cluster of `clusters` in its order, then the new ones by account, region and name.

    Args:
        clusters: those of the fleet file.
        listed: what EKS lists in the places of `looked`.
        looked: where was looked; what is elsewhere is not missed.
        names: globs over EKS names that were asked for; none: all.
    """
    found = {one for one in listed if asked_for(one.name, names)}
    known = [Entry(one, _known(one, found, looked, names)) for one in clusters]
    new = sorted(found - {_listed(one) for one in clusters})
    called = aliases(new, {one.alias for one in clusters})
    return [*known, *(Entry(_cluster(one, called[one]), Known.NEW) for one in new)]


def asked_for(name: str, globs: Sequence[str]) -> bool:
    """Whether a cluster of that name is meant."""
    return not globs or any(fnmatchcase(name, glob) for glob in globs)


def aliases(new: Sequence[Listed], taken: Collection[str]) -> Mapping[Listed, str]:
    """An alias for each: its name, else `NAME-REGION`, else `NAME-ACCOUNT-REGION`, the first that nobody else has.

    Two that differ in case only count as the same: plans are files, and some file systems take them for one.
    """
    used = {alias.casefold() for alias in taken}
    called: dict[Listed, str] = {}
    for number in range(3):
        left = [one for one in new if one not in called]
        wanted = {one: _candidates(one)[number] for one in left}
        times = Counter(alias.casefold() for alias in wanted.values())
        fitting = {
            one: alias for one, alias in wanted.items() if times[key := alias.casefold()] == 1 and key not in used
        }
        called.update(fitting)
        used.update(alias.casefold() for alias in fitting.values())
    for one in (one for one in new if one not in called):
        called[one] = next(alias for alias in _numbered(_candidates(one)[2]) if alias.casefold() not in used)
        used.add(called[one].casefold())
    return called


def _candidates(one: Listed) -> tuple[str, str, str]:
    region, account = one.place.region, one.place.account
    return one.name, _fitted(one.name, f"-{region}"), _fitted(one.name, f"-{account}-{region}")


def _numbered(alias: str) -> Iterator[str]:
    number = 2
    while True:
        yield _fitted(alias, f"-{number}")
        number += 1


def _fitted(name: str, tail: str) -> str:
    return name[: _LONGEST - len(tail)] + tail


def _known(one: FleetCluster, found: Collection[Listed], looked: Collection[Place], names: Sequence[str]) -> Known:
    missed = Place(one.account, one.region) in looked and asked_for(one.name, names) and _listed(one) not in found
    return Known.GONE if missed else Known.KNOWN


def _listed(one: FleetCluster) -> Listed:
    return Listed(Place(one.account, one.region), one.name)


def _cluster(one: Listed, alias: str) -> FleetCluster:
    return FleetCluster(alias=alias, name=one.name, region=one.place.region, account=one.place.account)
