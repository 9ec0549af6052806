"""IAM: what roles may do, many at a time, as one planning sees it.

GetAccountAuthorizationDetails gives roles and the account's own managed policies in pages of the whole account; where
it is refused, or few roles are wanted, each role is asked for. Clusters that are planned together share what was read:
the pages of an account are read once for all of them, and a policy of AWS's own, the same in every account, once.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from migrator.adapters.aws.permission_reading import Reading, unread_role
from migrator.adapters.aws.sessions import AwsSessions
from migrator.model.errors import EnvironmentFault
from migrator.model.facts import Role
from migrator.model.ids import RoleArn
from migrator.model.permissions import Permissions, readable

BULK = 10  # more roles than this of one account are read with one listing: a role by itself takes four calls or more


class IamPermissions:
    """What roles may do; thread-safe. `expected` are ARNs of roles that will be asked for, as far as that is known."""

    def __init__(self, sessions: AwsSessions, expected: Iterable[str] = ()) -> None:
        self._sessions = sessions
        self._expected: dict[str, set[str]] = defaultdict(set)
        for arn in expected:
            parsed = RoleArn.parse(arn)
            if parsed is not None:
                self._expected[parsed.account].add(arn)
        self._guard = threading.Lock()
        self._accounts: dict[str, _Account] = {}
        self._of_aws = _OfAws()

    def of_account(self, account: str, wanted: Sequence[Role]) -> Mapping[str, Permissions]:
        """The permissions of the wanted roles, which are all of that account, by ARN; what is refused is told of.

        Raises:
            CredentialsExpired: nothing more can be read until they are renewed.
        """
        try:
            return self._account(account, wanted[0].arn.split(":")[1]).permissions(wanted)
        except EnvironmentFault as error:
            return {role.arn: Permissions(unread=(unread_role(role.arn, error.message),)) for role in wanted}

    def _account(self, account: str, partition: str) -> "_Account":
        client = self._sessions.iam(account, partition)
        with self._guard:
            if account not in self._accounts:
                reading = Reading(self._sessions, client, account, self._of_aws.document)
                self._accounts[account] = _Account(reading, self._expected[account])
            return self._accounts[account]


class _Account:
    """What was read of one account; two clusters with roles there wait for one reading."""

    def __init__(self, reading: Reading, expected: set[str]) -> None:
        self._reading = reading
        self._expected = expected
        self._lock = threading.Lock()
        self._known: dict[str, Permissions] = {}

    def permissions(self, wanted: Sequence[Role]) -> Mapping[str, Permissions]:
        with self._lock:
            new = [role for role in wanted if role.arn not in self._known]
            if new:
                found = self._read(new)
                self._known |= {arn: readable(permissions) for arn, permissions in found.items()}
            return {role.arn: self._known[role.arn] for role in wanted if role.arn in self._known}

    def _read(self, new: Sequence[Role]) -> Mapping[str, Permissions]:
        """In bulk, whoever else will be asked for is read along; whoever is not there then is not looked for again."""
        arns = {role.arn for role in new} | (self._expected - self._known.keys())
        found = self._reading.in_bulk(arns) if len(arns) > BULK else None
        if found is None:
            return {role.arn: self._reading.one(role) for role in new}
        self._expected = set()
        return found


class _OfAws:
    """AWS's managed policies by ARN, each read once, whoever asks for it first."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._reading: dict[str, threading.Lock] = {}
        self._known: dict[str, str] = {}

    def document(self, arn: str, read: Callable[[], str | None]) -> str | None:
        with self._guard:
            lock = self._reading.setdefault(arn, threading.Lock())
        with lock:
            if arn not in self._known and (found := read()) is not None:
                self._known[arn] = found
            return self._known.get(arn)
