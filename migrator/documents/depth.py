"""Refuses YAML nested so deep that composing it would use up the stack: libyaml's binding recurses in C and crashes.

The exact count walks the parser's events, a third of the price of reading the file; so that it is done only where the
text could be deep at all. Each level in brackets needs a bracket; two levels in block style need a column of their own.
"""

import yaml

DEEPEST = 100


def too_deep(text: str) -> int | None:
    """The line (from 1) on which something nests more than `DEEPEST` levels, or None.

    Raises:
        yaml.YAMLError: it is no YAML before that line.
    """
    if not _may_be_deep(text):
        return None
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            return event.start_mark.line + 1 if event.start_mark else 1
    return None


def _may_be_deep(text: str) -> bool:
    columns = DEEPEST // 2
    return text.count("[") + text.count("{") > DEEPEST or any(
        _indents(line) > columns for line in text.splitlines() if len(line) > columns
    )


def _indents(line: str) -> int:
    """At least as many as the line has places at which a block could begin."""
    return len(line) - len(line.lstrip(" ")) + sum(line.count(mark) for mark in ("- ", "? ", ": "))
