"""What somebody types next, by how a command ended for a service."""

from collections.abc import Mapping

from migrator.model.exits import Exit
from migrator.model.ids import ServiceId

_AFTER: Mapping[str, Mapping[Exit, tuple[str, ...]]] = {
    "apply": {
        Exit.DONE: ("migrate verify --service {}", "migrate rollback --service {}"),
        Exit.ERROR: ("migrate apply --service {}",),
        Exit.UNFINISHED: ("migrate apply --service {}",),
        Exit.BLOCKED: ("migrate show {}",),
        Exit.LOCKED: ("migrate status",),
        Exit.DRIFT: ("migrate apply --service {} --from-drift",),
        Exit.ROLLED_BACK: ("migrate history {}", "migrate verify --service {}"),
        Exit.STRANDED: ("migrate history {}", "migrate rollback --service {}"),
        Exit.INTERRUPTED: ("migrate apply --service {}",),
        Exit.TERMINATED: ("migrate apply --service {}",),
    },
    "rollback": {
        Exit.DONE: ("migrate verify --service {}",),
        Exit.ERROR: ("migrate rollback --service {}",),
        Exit.UNFINISHED: ("migrate rollback --service {}",),
        Exit.BLOCKED: ("migrate history {}",),
        Exit.LOCKED: ("migrate status",),
        Exit.DRIFT: ("migrate history {}",),
        Exit.STRANDED: ("migrate history {}", "migrate rollback --service {}"),
        Exit.INTERRUPTED: ("migrate rollback --service {}",),
        Exit.TERMINATED: ("migrate rollback --service {}",),
    },
}


def next_commands(command: str, exit_code: Exit, service: ServiceId) -> tuple[str, ...]:
    """The commands that fit what happened, the likeliest first; none where the message alone can say."""
    return tuple(text.format(service) for text in _AFTER[command].get(exit_code, ()))
