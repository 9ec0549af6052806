"""What somebody types next, by what a message says and how the command ended for a service."""

import re
from collections.abc import Mapping

from migrator.model.exits import Exit
from migrator.model.ids import ServiceId

_SAID = re.compile(r"\bmigrate (apply|history|plan|rollback|show|verify)((?: --[a-z-]+| [\w.*-]*/[\w./*-]+)*)")
_ONE = frozenset({"apply", "rollback", "verify"})  # take the service as an option; show and history as an argument
_SAME = (Exit.ERROR, Exit.UNFINISHED, Exit.INTERRUPTED, Exit.TERMINATED)
_AFTER: Mapping[str, Mapping[Exit, tuple[str, ...]]] = {
    "apply": {
        **dict.fromkeys(_SAME, ("migrate apply --service {}",)),
        Exit.DONE: ("migrate verify --service {}", "migrate rollback --service {}"),
        Exit.BLOCKED: ("migrate show {}",),
        Exit.LOCKED: ("migrate status",),
        Exit.DRIFT: ("migrate apply --service {} --from-drift",),
        Exit.ROLLED_BACK: ("migrate history {}", "migrate verify --service {}"),
        Exit.STRANDED: ("migrate rollback --service {}", "migrate history {}"),
    },
    "batch": {
        Exit.ERROR: ("migrate apply --service {}",),
        Exit.BLOCKED: ("migrate show {}",),
        Exit.DRIFT: ("migrate apply --service {} --from-drift",),
        Exit.ROLLED_BACK: ("migrate history {}", "migrate apply --service {}"),
        Exit.STRANDED: ("migrate rollback --service {}", "migrate history {}"),
    },
    "rollback": {
        **dict.fromkeys(_SAME, ("migrate rollback --service {}",)),
        Exit.DONE: ("migrate verify --service {}",),
        Exit.BLOCKED: ("migrate history {}",),
        Exit.LOCKED: ("migrate status",),
        Exit.DRIFT: ("migrate history {}",),
        Exit.STRANDED: ("migrate rollback --service {}", "migrate history {}"),
    },
}


_LEFT: Mapping[str, tuple[str, ...]] = {
    "blocked": ("migrate show {}",),
    "attention": ("migrate show {}",),
    "unreadable": ("migrate show {}",),
    "failed": ("migrate history {}", "migrate apply --service {}"),
    "stopped": ("migrate apply --service {}",),
    "drift": ("migrate apply --service {} --from-drift",),
    "rolled-back": ("migrate apply --service {}",),
}


def left_commands(why: str, service: ServiceId) -> tuple[str, ...]:
    """The commands for a service that batch runs leave for that; none where a person's word in the plan is to go."""
    return tuple(text.format(service) for text in _LEFT.get(why, ()))


def next_commands(command: str, exit_code: Exit, service: ServiceId, message: str) -> tuple[str, ...]:
    """The commands that the message names, as they can be typed; if it names none, those that fit how it ended."""
    said = tuple(dict.fromkeys(_typed(found, service) for found in _SAID.finditer(message)))
    return said or tuple(text.format(service) for text in _AFTER[command].get(exit_code, ()))


def _typed(found: re.Match[str], service: ServiceId) -> str:
    name, rest = found.group(1), found.group(2).rstrip(".")
    if name in _ONE and "--service" not in rest:
        return f"migrate {name} --service {service}{rest}"
    if name in {"show", "history"} and not rest:
        return f"migrate {name} {service}"
    return f"migrate {name}{rest}"
