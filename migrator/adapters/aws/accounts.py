"""How one account is reached: its botocore session, and the proof that it is the account meant."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.credentials import CredentialProvider, CredentialResolver, DeferredRefreshableCredentials
from botocore.session import Session

from migrator.adapters.aws.calls import AwsCalls
from migrator.model.errors import EnvironmentFault
from migrator.model.fleet import Account

if TYPE_CHECKING:
    from botocore.credentials import Credentials

_SHARED = ("data_loader", "endpoint_resolver")
_SESSION_NAME = "irsa-migrator"


@dataclass(frozen=True, slots=True)
class CallerIdentity:
    """Who AWS says we are; `partition` is `aws`, `aws-cn` ..."""

    account: str
    arn: str

    @property
    def partition(self) -> str:
        """Taken from the ARN, never assumed."""
        return self.arn.split(":")[1]


class _AssumedRole(CredentialProvider):
    """Credentials of a role, taken anew from STS before they expire."""

    METHOD = "irsa-migrator-assume-role"
    CANONICAL_NAME = None

    def __init__(self, account: Account, sts: Callable[[], Any]) -> None:
        super().__init__()
        self._account = account
        self._sts = sts

    def load(self) -> "Credentials":
        """Credentials that fetch themselves on first use."""
        return DeferredRefreshableCredentials(refresh_using=self._fetch, method=self.METHOD)

    def _fetch(self) -> dict[str, str]:
        wanted: dict[str, Any] = {"RoleArn": self._account.role, "RoleSessionName": _SESSION_NAME}
        if self._account.external_id:
            wanted["ExternalId"] = self._account.external_id
        answer = self._sts().assume_role(**wanted)["Credentials"]
        return {
            "access_key": answer["AccessKeyId"],
            "secret_key": answer["SecretAccessKey"],
            "token": answer["SessionToken"],
            "expiry_time": answer["Expiration"].isoformat(),
        }


class AccountSession:
    """One account's botocore sessions and clients; each made once, safe to use from several threads.

    A role is assumed, and its identity proven, in every region by itself: a region whose STS is throttled, switched off
    for the account or out of reach takes no other region with it.
    """

    def __init__(
        self, account: Account, base: Session, config: Config, making: threading.Lock, calls: AwsCalls
    ) -> None:
        self._account = account
        self._base = base
        self._config = config
        self._calls = calls
        self._making = making  # botocore's client creation is not thread-safe, over all sessions
        self._sessions: dict[str, Session] = {}
        self._clients: dict[tuple[str, str], Any] = {}
        self._proofs: dict[str, threading.Lock] = {}
        self._identities: dict[str, CallerIdentity] = {}

    def client(self, region: str, service: str) -> Any:
        """The client of that region and service."""
        with self._making:
            key = (region, service)
            if key not in self._clients:
                session = self._reach(region)
                self._clients[key] = session.create_client(service, region_name=region, config=self._config)
            return self._clients[key]

    @property
    def proven(self) -> frozenset[str]:
        """The regions that have told who we are."""
        return frozenset(self._identities)

    def identity(self, region: str) -> CallerIdentity:
        """Who we are there, asked once: per region where a role is assumed, once for all where none is.

        Raises:
            EnvironmentFault: it is another account than the one meant.
        """
        with self._making:
            proof = self._proofs.setdefault(region, threading.Lock())
        with proof:
            known = dict(self._identities)
            if region in known:
                return known[region]
            if known and not self._account.role:
                return next(iter(known.values()))
            found = self._prove(region)
            self._identities[region] = found
            return found

    def forget(self) -> None:
        """Asks AWS again at the next `identity`: after a refusal, to tell expired credentials from missing rights."""
        self._identities.clear()

    def credentials(self, region: str) -> Any:
        """The account's credentials as botocore keeps them, refreshing themselves; None when there are none."""
        self.client(region, "sts")
        with self._making:
            return self._reach(region).get_credentials()

    def _prove(self, region: str) -> CallerIdentity:
        answer = self.client(region, "sts").get_caller_identity()
        found = CallerIdentity(account=answer["Account"], arn=answer["Arn"])
        if self._account.id not in ("", found.account):  # the account of no id is whichever the credentials lead to
            raise EnvironmentFault(
                f'the credentials for account "{self._account.id}" lead to account "{found.account}" as "{found.arn}"',
                remedy=f'give account "{self._account.id}" its own profile or role under "accounts" in the fleet file',
            )
        return found

    def _reach(self, region: str) -> Session:
        """The session, made at first use; called with the lock held."""
        key = region if self._account.role else ""
        if key not in self._sessions:
            session = self._fresh()
            self._sessions[key] = self._assumed(session, region) if self._account.role else session
        return self._sessions[key]

    def _assumed(self, source: Session, region: str) -> Session:
        sts = source.create_client("sts", region_name=region, config=self._config)
        assumed = self._fresh()
        resolver = CredentialResolver([_AssumedRole(self._account, lambda: sts)])
        assumed.register_component("credential_provider", resolver)
        return assumed

    def _fresh(self) -> Session:
        session = Session(profile=self._account.profile or None)
        session.set_config_variable("sts_regional_endpoints", "regional")  # else STS of `aws` may sign for us-east-1
        for name in _SHARED:
            session.register_component(name, self._base.get_component(name))
        self._calls.watch(session, self._account.id)
        return session
