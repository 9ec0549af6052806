"""Reads a YAML file so that every complaint about it can name the line and the field.

PyYAML's node tree is read beside the data: it alone knows the lines, and it alone still sees a key written twice.
Aliases are refused, since a few of them, nested, stand for megabytes.
"""

import json
import os
import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from migrator.documents.depth import DEEPEST, too_deep
from migrator.documents.errors import DocumentError
from migrator.documents.schema import first_violation

FieldPath = tuple[str | int, ...]

_MAX_BYTES = 8 * 1024 * 1024
_CONFLICT = re.compile(r"^<{7}(?= |$)", re.MULTILINE)
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def dotted(path: Sequence[str | int]) -> str:
    """A field path as people write it: `clusters[2].alias`, quoting keys that hold other characters."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f"[{json.dumps(part, ensure_ascii=False)}]"
    return text


@dataclass(frozen=True)
class Document:
    """One file: its data as plain dicts, lists and scalars, and the line every field stands on."""

    path: Path
    data: Any
    lines: Mapping[FieldPath, int] = field(repr=False)

    def line(self, path: Sequence[str | int]) -> int:
        """The line (from 1) of the field, or of its nearest parent that stands in the file."""
        parts = tuple(path)
        while parts and parts not in self.lines:
            parts = parts[:-1]
        return self.lines.get(parts, 1)

    def error(self, path: Sequence[str | int], problem: str) -> DocumentError:
        """The error that says `problem` about the field at `path`; the caller raises it."""
        return DocumentError(self.path, problem, line=self.line(path), field=dotted(path))


def load(path: Path, schema: Mapping[str, Any]) -> Document:
    """Reads and checks one file.

    Raises:
        DocumentError: it cannot be read, is not YAML, holds a key twice, or an alias, or does not fit the schema.
    """
    return checked(read(path), schema)


def read(path: Path) -> Document:
    """Reads one file, not yet checked against anything.

    Raises:
        DocumentError: it cannot be read, is not YAML, holds a key twice, or an alias.
    """
    return parse(path, _text(path))


def checked(document: Document, schema: Mapping[str, Any]) -> Document:
    """The same document, which fits the schema.

    Raises:
        DocumentError: it does not; the message names the line and the field.
    """
    violation = first_violation(document.data, schema)
    if violation is not None:
        raise document.error(violation.path, violation.problem)
    return document


def parse(path: Path, text: str) -> Document:
    """The document in `text`, not yet checked against anything; `path` only serves its messages.

    Raises:
        DocumentError: not YAML, more than one document, nested too deeply, a key written twice, or an alias.
    """
    try:
        loader = _loader(path, text)
    except yaml.YAMLError as error:
        raise _not_yaml(path, text, error) from error
    try:
        root = loader.get_single_node()
        if root is None:
            raise DocumentError(path, "the file is empty; restore it, or delete it")
        lines = dict(_Lines(path, text).of(root))
        data = loader.construct_document(root)
    except yaml.YAMLError as error:
        raise _not_yaml(path, text, error) from error
    except (ValueError, OverflowError) as error:
        raise DocumentError(path, f"a value cannot be read: {error}") from error
    finally:
        loader.dispose()
    return Document(path, data, lines)


def _loader(path: Path, text: str) -> yaml.CSafeLoader:
    line = too_deep(text)
    if line is not None:
        raise DocumentError(path, f"nested more than {DEEPEST} levels deep", line=line)
    return yaml.CSafeLoader(text)


def _text(path: Path) -> str:
    try:
        with open(path, "rb", opener=_opened_at_once) as file:
            os.set_blocking(file.fileno(), True)
            content = file.read(_MAX_BYTES + 1)  # a size asked for first says nothing of pipes and devices
        if len(content) > _MAX_BYTES:
            raise DocumentError(path, f"too large: at most {_MAX_BYTES} bytes are read")
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DocumentError(path, f"not a text file in UTF-8 (byte {error.start})") from error
    except FileNotFoundError as error:
        raise DocumentError(path, "no such file") from error
    except OSError as error:
        raise DocumentError(path, unreadable(error)) from error


def _opened_at_once(path: str, flags: int) -> int:
    """Opened so, a pipe to which nobody writes is empty; opened as usual, it would be waited for, for ever."""
    return os.open(path, flags | os.O_NONBLOCK)


def unreadable(error: OSError) -> str:
    """What is said of a path that the system does not let us read, and what to do about it."""
    what = "move it away: a file belongs there" if isinstance(error, IsADirectoryError) else "make it readable"
    return f"cannot be read: {error.strerror or error}; {what}"


def _not_yaml(path: Path, text: str, error: yaml.YAMLError) -> DocumentError:
    """A merge conflict is told as what it is: it makes the parser stumble over something near by."""
    conflict = _CONFLICT.search(text)
    if conflict is not None:
        line = text.count("\n", 0, conflict.start()) + 1
        problem = f'a merge conflict ("{conflict[0]}"); resolve it'
        return DocumentError(path, problem, line=line)
    if not isinstance(error, yaml.MarkedYAMLError):
        return DocumentError(path, f"not valid YAML: {' '.join(str(error).split())}")
    mark = error.problem_mark or error.context_mark
    said = ", ".join(part for part in (error.context, error.problem) if part)
    last = max(len(text.splitlines()), 1)  # the end of a file without a final line break is marked behind it
    return DocumentError(path, f"not valid YAML: {said}", line=min(mark.line + 1, last) if mark else None)


@dataclass(frozen=True)
class _Lines:
    """A walk over the nodes of `text`, in the order of the file; `met` are those seen so far, scalars and all."""

    path: Path
    text: str = field(repr=False)
    met: set[int] = field(default_factory=set)

    def of(self, root: yaml.Node) -> Iterator[tuple[FieldPath, int]]:
        """Every field and its line.

        Raises:
            DocumentError: a key is no string or written twice, something is an alias, or no plain value.
        """
        stack: list[tuple[FieldPath, yaml.Node, int]] = [((), root, root.start_mark.line + 1)]
        while stack:
            where, node, line = stack.pop()
            yield where, line
            self._meet(node, where)
            if node.tag != _STRING_TAG:
                self._require_plain(where, node, line)
            if isinstance(node, yaml.MappingNode):
                stack.extend(reversed(list(self._members(where, node))))
            elif isinstance(node, yaml.SequenceNode):
                items = enumerate(node.value)
                stack.extend(reversed([((*where, n), item, item.start_mark.line + 1) for n, item in items]))

    def _members(self, where: FieldPath, node: yaml.MappingNode) -> Iterator[tuple[FieldPath, yaml.Node, int]]:
        keys: dict[Hashable, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode) or key.tag not in {_STRING_TAG, _MERGE_TAG}:
                shown = key.value if isinstance(key, yaml.ScalarNode) else "a list or map"
                problem = f"the key {shown} is not a string; put it in quotes"
                raise DocumentError(self.path, problem, line=line, field=dotted(where))
            if key.value in keys and key.tag != _MERGE_TAG:
                problem = f"written twice, first on line {keys[key.value]}"
                raise DocumentError(self.path, problem, line=line, field=dotted((*where, key.value)))
            keys[key.value] = line
            self._meet(key, (*where, key.value))
            yield (*where, key.value), value, line

    def _require_plain(self, where: FieldPath, node: yaml.Node, line: int) -> None:
        """Refuses what YAML could make of a value and nobody means: tags, dates, numbers to the base of 60."""
        problem = ""
        if node.tag != _RESOLVER.resolve(type(node), node.value, (True, False)):
            problem = f'the tag "{node.tag}" is not supported here; leave it out'
        elif node.tag == _DATE_TAG:
            problem = f"{node.value} is read as a date; put it in quotes"
        elif node.tag in _NUMBER_TAGS and (":" in node.value or len(node.value) > _LONGEST_NUMBER):
            problem = f"{node.value:.{_LONGEST_NUMBER}} is read as a number; put it in quotes"
        if problem:
            raise DocumentError(self.path, problem, line=line, field=dotted(where))

    def _meet(self, node: yaml.Node, where: FieldPath) -> None:
        """An alias is the very node it stands for: the first one met a second time is the first alias of the file."""
        if id(node) in self.met:
            events = yaml.parse(self.text, Loader=yaml.CSafeLoader)
            mark = next(event.start_mark for event in events if isinstance(event, yaml.AliasEvent))
            raise DocumentError(self.path, _ALIAS, line=mark.line + 1 if mark else None, field=dotted(where))
        self.met.add(id(node))


_ALIAS = "aliases are not supported here; write it out"
_STRING_TAG = "tag:yaml.org,2002:str"
_MERGE_TAG = "tag:yaml.org,2002:merge"
_DATE_TAG = "tag:yaml.org,2002:timestamp"
_NUMBER_TAGS = frozenset({"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"})
_LONGEST_NUMBER = 40
_RESOLVER: Any = yaml.resolver.Resolver()  # its stubs annotate nothing
