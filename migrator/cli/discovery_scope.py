"""Where `migrate fleet discover` looks: which accounts, how each is reached, in which regions."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from migrator.adapters.aws.discovery import home_region, regions_like
from migrator.adapters.aws.sessions import AwsSessions
from migrator.model.discovery import Place, Unreached
from migrator.model.errors import UsageError
from migrator.model.fleet import Account, Fleet, FleetCluster, SqliteState

_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-[0-9]+")
_ACCOUNT = re.compile(r"[0-9]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was asked for on the command line."""

    file: Path
    accounts: tuple[str, ...] = ()  # ID or ID=PROFILE
    regions: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    profile: str = ""
    role_name: str = ""
    external_id: str = ""
    out: Path | None = None
    dry_run: bool = False

    @property
    def target(self) -> Path:
        """The file to write."""
        return self.out or self.file


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Every place to look in, and the AWS of the accounts; `nowhere` are accounts for which no region was named."""

    sessions: AwsSessions
    accounts: tuple[Account, ...]
    clusters: tuple[FleetCluster, ...]  # of the fleet file
    known: frozenset[str]  # accounts of the fleet file
    places: tuple[Place, ...]
    nowhere: tuple[Unreached, ...]


def scope_of(wish: Wish, fleet: Fleet | None) -> Scope:
    """What the options and the fleet file, if there is one, come to.

    Raises:
        UsageError: they contradict each other, or name no region.
        EnvironmentFault: there is no such profile, or no account that the credentials lead to.
    """
    clusters = fleet.clusters if fleet else ()
    known = {account: fleet.account(account) for account in _accounts_of(fleet)} if fleet else {}
    regions = _regions(wish, clusters)
    accounts = _Accounts(wish, known, regions).all()
    sessions = _reaching(wish, accounts)
    partitions = {one.id: _partition(sessions, one, clusters) for one in accounts}
    places = {
        account: [Place(account, region) for region in regions if partition in ("", sessions.partition_of(region))]
        for account, partition in partitions.items()
    }
    return Scope(
        sessions=sessions,
        accounts=accounts,
        clusters=clusters,
        known=frozenset(known),
        places=tuple(place for some in places.values() for place in some),
        nowhere=tuple(
            Unreached(Place(account, ""), f'no region of its partition "{partitions[account]}" was asked for')
            for account, some in places.items()
            if not some
        ),
    )


class _Accounts:
    """The accounts to look in; those that the fleet file has are reached as it says."""

    def __init__(self, wish: Wish, known: dict[str, Account], regions: Sequence[str]) -> None:
        self._wish = wish
        self._known = known
        self._regions = regions

    def all(self) -> tuple[Account, ...]:
        """Those asked for, else those of the fleet file, else the one that the credentials lead to."""
        wanted = [_split(text) for text in self._wish.accounts] or [(account, "") for account in self._known]
        if not wanted:
            whoever = _reaching(self._wish, (Account(id="", profile=self._wish.profile),))
            wanted = [(whoever.identity("", self._regions[0]).account, "")]
        found = [self._reached_so(account, profile) for account, profile in wanted]
        return tuple({one.id: one for one in found}.values())

    def _reached_so(self, account: str, profile: str) -> Account:
        entry = self._known.get(account)
        if entry is None:
            return Account(id=account, profile=profile) if profile else self._new(account)
        if profile not in ("", entry.profile):
            way = f'profile "{entry.profile}"' if entry.profile else "no profile"
            raise UsageError(
                f'account "{account}" is reached by {way} in {self._wish.file}, not by "{profile}"',
                remedy=f'leave out "={profile}", or correct the fleet file',
            )
        return entry

    def _new(self, account: str) -> Account:
        profile = self._wish.profile
        role = self._wish.role_name.replace("{account}", account).removeprefix("/")
        if not role:
            return Account(id=account, profile=profile)
        sessions = _reaching(self._wish, ())
        partition = sessions.partition_of(home_region(sessions, profile) or self._regions[0])
        arn = f"arn:{partition}:iam::{account}:role/{role}"
        return Account(id=account, profile=profile, role=arn, external_id=self._wish.external_id)


def _accounts_of(fleet: Fleet) -> list[str]:
    return list(dict.fromkeys([*(one.id for one in fleet.accounts), *(one.account for one in fleet.clusters)]))


def _split(text: str) -> tuple[str, str]:
    account, _, profile = text.partition("=")
    if not _ACCOUNT.fullmatch(account):
        raise UsageError(
            f'"--account {text}" names no account', remedy='give twelve digits, then "=PROFILE" if need be'
        )
    return account, profile


def _regions(wish: Wish, clusters: Sequence[FleetCluster]) -> list[str]:
    given = wish.regions or tuple(one.region for one in clusters)
    if not given:
        given = tuple(filter(None, [home_region(_reaching(wish, ()), wish.profile)]))
    found = regions_like(given)
    remedy = 'give one, such as "--region eu-west-1", or a glob, such as "--region \'eu-*\'"'
    if not found:
        asked = ", ".join(f'"{one}"' for one in wish.regions)
        raise UsageError(f"no region with EKS fits {asked}" if asked else "no region is named", remedy=remedy)
    for region in found:
        if not _REGION.fullmatch(region):
            raise UsageError(f'"--region {region}" names no region', remedy=remedy)
    return found


def _partition(sessions: AwsSessions, account: Account, clusters: Sequence[FleetCluster]) -> str:
    """By its role, its clusters or its profile's region; empty where none of them tells."""
    if account.role:
        return account.role.split(":")[1]
    own = [one.region for one in clusters if one.account == account.id]
    region = own[0] if own else home_region(sessions, account.profile)
    return sessions.partition_of(region) if region else ""


def _reaching(wish: Wish, accounts: tuple[Account, ...]) -> AwsSessions:
    nowhere = wish.file.parent
    state = SqliteState(nowhere)
    return AwsSessions(Fleet(file=wish.file, state=state, plans=nowhere, clusters=(), accounts=accounts))
