"""What becomes of a container, judged by its command: it runs on, it ends, or it crashes. Pure.

Nothing is executed: only `sleep`, `true`, `false`, `exit` and endless loops are understood.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
_SHELLS = frozenset({"sh", "bash", "ash"})
_ENDLESS = re.compile(r"while\s+(true|:)|until\s+false|tail\s+-[fF]|sleep\s+(infinity|inf)\b")
_SLEEP = re.compile(r"\bsleep\s+([0-9.]+)([smhd]?)")
_EXIT = re.compile(r"(?:\bexit\s+([0-9]+)|\bfalse)\s*;?\s*$")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class Fate:
    """How long a container runs and with what it ends; it never ends while `seconds` is None."""

    seconds: float | None = None
    code: int = 0


FOREVER = Fate()


def fate_of(container: Json, restart_policy: str) -> Fate:
    """What becomes of a container once started; a service that does not crash runs on."""
    words = [*(container.get("command") or []), *(container.get("args") or [])]
    found = _of_command(words)
    if restart_policy == "Always":
        return FOREVER if found is None or (found.seconds and not found.code) else found
    return found or Fate(0.0, 0)


def _of_command(words: list[str]) -> Fate | None:
    """The fate spelt out by the command; None when it says nothing of the kind."""
    if not words:
        return None
    program = words[0].rpartition("/")[2]
    if program in _SHELLS:
        script = next((word for word, flag in zip(words[2:], words[1:], strict=False) if _is_c(flag)), "")
        return _of_script(script)
    if program in ("true", "false"):
        return Fate(0.0, int(program == "false"))
    return _of_script(" ".join(["sleep", *words[1:]])) if program == "sleep" else None


def _is_c(flag: str) -> bool:
    return flag.startswith("-") and flag.endswith("c")


def _of_script(script: str) -> Fate | None:
    if _ENDLESS.search(script):
        return FOREVER
    ending = _EXIT.search(script)
    sleeps = [float(number) * _UNITS[unit] for number, unit in _SLEEP.findall(script)]
    if not ending and not sleeps:
        return None
    code = int(ending[1] or 1) if ending else 0
    return Fate(sum(sleeps), code)
