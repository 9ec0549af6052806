"""Reads a YAML file so that every complaint about it can name the line and the field.

PyYAML's node tree is read beside the data: it alone knows the lines, and it alone still sees a key written twice.
Aliases are refused, since a few of them, nested, stand for megabytes.
"""

import json
import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from migrator.documents.errors import DocumentError
from migrator.documents.schema import first_violation

FieldPath = tuple[str | int, ...]

_MAX_BYTES = 8 * 1024 * 1024
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
        DocumentError: not YAML, more than one document, a key written twice, or an alias.
    """
    loader = yaml.CSafeLoader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            raise DocumentError(path, "the file is empty; restore it, or delete it")
        lines = dict(_Lines(path, text).of(root))
        data = loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(path, error) from error
    except yaml.YAMLError as error:
        raise DocumentError(path, f"not valid YAML: {' '.join(str(error).split())}") from error
    except (ValueError, OverflowError) as error:
        raise DocumentError(path, f"a value cannot be read: {error}") from error
    except RecursionError as error:
        raise DocumentError(path, "nested too deeply to be read") from error
    finally:
        loader.dispose()
    return Document(path, data, lines)


def _text(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > _MAX_BYTES:
            raise DocumentError(path, f"too large: {size} bytes, at most {_MAX_BYTES} are read")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DocumentError(path, f"not a text file in UTF-8 (byte {error.start})") from error
    except FileNotFoundError as error:
        raise DocumentError(path, "no such file") from error
    except OSError as error:
        raise DocumentError(path, unreadable(error)) from error


def unreadable(error: OSError) -> str:
    """What is said of a path that the system does not let us read, and what to do about it."""
    what = "move it away: a file belongs there" if isinstance(error, IsADirectoryError) else "make it readable"
    return f"cannot be read: {error.strerror or error}; {what}"


def _syntax_error(path: Path, error: yaml.MarkedYAMLError) -> DocumentError:
    mark = error.problem_mark or error.context_mark
    said = ", ".join(part for part in (error.context, error.problem) if part)
    return DocumentError(path, f"not valid YAML: {said}", line=mark.line + 1 if mark else None)


@dataclass(frozen=True)
class _Lines:
    """A walk over the nodes of `text`, in the order of the file; `met` are those seen so far, scalars and all."""

    path: Path
    text: str = field(repr=False)
    met: set[int] = field(default_factory=set)

    def of(self, root: yaml.Node) -> Iterator[tuple[FieldPath, int]]:
        """Every field and its line.

        Raises:
            DocumentError: a key is no string or written twice, or something is an alias.
        """
        stack: list[tuple[FieldPath, yaml.Node, int]] = [((), root, root.start_mark.line + 1)]
        while stack:
            where, node, line = stack.pop()
            yield where, line
            self._meet(node, where)
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
