"""A very small shell: simple commands, `;`, `&&`, `||`, `!`, quotes, variables, output redirection.

No pipes, loops, functions or command substitution; such a script ends with exit code 2 and says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrator.lab.nodes.commands import find

if TYPE_CHECKING:
    from migrator.lab.nodes.process import Process

_VARIABLE = re.compile(
    r"\$(?:\{(?P<braced>\w+|\?|#|@|\d)(?::?(?P<operator>[-+])(?P<word>[^}]*))?\}|(?P<plain>\w+|[?#@]))"
)
_TOKEN = re.compile(
    r"(?P<space>[ \t]+)|(?P<comment>\#[^\n]*)|(?P<operator>&&|\|\||;|\n|2>&1|1>&2|>&2|2>>?|>>?)"
    r"|(?P<single>'[^']*')|(?P<double>\"(?:[^\"\\]|\\.)*\")|(?P<escaped>\\.)|(?P<plain>[^\s'\"\\;&|<>()`]+)"
)
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_RESERVED = frozenset({"if", "while", "for", "until", "case", "function", "{", "(("})


class SyntaxProblemError(Exception):
    """A script uses what this shell does not have."""


@dataclass
class _Word:
    """Pieces of one word: text, and whether it was quoted (`'`, `"`) or not (empty)."""

    pieces: list[tuple[str, str]] = field(default_factory=list)


class _ExitError(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def run_script(process: Process, script: str, arguments: list[str]) -> int:
    """Run a script in the process's environment; its exit code."""
    try:
        tokens = _tokens(script)
    except SyntaxProblemError as error:
        process.complain(f"sh: 1: Syntax error: {error}")
        return 2
    runner = _Runner(process, arguments)
    try:
        return runner.run(tokens)
    except _ExitError as leaving:
        return leaving.code
    except SyntaxProblemError as error:
        process.complain(f"sh: 1: Syntax error: {error}")
        return 2


def _tokens(script: str) -> list[_Word | str]:
    """The script as words and operators."""
    result: list[_Word | str] = []
    word: _Word | None = None
    position = 0
    while position < len(script):
        found = _TOKEN.match(script, position)
        if found is None:
            raise SyntaxProblemError(f'"{script[position]}" is not understood by the practice shell')
        kind, text = found.lastgroup or "", found[0]
        position = found.end()
        if kind == "comment" and word is not None:
            kind = "plain"
        if kind in ("space", "operator", "comment"):
            word = None
            if kind == "operator":
                result.append(text)
            continue
        if word is None:
            word = _Word()
            result.append(word)
        word.pieces.append(_piece(kind, text))
    return result


def _piece(kind: str, text: str) -> tuple[str, str]:
    if kind == "single":
        return text[1:-1], "'"
    if kind == "double":
        return text[1:-1], '"'
    return (text[1:], "'") if kind == "escaped" else (text, "")


class _Runner:
    """Runs the commands of one script one after another."""

    def __init__(self, process: Process, arguments: list[str]) -> None:
        self._process, self._arguments = process, arguments
        self._code = 0

    def run(self, tokens: list[_Word | str]) -> int:
        """Run all commands, heeding `&&` and `||`."""
        joint = ";"
        command: list[_Word | str] = []
        for token in [*tokens, ";"]:
            if token in (";", "\n", "&&", "||"):
                if command and self._wanted(joint):
                    self._code = self._command(command)
                elif not command and joint in ("&&", "||") and token == ";":
                    raise SyntaxProblemError("end of file unexpected")
                if command or token in (";", "\n"):
                    joint = str(token)
                command = []
            else:
                command.append(token)
        return self._code

    def _wanted(self, joint: str) -> bool:
        if joint == "&&":
            return self._code == 0
        return joint != "||" or self._code != 0

    def _command(self, tokens: list[_Word | str]) -> int:
        words, process = self._redirected(tokens)
        if words[:1] == ["!"]:
            return int(not self._simple(process, words[1:]))
        return self._simple(process, words)

    def _redirected(self, tokens: list[_Word | str]) -> tuple[list[str], Process]:
        words: list[str] = []
        process = self._process
        waiting = ""
        for token in tokens:
            if waiting:
                if not isinstance(token, _Word) or self._text(token) != "/dev/null":
                    raise SyntaxProblemError("output goes to /dev/null only")
                process = process.child(**{"err" if waiting.startswith("2") else "out": _nowhere})
                waiting = ""
            elif isinstance(token, _Word):
                words += self._words(token)
            elif token == "2>&1":
                process = process.child(err=process.out)
            elif token in (">&2", "1>&2"):
                process = process.child(out=process.err)
            else:
                waiting = token
        return words, process

    def _simple(self, process: Process, words: list[str]) -> int:
        local: dict[str, str] = {}
        while words and (found := _ASSIGNMENT.fullmatch(words[0])):
            local[found[1]] = found[2]
            words = words[1:]
        if not words:
            self._process.env.update(local)
            return 0
        name, rest = words[0], words[1:]
        if name in _RESERVED:
            raise SyntaxProblemError(f'"{name}" is not understood by the practice shell')
        if name == "exit":
            raise _ExitError(int(rest[0]) if rest else self._code)
        if name in ("export", "unset", "set"):
            return self._builtin(name, rest)
        command = find("env" if name == "exec" and not rest else rest[0] if name == "exec" else name)
        if command is None:
            process.complain(f"sh: 1: {name}: not found")
            return 127
        child = process.child(env={**self._process.env, **local})
        return command(child, rest[1:] if name == "exec" else rest)

    def _builtin(self, name: str, words: list[str]) -> int:
        for word in words:
            if name == "unset":
                self._process.env.pop(word, None)
            elif found := _ASSIGNMENT.fullmatch(word):
                self._process.env[found[1]] = found[2]
        return 0

    def _words(self, word: _Word) -> list[str]:
        """A word expanded; an unquoted variable may become several words or none."""
        if any(quote for _, quote in word.pieces) or "$" not in word.pieces[0][0]:
            return [self._text(word)]
        text = word.pieces[0][0]
        expanded = self._expanded(text)
        return [expanded] if _ASSIGNMENT.fullmatch(text) else expanded.split()

    def _text(self, word: _Word) -> str:
        return "".join(self._piece(text, quote) for text, quote in word.pieces)

    def _piece(self, text: str, quote: str) -> str:
        if quote == "'":
            return text
        if "$(" in text or "`" in text:
            raise SyntaxProblemError("command substitution is not understood by the practice shell")
        expanded = self._expanded(text)
        return re.sub(r"\\([\"\\$`])", r"\1", expanded) if quote else expanded

    def _expanded(self, text: str) -> str:
        return re.sub(r"(?<!\\)" + _VARIABLE.pattern, self._variable, text)

    def _variable(self, found: re.Match[str]) -> str:
        name = found["braced"] or found["plain"]
        special = {"?": str(self._code), "#": str(max(0, len(self._arguments) - 1))}
        value = special.get(name, self._process.env.get(name, ""))
        if name.isdigit():
            value = self._arguments[int(name)] if int(name) < len(self._arguments) else ""
        if found["operator"] == "-":
            return value or found["word"]
        if found["operator"] == "+":
            return found["word"] if value else ""
        return value


def _nowhere(_data: bytes) -> None:
    """Standard output thrown away."""
