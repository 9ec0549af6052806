"""What the cells of several kinds' tables have in common."""

from __future__ import annotations

from typing import Any

from migrator.lab.kubeapi.ages import age

Json = dict[str, Any]

NONE = "<none>"
UNSET = "<unset>"
_OPERATORS = {"In": "in", "NotIn": "notin"}


def at(obj: Any, path: str, default: Any = None) -> Any:
    """What stands at a dotted path of an object."""
    found: Any = obj
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return default if found is None else found


def name_of(obj: Json) -> str:
    """An object's name."""
    return str(obj["metadata"].get("name", ""))


def age_of(obj: Json) -> str:
    """An object's age."""
    return age(obj["metadata"].get("creationTimestamp"))


def containers(spec: Json | None) -> list[str]:
    """The names of a pod spec's containers, and their images."""
    found = (spec or {}).get("containers") or []
    return [",".join(one.get(field, "") for one in found) for field in ("name", "image")]


def labels(found: Json | None) -> str:
    """Labels in one cell."""
    return ",".join(f"{key}={value}" for key, value in sorted((found or {}).items())) or NONE


def selector(found: Json | None, *, nothing: str = NONE) -> str:
    """A label selector in one cell: its requirements in the order of their keys."""
    parts = [(key, f"{key}={value}") for key, value in ((found or {}).get("matchLabels") or {}).items()]
    parts += [(one["key"], _requirement(one)) for one in (found or {}).get("matchExpressions") or ()]
    return ",".join(text for _, text in sorted(parts)) or nothing


def _requirement(expression: Json) -> str:
    key, operator = expression["key"], expression["operator"]
    if operator in _OPERATORS:
        values = ",".join(sorted(expression.get("values") or ()))
        return f"{key} {_OPERATORS[operator]} ({values})"
    return key if operator == "Exists" else f"!{key}"
