"""Who signed a request: access keys of administrators, of IAM users, and of sessions the front has issued."""

from __future__ import annotations

import secrets
import string
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from migrator.lab.aws.errors import ApiError
from migrator.lab.aws.models import partition_of
from migrator.lab.aws.policy import Principal
from migrator.lab.aws.ports import LAB_SECRET, Clock, lab_access_key, own_access_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from migrator.lab.aws.iam_store import IamStore

_LETTERS = string.ascii_uppercase + string.digits
ADMIN_NAME = "lab-admin"


@dataclass(frozen=True)
class Session:
    """What a caller has beyond its role's name when it acts by temporary credentials.

    Attributes:
        role_arn: the role, path and all.
        role_id: the role's `AROA...` id.
        name: session name.
        token: session token the client must send.
        expires: when the credentials end.
        tags: session tags.
        transitive: which of them stay on in a chain.
        policies: session policies; each must allow what is asked.
        chained: whether the session was itself assumed by a session.
        federated: ARN of the OIDC provider for web identity, else empty.
    """

    role_arn: str
    role_id: str
    name: str
    token: str
    expires: datetime
    tags: Mapping[str, str] = field(default_factory=dict)
    transitive: frozenset[str] = frozenset()
    policies: tuple[str, ...] = ()
    chained: bool = False
    federated: str = ""


@dataclass(frozen=True)
class Caller:
    """An identity: `kind` is `admin`, `user` or `session`."""

    kind: str
    account: str
    partition: str
    arn: str
    user_id: str
    access_key: str
    secret: str
    session: Session | None = None

    @property
    def principal(self) -> Principal:
        """The caller as policies name it."""
        names = {self.arn, self.user_id}
        if self.session:
            names |= {self.session.role_arn, self.session.role_id}
        return Principal("AWS", frozenset(names), self.account, self.partition)

    @property
    def principal_arn(self) -> str:
        """Value of `aws:PrincipalArn`: a session's role, otherwise the caller itself."""
        return self.session.role_arn if self.session else self.arn

    @property
    def username(self) -> str:
        """The name CloudTrail looks a caller up by."""
        return self.session.name if self.session else self.arn.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Credentials:
    """Temporary credentials, and the caller they make."""

    access_key: str
    secret: str
    token: str
    expires: datetime
    caller: Caller


@dataclass(frozen=True)
class SessionWish:
    """What a session shall be like."""

    role: Any
    name: str
    seconds: int
    tags: Mapping[str, str] = field(default_factory=dict)
    transitive: frozenset[str] = frozenset()
    policies: tuple[str, ...] = ()
    chained: bool = False
    federated: str = ""


class Callers:
    """Access keys to identities."""

    def __init__(self, accounts: Iterable[str], iam: IamStore, clock: Clock) -> None:
        self._accounts = {lab_access_key(account): account for account in accounts}
        self._own = {own_access_key(account): account for account in self._accounts.values()}
        self._iam = iam
        self._clock = clock
        self._sessions: dict[str, Caller] = {}
        self._lock = threading.Lock()

    def identify(self, key: str, token: str, region: str) -> Caller:
        """The caller of a key and session token.

        Raises:
            ApiError: `InvalidKey` for an unknown one, `ExpiredKey` for one that has ended; the pipeline gives them
                the name they have in the service called.
        """
        if key in self._accounts:
            return self._admin(key, self._accounts[key], region)
        if key in self._own:
            return self._admin(key, self._own[key], region)
        with self._lock:
            caller = self._sessions.get(key)
        if caller is not None and caller.session is not None:
            if not secrets.compare_digest(caller.session.token, token):
                raise ApiError("InvalidKey", "The security token included in the request is invalid.", 403)
            if caller.session.expires <= self._clock():
                raise ApiError("ExpiredKey", "The security token included in the request is expired", 403)
            return caller
        user = self._user(key, region)
        if user is None:
            raise ApiError("InvalidKey", "The security token included in the request is invalid.", 403)
        return user

    def _admin(self, key: str, account: str, region: str) -> Caller:
        partition = partition_of(region)
        arn = f"arn:{partition}:iam::{account}:user/{ADMIN_NAME}"
        return Caller("admin", account, partition, arn, f"AIDALAB00{account}", key, LAB_SECRET)

    def _user(self, key: str, region: str) -> Caller | None:
        partition = partition_of(region)
        for account in self._accounts.values():
            found = self._iam.user_of_key(account, partition, key)
            if found is not None:
                user, secret = found
                return Caller("user", account, partition, str(user.arn), str(user.id), key, secret)
        return None

    def open_session(self, wish: SessionWish) -> Credentials:
        """New temporary credentials for a role, which the front accepts from now on."""
        role = wish.role
        account, partition = str(role.account_id), str(role.partition)
        key = "ASIA" + "".join(secrets.choice(_LETTERS) for _ in range(16))
        token, secret = secrets.token_urlsafe(96), secrets.token_urlsafe(30)
        expires = self._clock() + timedelta(seconds=wish.seconds)
        session = Session(
            role_arn=str(role.arn),
            role_id=str(role.id),
            name=wish.name,
            token=token,
            expires=expires,
            tags=dict(wish.tags),
            transitive=wish.transitive,
            policies=wish.policies,
            chained=wish.chained,
            federated=wish.federated,
        )
        arn = f"arn:{partition}:sts::{account}:assumed-role/{role.name}/{wish.name}"
        caller = Caller("session", account, partition, arn, f"{role.id}:{wish.name}", key, secret, session)
        with self._lock:
            self._sessions[key] = caller
        self._iam.mark_used(role, self._clock())
        return Credentials(key, secret, token, expires, caller)
