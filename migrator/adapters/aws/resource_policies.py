"""Policies of buckets and the like: what there is comes in pages, and each policy takes a call of its own.

An account may have tens of thousands: several kinds are read side by side, and several things of each. Where the first
few things of a region are all refused, or out of reach, the others there are not asked for.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from botocore.exceptions import ClientError

from migrator.adapters.aws.errors import code_of
from migrator.adapters.aws.resource_kinds import KINDS, Kind, Place, Thing
from migrator.adapters.aws.sessions import AwsSessions
from migrator.model.errors import MigrateError
from migrator.model.facts import Unread
from migrator.model.resource_policies import ResourcePolicies, ResourcePolicy

_KINDS_AT_ONCE = 8
_THINGS_AT_ONCE = 8  # as many as a client has connections
_TRIAL = 3  # so many refused, and no more is asked for in their region
_NAMED = 3
_GONE = frozenset(
    {
        "AWS.SimpleQueueService.NonExistentQueue",
        "NoSuchBucket",
        "NoSuchBucketPolicy",
        "NotFound",
        "NotFoundException",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
    }
)
_Answer = ResourcePolicy | str | None  # the policy, or why it cannot be read; None without one


class ResourceReading:
    """The port `ResourceReader`."""

    def __init__(self, sessions: AwsSessions) -> None:
        self._sessions = sessions

    def read(self, places: Iterable[tuple[str, str]]) -> ResourcePolicies:
        """The policies of all things of these accounts in these regions; buckets of whichever region."""
        jobs = _jobs(sorted(places))
        with ThreadPoolExecutor(max_workers=_KINDS_AT_ONCE) as pool:
            parts = list(pool.map(lambda job: self._of_kind(*job), jobs))
        unread: dict[str, tuple[Unread, ...]] = defaultdict(tuple)
        for (_, place), (_, told) in zip(jobs, parts, strict=True):
            unread[place.account] += told
        return ResourcePolicies(found=tuple(sorted(one for found, _ in parts for one in found)), unread=unread)

    def _of_kind(self, kind: Kind, place: Place) -> tuple[list[ResourcePolicy], tuple[Unread, ...]]:
        try:
            things = self._things(kind, place)
        except MigrateError as error:
            return [], (Unread(what=_all(kind, place), why=error.message),)
        regions: dict[str, list[Thing]] = defaultdict(list)
        for thing in things:
            regions[thing.region or place.region].append(thing)
        with ThreadPoolExecutor(max_workers=_THINGS_AT_ONCE) as pool:
            answers = _answers(regions, partial(pool.map, partial(self._policy, kind, place)))
        told = (_told(kind, Place(place.account, region), regions[region], some) for region, some in answers.items())
        found = [one for some in answers.values() for one in some if isinstance(one, ResourcePolicy)]
        return found, tuple(one for one in told if one is not None)

    def _things(self, kind: Kind, place: Place) -> list[Thing]:
        doing = f"listing the {kind.called}s of {place}"
        client = self._sessions.regional(place.account, place.region, kind.service)
        partition = self._sessions.identity(place.account, place.region).partition
        found: list[Thing] = []
        token: str | None = None
        while True:
            page = partial(kind.page, client, token)
            rows, token = self._sessions.run(page, doing=doing, service=kind.service)
            found += [kind.thing(row, place, partition) for row in rows]
            if not token:
                return sorted(found)

    def _policy(self, kind: Kind, place: Place, thing: Thing) -> _Answer:
        """The policy of a thing; one that is gone by now has none."""
        try:
            client = self._sessions.regional(place.account, thing.region or place.region, kind.service)
            doing = f"reading the policy of {kind.called} {thing.shown}"
            text = self._sessions.run(lambda: _document(kind, client, thing), doing=doing, service=kind.service)
        except MigrateError as error:
            return error.message
        if not text:
            return None
        called, decides = kind.called, kind.decides
        return ResourcePolicy(arn=thing.arn, kind=called, account=place.account, document=text, decides=decides)


def _document(kind: Kind, client: object, thing: Thing) -> str | None:
    try:
        return kind.policy(client, thing.name)
    except ClientError as error:
        if code_of(error) in _GONE:
            return None
        raise


def _jobs(places: Sequence[tuple[str, str]]) -> list[tuple[Kind, Place]]:
    """What is read where: kinds that are listed for all regions at once in the first of the account's."""
    first = dict(reversed(places))
    return [
        (kind, Place(account, region))
        for account, region in places
        for kind in KINDS
        if kind.regional or first[account] == region
    ]


def _answers(
    regions: Mapping[str, Sequence[Thing]], read: Callable[[Sequence[Thing]], Iterable[_Answer]]
) -> Mapping[str, Sequence[_Answer]]:
    """What comes of the things of each region; less of those where the first few are all refused."""
    begun = {region: read(things[:_TRIAL]) for region, things in regions.items()}
    first = {region: list(answers) for region, answers in begun.items()}
    left = {region for region, answers in first.items() if all(isinstance(one, str) for one in answers)}
    rest = {region: read(things[_TRIAL:]) for region, things in regions.items() if region not in left}
    return {region: [*answers, *rest.get(region, ())] for region, answers in first.items()}


def _all(kind: Kind, place: Place) -> str:
    return f"policies of {kind.called}s of {place if kind.regional else f'account {place.account}'}"


def _told(kind: Kind, place: Place, things: Sequence[Thing], answers: Sequence[_Answer]) -> Unread | None:
    """One line with the first reason, however many things of the place it is about."""
    refused = [(thing.shown, why) for thing, why in zip(things, answers, strict=False) if isinstance(why, str)]
    if not refused:
        return None
    names = ", ".join(name for name, _ in refused[:_NAMED])
    more = f" and {len(refused) - _NAMED} more" if len(refused) > _NAMED else ""
    few = f"policies of {kind.called}s {names}{more}" if len(refused) > 1 else f"policy of {kind.called} {names}"
    what = few if len(answers) == len(things) else f"policies of {kind.called}s"
    return Unread(what=f"{what} of {place}", why=refused[0][1])
