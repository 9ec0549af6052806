"""Amounts such as ``500m`` and ``1Gi``, written as a real server writes them back."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache

_AMOUNT = re.compile(r"^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]))?$")
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_DECIMAL = {-9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P", 18: "E"}
_POWERS = {suffix: power for power, suffix in _DECIMAL.items()}


@cache
def canonical(text: str) -> str:
    """The same amount in the largest unit of its family that needs no fraction; what is none stays as it is."""
    found = _AMOUNT.match(text)
    if found is None:
        return text
    number, exponent, suffix = Decimal(found[1]), found[2], found[3] or ""
    if suffix in _BINARY[1:]:
        return _binary(number * 1024 ** _BINARY.index(suffix))
    value = number.scaleb(int(exponent[1:])) if exponent else number.scaleb(_POWERS[suffix])
    power = _power(value)
    shown = int(value.scaleb(-power).to_integral_value())
    return f"{shown}e{power}" if exponent and power else f"{shown}{_DECIMAL[power]}"


def _power(value: Decimal) -> int:
    """The largest of the powers of a thousand by which the value can be divided."""
    fitting = [power for power in _DECIMAL if value.scaleb(-power) == value.scaleb(-power).to_integral_value()]
    return max(fitting, default=-9) if value else 0


def _binary(value: Decimal) -> str:
    if value != value.to_integral_value():
        return canonical(f"{value:f}")
    whole, place = int(value), 0
    while whole and whole % 1024 == 0 and place < len(_BINARY) - 1:
        whole, place = whole // 1024, place + 1
    return f"{whole}{_BINARY[place]}"
