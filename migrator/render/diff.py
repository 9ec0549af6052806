"""The unified diff of two trust policies, both written as indented JSON with their keys in their own order."""

import difflib
import json

from migrator.model.facts import Json


def trust_diff(before: Json, after: Json, *, name: str) -> tuple[str, ...]:
    """The lines of the diff, with three lines of context; empty when nothing changes.

    Args:
        before: the trust policy as parsed JSON.
        after: what it becomes.
        name: of the role, for the two head lines.
    """
    lines = difflib.unified_diff(
        _lines(before), _lines(after), f"{name} (trust policy now)", f"{name} (trust policy after)", lineterm=""
    )
    return tuple(lines)


def _lines(document: Json) -> list[str]:
    return json.dumps(document, indent=2, ensure_ascii=False).splitlines()
