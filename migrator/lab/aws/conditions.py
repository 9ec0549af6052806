"""The Condition block of a policy statement, evaluated against the context of one request.

Context keys are lower case (AWS ignores their case) and map to all values of the key. A condition holds when, for
each operator and key, one of the policy's values matches; negated operators hold when none does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from ipaddress import ip_address, ip_network
from typing import Any

Context = Mapping[str, tuple[str, ...]]


@cache
def _wildcard(pattern: str) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(mark, re.escape(mark)) for mark in pattern), re.DOTALL)


def like(pattern: str, text: str) -> bool:
    """Whether a text fits a pattern with `*` and `?`, case and all."""
    return _wildcard(pattern).fullmatch(text) is not None


def arn_like(pattern: str, text: str) -> bool:
    """Whether an ARN fits a pattern, each of its six parts by itself."""
    wanted, had = pattern.split(":", 5), text.split(":", 5)
    return len(wanted) == len(had) == 6 and all(like(a, b) for a, b in zip(wanted, had, strict=True))


def _number(test: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    def compare(wanted: str, had: str) -> bool:
        try:
            return test(float(had), float(wanted))
        except ValueError:
            return False

    return compare


def _when(text: str) -> datetime:
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return datetime.fromtimestamp(float(text), UTC)
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _date(test: Callable[[datetime, datetime], bool]) -> Callable[[str, str], bool]:
    def compare(wanted: str, had: str) -> bool:
        try:
            return test(_when(had), _when(wanted))
        except ValueError:
            return False

    return compare


def _in_network(wanted: str, had: str) -> bool:
    try:
        return ip_address(had) in ip_network(wanted, strict=False)
    except ValueError:
        return False


def _same(wanted: str, had: str) -> bool:
    return wanted == had


def _same_letters(wanted: str, had: str) -> bool:
    return wanted.lower() == had.lower()


_POSITIVE: dict[str, Callable[[str, str], bool]] = {
    "stringequals": _same,
    "stringequalsignorecase": _same_letters,
    "stringlike": like,
    "arnequals": arn_like,
    "arnlike": arn_like,
    "bool": _same_letters,
    "binaryequals": _same,
    "ipaddress": _in_network,
    "numericequals": _number(lambda had, wanted: had == wanted),
    "numericlessthan": _number(lambda had, wanted: had < wanted),
    "numericlessthanequals": _number(lambda had, wanted: had <= wanted),
    "numericgreaterthan": _number(lambda had, wanted: had > wanted),
    "numericgreaterthanequals": _number(lambda had, wanted: had >= wanted),
    "dateequals": _date(lambda had, wanted: had == wanted),
    "datelessthan": _date(lambda had, wanted: had < wanted),
    "datelessthanequals": _date(lambda had, wanted: had <= wanted),
    "dategreaterthan": _date(lambda had, wanted: had > wanted),
    "dategreaterthanequals": _date(lambda had, wanted: had >= wanted),
}
_NEGATIVE = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
    "notipaddress": "ipaddress",
    "numericnotequals": "numericequals",
    "datenotequals": "dateequals",
}


def known_operator(name: str) -> bool:
    """Whether a condition operator, with its prefixes and suffixes, is one AWS has."""
    base = _parts(name)[1]
    return base == "null" or base in _POSITIVE or base in _NEGATIVE


def _parts(operator: str) -> tuple[str, str, bool]:
    """Set prefix, operator and whether `IfExists`, all in lower case."""
    lower = operator.lower()
    prefix, colon, base = lower.partition(":")
    if not colon:
        prefix, base = "", lower
    optional = base.endswith("ifexists") and base != "null"
    return prefix, base.removesuffix("ifexists") if optional else base, optional


def listed(value: Any) -> list[Any]:
    """A policy element that may be a scalar or a list, as a list."""
    return list(value) if isinstance(value, (list, tuple)) else [value]


def substitute(text: str, context: Context) -> str:
    """A policy text with its variables, such as `${aws:PrincipalTag/team}`, filled in."""

    def fill(found: re.Match[str]) -> str:
        key = found[1].partition(",")[0].strip()
        values = context.get(key.lower(), ())
        return {"*": "*", "?": "?", "$": "$"}.get(key, values[0] if values else found[0])

    return re.sub(r"\$\{([^}]+)\}", fill, text) if "${" in text else text


def _one(operator: str, wanted: Sequence[str], had: tuple[str, ...] | None) -> bool:
    prefix, base, optional = _parts(operator)
    if base == "null":
        return all((had is None) == (text.lower() == "true") for text in wanted)
    negated = base in _NEGATIVE
    test = _POSITIVE.get(_NEGATIVE.get(base, base))
    if test is None:
        return False
    if not had:
        return optional or prefix == "forallvalues" or (negated and prefix != "foranyvalue")

    def holds(value: str) -> bool:
        return any(test(text, value) for text in wanted) != negated

    if prefix == "forallvalues" or (negated and prefix == ""):
        return all(holds(value) for value in had)
    return any(holds(value) for value in had)


def holds(block: Any, context: Context) -> bool:
    """Whether a statement's Condition block holds; no block always does."""
    if not block:
        return True
    if not isinstance(block, Mapping):
        return False
    for operator, keys in block.items():
        if not isinstance(keys, Mapping):
            return False
        for key, values in keys.items():
            wanted = [substitute(_text(value), context) for value in listed(values)]
            if not _one(str(operator), wanted, context.get(str(key).lower())):
                return False
    return True


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
