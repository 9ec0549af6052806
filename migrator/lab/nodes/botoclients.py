"""botocore clients that know only what they are told: no environment, no config files, no proxies."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES, ConstantProvider
from botocore.credentials import Credentials, ReadOnlyCredentials

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.model import ServiceModel


_TIMEOUT = 20.0


@dataclass(frozen=True)
class Keys:
    """Credentials to sign with."""

    access_key: str
    secret_key: str
    token: str | None = None


class _Borrowed(Credentials):
    """Where botocore looks for credentials: they are the keys with which this thread signs now."""

    def __init__(self) -> None:
        super().__init__("", "", method="borrowed")
        self._of_thread = threading.local()

    def load_credentials(self) -> _Borrowed:
        """As botocore asks for them, once for each client."""
        return self

    @contextmanager
    def lent(self, keys: Keys) -> Iterator[None]:
        """This thread signs with them for the block."""
        self._of_thread.keys = keys
        try:
            yield
        finally:
            del self._of_thread.keys

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """As botocore asks for them, once for each call."""
        keys: Keys = self._of_thread.keys
        return ReadOnlyCredentials(keys.access_key, keys.secret_key, keys.token)


class Clients:
    """Makes clients for one endpoint; safe to share between threads."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._session = botocore.session.Session()
        store = self._session.get_component("config_store")
        for name, (_, _, default, _) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items():
            store.set_config_provider(name, ConstantProvider(default))
        for name in ("config_file", "credentials_file"):
            store.set_config_provider(name, ConstantProvider(os.devnull))
        self._borrowed = _Borrowed()
        self._session.register_component("credential_provider", self._borrowed)
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str, bool], Any] = {}

    def services(self) -> list[str]:
        """The names of all services."""
        with self._lock:
            return list(self._session.get_available_services())

    def model(self, service: str) -> ServiceModel:
        """A service's model."""
        with self._lock:
            return self._session.get_service_model(service)

    def client(self, service: str, region: str, keys: Keys | None, *, timeout: float = _TIMEOUT) -> Any:
        """A client; one that does not sign when there are no keys."""
        return self._new(service, region, keys, signs=keys is not None, timeout=timeout)

    @contextmanager
    def kept(self, service: str, region: str, keys: Keys | None) -> Iterator[Any]:
        """A client that all share, since making one is dear; in the block, this thread signs with these keys."""
        place = (service, region, keys is not None)
        if place not in self._kept:
            self._kept[place] = self._new(service, region, None, signs=keys is not None)
        with self._borrowed.lent(keys) if keys is not None else nullcontext():
            yield self._kept[place]

    def _new(self, service: str, region: str, keys: Keys | None, *, signs: bool, timeout: float = _TIMEOUT) -> Any:
        config = Config(
            proxies={},
            connect_timeout=timeout,
            read_timeout=timeout,
            retries={"mode": "standard", "total_max_attempts": 3},
            s3={"addressing_style": "path"},
            signature_version=None if signs else UNSIGNED,
            user_agent="aws-cli/2.31.0 practice-fleet",
        )
        with self._lock:
            return self._session.create_client(
                service,
                region_name=region,
                endpoint_url=self._endpoint,
                aws_access_key_id=keys.access_key if keys else None,
                aws_secret_access_key=keys.secret_key if keys else None,
                aws_session_token=keys.token if keys else None,
                config=config,
            )
