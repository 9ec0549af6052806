"""What a real server's parser says of text that is no JSON; it is asked only once another parser has refused it."""

from __future__ import annotations

import json

_SPACE = " \t\r\n"
_DIGITS = "0123456789"
_ESCAPES = 'bfnrt\\/"'
_LITERALS = {"t": "true", "f": "false", "n": "null"}
_ENDED = "unexpected end of JSON input"


class _ComplaintError(Exception):
    """Where the text stops to be JSON."""


def complaint(body: bytes) -> str:
    """What is wrong with a text; nothing if all is well."""
    scanner = _Scanner(body.decode("latin-1"))
    try:
        scanner.document()
    except _ComplaintError as error:
        return str(error)
    return ""


class _Scanner:
    """Walks through a text, and complains of the first letter that does not fit."""

    def __init__(self, text: str) -> None:
        # a space is put behind the text to see whether it may end here
        self._text, self._at = f"{text} ", 0

    def document(self) -> None:
        self._value()
        self._space()
        if self._at < len(self._text):
            self._refuse("after top-level value")

    def _next(self) -> str:
        if self._at >= len(self._text):
            raise _ComplaintError(_ENDED)
        self._at += 1
        return self._text[self._at - 1]

    def _refuse(self, where: str, *, passed: bool = False) -> None:
        letter = self._text[self._at - passed]
        shown = "'\\''" if letter == "'" else f"'{json.dumps(letter, ensure_ascii=False)[1:-1]}'"
        raise _ComplaintError(f"invalid character {shown.replace(chr(92) + chr(34), chr(34))} {where}")

    def _space(self) -> None:
        while self._at < len(self._text) and self._text[self._at] in _SPACE:
            self._at += 1

    def _solid(self) -> str:
        self._space()
        return self._next()

    def _value(self) -> None:
        first = self._solid()
        if first == "{":
            self._object()
        elif first == "[":
            self._array()
        elif first == '"':
            self._string()
        elif first in _LITERALS:
            self._literal(_LITERALS[first])
        elif first == "-" or first in _DIGITS:
            self._number(first)
        else:
            self._refuse("looking for beginning of value", passed=True)

    def _object(self) -> None:
        letter = self._solid()
        while letter != "}":
            if letter != '"':
                self._refuse("looking for beginning of object key string", passed=True)
            self._string()
            self._expect(":", "after object key")
            self._value()
            if self._expect(",}", "after object key:value pair") == "}":
                return
            letter = self._solid()
            if letter == "}":
                self._refuse("looking for beginning of object key string", passed=True)

    def _array(self) -> None:
        self._space()
        if self._text[self._at : self._at + 1] == "]":
            self._at += 1
            return
        self._value()
        while self._expect(",]", "after array element") == ",":
            self._value()

    def _expect(self, letters: str, where: str) -> str:
        letter = self._solid()
        if letter not in letters:
            self._refuse(where, passed=True)
        return letter

    def _string(self) -> None:
        while (letter := self._next()) != '"':
            if letter == "\\":
                self._escape()
            elif letter < " ":
                self._refuse("in string literal", passed=True)

    def _escape(self) -> None:
        letter = self._next()
        if letter == "u":
            for _ in range(4):
                if self._next() not in "0123456789abcdefABCDEF":
                    self._refuse("in \\u hexadecimal character escape", passed=True)
        elif letter not in _ESCAPES:
            self._refuse("in string escape code", passed=True)

    def _literal(self, word: str) -> None:
        for letter in word[1:]:
            if self._next() != letter:
                self._refuse(f"in literal {word} (expecting '{letter}')", passed=True)

    def _number(self, first: str) -> None:
        if first == "-":
            first = self._digit("in numeric literal")
        if first != "0":
            self._digits()
        if self._here() == ".":
            self._at += 1
            self._digit("after decimal point in numeric literal")
            self._digits()
        if self._here() in ("e", "E"):
            self._at += 1
            if self._here() in ("+", "-"):
                self._at += 1
            self._digit("in exponent of numeric literal")
            self._digits()

    def _here(self) -> str:
        return self._text[self._at : self._at + 1]

    def _digit(self, where: str) -> str:
        letter = self._next()
        if letter not in _DIGITS:
            self._refuse(where, passed=True)
        return letter

    def _digits(self) -> None:
        while self._here() and self._here() in _DIGITS:
            self._at += 1
