"""The work behind `migrate fleet discover`: all places at once, then the fleet file."""

import difflib
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from migrator.adapters.aws.discovery import Discovery
from migrator.adapters.aws.sessions import AwsSessions
from migrator.cli.discovery_scope import Wish, scope_of
from migrator.cli.wiring import shown
from migrator.model.discovery import Entry, Known, Listed, Place, Unreached
from migrator.model.errors import MigrateError, UsageError
from migrator.planning.discovery import asked_for, compare
from migrator.render.views.fleet import Discovered, Reached
from migrator.store.fleet_file import load_fleet
from migrator.store.fleet_merge import merged, read_text, write

_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class _Looked:
    """A place that answered: what EKS lists there, and as whom it was asked."""

    place: Place
    names: Sequence[str]
    caller: str


def run_discovery(wish: Wish) -> Discovered:
    """Lists the clusters of every place and writes the fleet file, unless it is a dry run or there is nothing new.

    Raises:
        DocumentError: the fleet file cannot be used, or is written so that nothing can be added.
        UsageError: the options contradict each other or the fleet file, or name no region.
        EnvironmentFault: there is no account to look in.
        StoreFault: the file cannot be written.
    """
    if wish.out is not None and wish.out.exists():
        raise UsageError(f'"{wish.out}" is there already', remedy="name a new file")
    text = read_text(wish.file)
    scope = scope_of(wish, load_fleet(wish.file) if text is not None else None)
    outcomes = _everywhere(scope.sessions, scope.places)
    looked = [one for one in outcomes if isinstance(one, _Looked)]
    listed = [Listed(one.place, name) for one in looked for name in one.names if asked_for(name, wish.names)]
    entries = compare(scope.clusters, listed, {one.place for one in looked}, wish.names)
    callers = {one.place.account: one.caller for one in reversed(looked)}
    reached = [Reached(one, callers[one.id]) for one in scope.accounts if one.id in callers]
    made = _with_new(wish, text, scope.known, entries, reached)
    changes = made is not None and (made != text or wish.out is not None)
    if made is not None and changes and not wish.dry_run:
        write(wish.target, made, seen=None if wish.out else text)
    return Discovered(
        file=shown(wish.target),
        dry_run=wish.dry_run,
        written=changes and not wish.dry_run,
        entries=entries,
        reached=reached,
        left_out=sorted([*scope.nowhere, *(one for one in outcomes if isinstance(one, Unreached))]),
        diff=_diff(text or "", made or "", shown(wish.target)),
    )


def _everywhere(sessions: AwsSessions, places: Sequence[Place]) -> list[_Looked | Unreached]:
    discovery = Discovery(sessions)

    def look(place: Place) -> _Looked | Unreached:
        try:
            names = discovery.clusters(place.account, place.region)
            return _Looked(place, names, sessions.identity(place.account, place.region).arn)
        except MigrateError as error:
            return Unreached(place, error.sentence().removeprefix(f'reaching account "{place.account}": '))

    with ThreadPoolExecutor(max_workers=min(_AT_ONCE, len(places) or 1)) as pool:
        return list(pool.map(look, places))


def _with_new(
    wish: Wish, text: str | None, known: Collection[str], entries: Sequence[Entry], reached: Sequence[Reached]
) -> str | None:
    """The file with what is new in it; accounts that the environment's credentials lead to need no entry."""
    clusters = [one.cluster for one in entries if one.known is Known.NEW]
    accounts = [one.account for one in reached if one.account.id not in known]
    return (
        merged(wish.target, text, clusters, [one for one in accounts if one.profile or one.role]) if clusters else text
    )


def _diff(before: str, after: str, name: str) -> tuple[str, ...]:
    old, new = before.splitlines(), after.splitlines()
    return tuple(difflib.unified_diff(old, new, name, f"{name} (with what was found)", lineterm=""))
