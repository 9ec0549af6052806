"""Policies of buckets and the like: what there is comes in pages, and each policy takes a call of its own.

An account may have tens of thousands: several kinds are read side by side, and several things of each. What is refused
for the first few things of a kind is not asked for the others.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from botocore.exceptions import ClientError

from migrator.adapters.aws.errors import code_of
from migrator.adapters.aws.resource_kinds import KINDS, Kind, Place, Thing
from migrator.adapters.aws.sessions import AwsSessions
from migrator.model.errors import MigrateError
from migrator.model.facts import Unread
from migrator.model.resource_policies import ResourcePolicies, ResourcePolicy

_KINDS_AT_ONCE = 4
_THINGS_AT_ONCE = 8  # as many as a client has connections
_TRIAL = 3  # refusals in a row after which a kind is left alone
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
        first = [self._policy(kind, place, thing) for thing in things[:_TRIAL]]
        if len(things) > _TRIAL and all(isinstance(answer, str) for answer in first):
            return [], (Unread(what=_all(kind, place), why=str(first[0])),)
        with ThreadPoolExecutor(max_workers=_THINGS_AT_ONCE) as pool:
            answers = [*first, *pool.map(partial(self._policy, kind, place), things[_TRIAL:])]
        refused = [(thing.name, why) for thing, why in zip(things, answers, strict=True) if isinstance(why, str)]
        return [one for one in answers if isinstance(one, ResourcePolicy)], _told(kind, place, refused)

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
            doing = f"reading the policy of {kind.called} {thing.name}"
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


def _all(kind: Kind, place: Place) -> str:
    return f"policies of {kind.called}s of {place if kind.regional else f'account {place.account}'}"


def _told(kind: Kind, place: Place, refused: Sequence[tuple[str, str]]) -> tuple[Unread, ...]:
    """One line with the first reason, however many things it is about."""
    if not refused:
        return ()
    names = [name for name, _ in refused]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    few = f"policies of {kind.called}s {', '.join(names[:_NAMED])}{more}" if len(names) > 1 else ""
    what = few or f"policy of {kind.called} {names[0]}"
    return (Unread(what=f"{what} of account {place.account}", why=refused[0][1]),)
