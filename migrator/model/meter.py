"""Counts the calls of a process: by AWS account and service, and by cluster. Thread-safe; nobody has to read it."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace

KUBERNETES = "kubernetes"  # the service of a cluster's API server


@dataclass(frozen=True, slots=True, order=True)
class Api:
    """What is called: a service of an AWS account as its endpoint is named (`iam`), or a cluster's API server."""

    owner: str  # the account's digits, or the cluster's alias
    service: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """How often one API was called. A call tried again counts as a call each time."""

    made: int = 0
    throttled: int = 0  # answered that it was one too many
    retried: int = 0  # made again because the one before failed in passing
    held: float = 0.0  # seconds that calls waited for our own limit


class Meter:
    """The counts of all APIs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: dict[Api, Calls] = {}

    def called(self, api: Api) -> None:
        """A request goes out."""
        self._add(api, made=1)

    def throttled(self, api: Api) -> None:
        """Its answer was that there were too many."""
        self._add(api, throttled=1)

    def retried(self, api: Api) -> None:
        """It failed in passing, and is about to be made again."""
        self._add(api, retried=1)

    def held(self, api: Api, seconds: float) -> None:
        """It had to wait for our own limit."""
        self._add(api, held=seconds)

    def counts(self) -> Mapping[Api, Calls]:
        """As they are now, sorted."""
        with self._lock:
            return dict(sorted(self._calls.items()))

    def _add(self, api: Api, *, made: int = 0, throttled: int = 0, retried: int = 0, held: float = 0.0) -> None:
        with self._lock:
            old = self._calls.get(api, Calls())
            self._calls[api] = replace(
                old,
                made=old.made + made,
                throttled=old.throttled + throttled,
                retried=old.retried + retried,
                held=old.held + held,
            )
