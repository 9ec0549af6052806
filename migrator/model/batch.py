"""What a batch run is allowed, as the fleet file says it, and what it tells when it is over."""

from collections.abc import Mapping
from dataclasses import dataclass

from migrator.model.exits import Exit
from migrator.model.ids import ServiceId


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceEnded:
    """How one service's turn in the batch ended, and how many seconds it took."""

    service: ServiceId
    exit: Exit
    message: str
    seconds: float


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
    breakers: Mapping[str, str]  # cluster alias -> why its breaker is open
    standings: Mapping[str, int]  # standing -> how many services of the fleet
