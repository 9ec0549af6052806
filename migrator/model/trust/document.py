"""Trust policies as IAM keeps them: JSON in which nearly everything may be a scalar or a list; no form is lost.

Sources: the IAM user guide's policy grammar and its quotas page (white space is not counted).
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from math import isfinite
from typing import Any, NoReturn

from migrator.model.errors import Blocked
from migrator.model.facts import Json

_OLD_VERSION = "2008-10-17"  # what IAM assumes of a document without one


class TrustUnreadable(Blocked):
    """A trust policy that is not the JSON object IAM would have accepted; nothing is done to such a role."""

    code = "trust-unreadable"


@lru_cache(maxsize=64)
def parse(document: str) -> Mapping[str, Json]:
    """The document as plain data, which nobody may change: one role's document is asked many questions in a row.

    Raises:
        TrustUnreadable: not JSON, not an object, a key twice in one object, or statements that are no objects.
    """
    try:
        data = json.loads(document, object_pairs_hook=_no_key_twice, parse_constant=_no_number, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise _unreadable(str(error)) from error
    if not isinstance(data, dict):
        raise _unreadable(f"it is {type(data).__name__}, not an object")
    if not all(isinstance(statement, dict) for statement in as_list(data.get("Statement"))):
        raise _unreadable("a statement is not an object")
    return data


def _no_key_twice(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    made = dict(pairs)
    if len(made) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f'the key "{twice}" is written twice')
    return made


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    return number if isfinite(number) else _no_number(text)


def _unreadable(problem: str) -> TrustUnreadable:
    return TrustUnreadable(f"the trust policy cannot be read: {problem}", remedy="look at the role in IAM")


def minified(data: Json) -> str:
    """The document as it is sent: no white space between tokens, key order and forms as they are."""
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False)


def size(data: Json) -> int:
    """Its length in characters as the quota `L-C07B4B0D` counts it: without white space.

    Minified, the only white space left is the blank; a no-break space is none to JSON, and rather counted than not.
    """
    return len(minified(data).replace(" ", ""))


def as_list(value: Json) -> list[Any]:
    """`value` where IAM takes one or many; absent is none."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def text_of(value: Json) -> str:
    """A condition value as IAM compares it: booleans and numbers are their spelling."""
    return value if isinstance(value, str) else json.dumps(value)


def statements(data: Mapping[str, Json]) -> list[dict[str, Json]]:
    """The statements of a parsed document, the very objects in it."""
    return as_list(data.get("Statement"))


def canonical(document: str) -> Json:
    """Plain data that is equal for two documents exactly when they mean the same, statement names (Sid) included.

    Raises:
        TrustUnreadable: as `parse`.
    """
    data = parse(document)
    rest = {key: value for key, value in data.items() if key not in {"Version", "Statement"}}
    parts = sorted((_canonical_statement(statement) for statement in statements(data)), key=_sort_key)
    return {"Version": data.get("Version", _OLD_VERSION), "Statement": parts, "rest": rest}


def same_policy(a: str, b: str) -> bool:
    """Whether both documents mean the same: order, scalar or list, letter case of actions and keys do not count."""
    return bool(canonical(a) == canonical(b))


def _canonical_statement(statement: Mapping[str, Json]) -> Json:
    made: dict[str, Json] = {}
    for key, value in statement.items():
        if key in {"Action", "NotAction"}:
            made[key] = sorted({text_of(item).lower() for item in as_list(value)})
        elif key in {"Principal", "NotPrincipal"}:
            made[key] = _canonical_principal(value)
        elif key == "Condition":
            made.update(_canonical_condition(value))
        else:
            made[key] = value
    return made


def _canonical_principal(value: Json) -> Json:
    members = {"AWS": value} if not isinstance(value, Mapping) else value
    return {kind: sorted({text_of(item) for item in as_list(items)}) for kind, items in members.items()}


def _canonical_condition(value: Json) -> dict[str, Json]:
    if not isinstance(value, Mapping):
        return {"Condition": value}
    entries = [
        [str(operator).lower(), str(key).lower(), sorted({text_of(item) for item in as_list(values)})]
        for operator, keys in value.items()
        for key, values in (keys.items() if isinstance(keys, Mapping) else [("", keys)])
    ]
    return {"Condition": sorted(entries, key=_sort_key)} if entries else {}


def _sort_key(value: Json) -> str:
    return json.dumps(value, sort_keys=True)
