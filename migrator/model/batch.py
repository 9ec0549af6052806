"""What a batch run is allowed, as the fleet file says it, and what it tells when it is over."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from migrator.model.exits import Exit
from migrator.model.ids import ServiceId
from migrator.model.windows import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much goes on at once: `services` in one process, `per_cluster` and `per_role` over every worker of the fleet.

    `api_rate`: calls per second that one process makes to one account.
    """

    services: int = 4
    per_cluster: int = 2
    per_role: int = 1
    api_rate: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How much may fail before nothing more is started: a number, or a share of what ended, within so many seconds."""

    failures: int = 10
    share: float = 0.2
    within: float = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPolicy:
    """What holds for every batch run of the fleet; times in seconds."""

    limits: Limits = field(default_factory=Limits)
    windows: tuple[Window, ...] = ()  # none: always open
    budget: Budget = field(default_factory=Budget)
    breaker: int = 3  # failures in a row in one cluster
    canary: int = 1  # that many services first, in each cluster
    soak: float = 0.0  # how long a migrated service is looked at again
    longest: float = 2700.0  # what a service is taken to need at most, its way back included
    metrics: Path | None = None
    notify: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceEnded:
    """How one service's turn in the batch ended, and after how many seconds.

    `left_to` is whose annotation it left in place, if anybody's.
    """

    service: ServiceId
    exit: Exit
    message: str
    seconds: float
    left_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLeft:
    """One service that no run goes on with before a person has done something, and why.

    `cluster_waits`: it is among its cluster's first services, and the others are not begun before it is over.
    """

    service: ServiceId
    why: str
    cluster_waits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What one batch run did.

    `reason` is why it is over: done, window, until, max-services, budget, signal, credentials or store.
    """

    run: str
    worker: str
    began: str
    ended: str
    reason: str
    exit: Exit
    services: tuple[ServiceEnded, ...]
    left: Mapping[str, int]  # what is still to do, by why it was not done
    for_a_person: tuple[ServiceLeft, ...]  # of those, the ones that no later run does by itself
    breakers: Mapping[str, str]  # cluster alias -> why its breaker is open
    standings: Mapping[str, int]  # standing -> how many services of the fleet
