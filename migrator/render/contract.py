"""The JSON Schemas of the results, one file per command under `schemas/`."""

import json
from importlib import resources
from typing import Any

COMMANDS = (
    *("plan", "show", "explain", "apply", "rollback", "verify", "status", "history", "batch", "batch-plan"),
    *("plan-roles", "fleet", "store", "lab"),
)


def schema(command: str) -> dict[str, Any]:
    """The schema of the result of `command`, self-contained."""
    folder = resources.files("migrator.render").joinpath("schemas")
    parsed: dict[str, Any] = json.loads(folder.joinpath(f"{command}.json").read_text(encoding="utf-8"))
    return parsed
