"""How a command ended for one service."""

from dataclasses import dataclass

from migrator.model.exits import Exit
from migrator.model.ids import ServiceId


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a command ended for one service."""

    service: ServiceId
    exit: Exit
    message: str
