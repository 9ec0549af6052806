"""How a command ended for one service."""

from dataclasses import dataclass

from migrator.model.errors import MigrateError
from migrator.model.exits import Exit
from migrator.model.ids import ServiceId


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a command ended for one service; `left_to` is whose annotation it left in place, if anybody's."""

    service: ServiceId
    exit: Exit
    message: str
    left_to: str = ""


class Stranded(MigrateError):
    """The way back failed too, at that step."""

    exit = Exit.STRANDED
    code = "stranded"

    def __init__(self, service: ServiceId, step: str, reason: str) -> None:
        super().__init__(
            f'the way back of "{service}" failed at step "{step}": {reason}',
            remedy=f"mend it, then: migrate rollback --service {service}",
        )
