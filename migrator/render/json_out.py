"""Results for machines: the same document as JSON or as YAML, secrets taken out, keys in the documented order."""

import json
from typing import Any

from migrator.render.redact import redacted

FORMAT = 1  # of every result; raised when a field is taken away or changes its meaning


def result(command: str, **parts: Any) -> dict[str, Any]:
    """A result document: its format, the command that made it, then `parts` in the order given."""
    return {"format": FORMAT, "command": command, **parts}


def as_json(document: dict[str, Any], *, pure_ascii: bool = False) -> str:
    """The document as indented JSON with a final newline."""
    return json.dumps(redacted(document), indent=2, ensure_ascii=pure_ascii) + "\n"


def as_yaml(document: dict[str, Any]) -> str:
    """The document as YAML with a final newline."""
    from migrator.documents.emit import emit  # noqa: PLC0415 - only YAML output pays for it

    return emit(redacted(document))
