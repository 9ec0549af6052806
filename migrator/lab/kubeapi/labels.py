"""Label selectors: read as a real server reads them, its complaints included, and matched."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import errors, names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Json = dict[str, Any]

_TOKEN = re.compile(r"[ \t\n\r]*(?:(?P<symbol>!=|==|[=!(),<>])|(?P<word>[^ \t\n\r=!(),<>]+))")
_WORDS = ("in", "notin")
_BINARY = "in, notin, =, ==, !=, gt, lt"
_OPERATORS = {"=": "in", "==": "in", "!=": "notin", "<": "<", ">": ">", "in": "in", "notin": "notin"}


@dataclass(frozen=True)
class Requirement:
    """One condition on one label."""

    key: str
    op: str
    values: tuple[str, ...] = ()

    def accepts(self, labels: Mapping[str, str]) -> bool:
        """Whether these labels meet the condition."""
        present = self.key in labels
        value = labels.get(self.key, "")
        if self.op == "in":
            return present and value in self.values
        if self.op == "notin":
            return not present or value not in self.values
        if self.op == "exists":
            return present
        if self.op == "absent":
            return not present
        if not present or not value.lstrip("-").isdigit():
            return False
        return int(value) > int(self.values[0]) if self.op == ">" else int(value) < int(self.values[0])


class _UnreadableError(Exception):
    """The text is no selector."""


def parse_labels(text: str) -> list[Requirement]:
    """A label selector as the query parameter spells it.

    Raises:
        ApiError: 400, it cannot be read.
    """
    try:
        return _Parser(text).requirements()
    except _UnreadableError as error:
        raise errors.bad_request(str(error)) from error


class _Parser:
    """Reads token by token; what ends the text is an empty one."""

    def __init__(self, text: str) -> None:
        self._tokens = [found[found.lastgroup or "word"] for found in _TOKEN.finditer(text)] + [""]
        self._place = 0

    @property
    def _next(self) -> str:
        return self._tokens[self._place]

    def _take(self) -> str:
        token = self._next
        self._place += 1
        return token

    def requirements(self) -> list[Requirement]:
        """All of them."""
        found: list[Requirement] = []
        while self._next:
            if not _is_word(self._next) and self._next != "!":
                raise _UnreadableError(f"found '{self._next}', expected: !, identifier, or 'end of string'")
            try:
                found.append(self._requirement())
            except _UnreadableError as error:
                raise _UnreadableError(f"unable to parse requirement: {error}") from error
            after = self._take()
            if not after:
                return found
            if after != ",":
                raise _UnreadableError(f"found '{after}', expected: ',' or 'end of string'")
            if not _is_word(self._next) and self._next != "!":
                raise _UnreadableError(f"found '{self._next}', expected: identifier after ','")
        return found

    def _requirement(self) -> Requirement:
        absent = self._next == "!"
        if absent:
            self._take()
        key = self._take()
        if not _is_word(key):
            raise _UnreadableError(f"found '{key}', expected: identifier")
        _check("<nil>", key, names.label_key(key))
        if absent:
            return Requirement(key, "absent")
        if self._next in ("", ","):
            return Requirement(key, "exists")
        return self._compared(key, self._take())

    def _compared(self, key: str, written: str) -> Requirement:
        op = _OPERATORS.get(written)
        if op is None:
            raise _UnreadableError(f"found '{written}', expected: {_BINARY}")
        values = self._values() if written in _WORDS else [self._value()]
        if op in "<>" and not values[0].lstrip("-").isdigit():
            _check("values[0]", values[0], ["for 'Gt', 'Lt' operators, the value must be an integer"])
        for number, value in enumerate(values):
            _check(f"values[{number}][{key}]", value, names.label_value(value))
        return Requirement(key, op, tuple(values))

    def _value(self) -> str:
        if self._next in ("", ","):
            return ""
        value = self._take()
        if not _is_word(value):
            raise _UnreadableError(f"found '{value}', expected: identifier")
        return value

    def _values(self) -> list[str]:
        """A list in parentheses; what is left out between commas is empty."""
        opening = self._take()
        if opening != "(":
            raise _UnreadableError(f"found '{opening}' expected: '('")
        found = [""] if self._next in (")", ",") else []
        while (token := self._take()) != ")":
            if token == ",":
                found += [""] if self._next in (")", ",") else []
            elif not _is_word(token):
                raise _UnreadableError(f"found '{token}', expected: ',', or identifier")
            elif self._next not in (",", ")"):
                raise _UnreadableError(f"found '{self._next}', expected: ',' or ')'")
            else:
                found.append(token)
        return sorted(set(found))


def _is_word(token: str) -> bool:
    return bool(token) and token[0] not in "=!(),<>"


def _check(field: str, value: str, problems: Sequence[str]) -> None:
    if problems:
        raise _UnreadableError(f'{field}: Invalid value: "{value}": {"; ".join(problems)}')


def from_selector(selector: Json | None) -> list[Requirement]:
    """The requirements of a ``LabelSelector`` object (``matchLabels`` and ``matchExpressions``)."""
    if not selector:
        return []
    found = [Requirement(key, "in", (value,)) for key, value in (selector.get("matchLabels") or {}).items()]
    words = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "absent"}
    for expression in selector.get("matchExpressions") or ():
        values = tuple(expression.get("values") or ())
        found.append(Requirement(expression["key"], words.get(expression["operator"], "in"), values))
    return found


def accepts_labels(requirements: list[Requirement], labels: Mapping[str, str] | None) -> bool:
    """Whether labels meet all requirements."""
    return all(r.accepts(labels or {}) for r in requirements)
