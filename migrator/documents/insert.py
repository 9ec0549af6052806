"""Adds entries to a list of a YAML file that a person keeps; whatever stands there stays byte for byte.

The entries are written as the ones before them are: a map of many lines, or one in braces.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from migrator.documents.emit import emit
from migrator.documents.errors import DocumentError
from migrator.documents.yaml_file import parse

Item = Mapping[str, str]  # flat: all that is added is


def with_items(path: Path, text: str, key: str, items: Sequence[Item]) -> str:
    """The text with `items` at the end of the list `key`, a field of the outermost map; made if it is not there.

    Args:
        path: serves messages only.
        text: the whole file; it fits a schema by which `key` is a list of maps.
        key: the list's name.
        items: what is added; nothing is changed if there are none.

    Raises:
        DocumentError: the text is no YAML file of ours, or is written so that nothing can be added.
    """
    if not items:
        return text
    data = deepcopy(parse(path, text).data)
    made = _with_items(text, key, items)
    data.setdefault(key, []).extend(dict(item) for item in items)
    try:
        fits = parse(path, made).data == data
    except DocumentError:
        fits = False
    if not fits:
        raise DocumentError(path, f'nothing can be added to "{key}" as it is written; write it as a list of lines')
    return made


def _with_items(text: str, key: str, items: Sequence[Item]) -> str:
    root: Any = yaml.compose(text, Loader=yaml.CSafeLoader)
    lines = text.splitlines(keepends=True)
    found = next((value for name, value in root.value if name.value == key), None)
    if found is None:
        return _ended(text) + _in(text, f"{key}:\n" + _block(items, 2))
    if found.flow_style or not found.value:
        return _into_braces(lines, found, items)
    last = found.value[-1]
    column = found.start_mark.column
    added = _braces(items, column) if last.flow_style else _block(items, column)
    after = _last_line(last) + 1
    return _ended("".join(lines[:after])) + _in(text, added) + "".join(lines[after:])


def _into_braces(lines: list[str], found: yaml.SequenceNode, items: Sequence[Item]) -> str:
    mark = found.value[-1].end_mark if found.value else found.start_mark
    column = mark.column + (0 if found.value else 1)
    line = lines[mark.line]
    told = (", " if found.value else "") + ", ".join(map(_brace, items))
    return "".join([*lines[: mark.line], line[:column] + told + line[column:], *lines[mark.line + 1 :]])


def _block(items: Sequence[Item], column: int) -> str:
    return "".join(" " * column + line for line in emit([dict(item) for item in items]).splitlines(keepends=True))


def _braces(items: Sequence[Item], column: int) -> str:
    return "".join(f"{' ' * column}- {_brace(item)}\n" for item in items)


def _brace(item: Item) -> str:
    return "{" + ", ".join(emit({key: value}).rstrip("\n") for key, value in item.items()) + "}"


def _last_line(node: Any) -> int:
    """The last line that something of the node stands on; the mark of a block itself is behind what follows it."""
    if isinstance(node, yaml.ScalarNode) or node.flow_style:
        mark = node.end_mark
        return int(mark.line - 1 if mark.column == 0 and mark.line > node.start_mark.line else mark.line)
    inner = node.value if isinstance(node, yaml.SequenceNode) else [part for pair in node.value for part in pair]
    return max(map(_last_line, inner))


def _ended(text: str) -> str:
    return text if text.endswith("\n") or not text else text + _in(text, "\n")


def _in(text: str, added: str) -> str:
    """What is added, with the line ends that the file has."""
    return added.replace("\n", "\r\n") if "\r\n" in text else added
