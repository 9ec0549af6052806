"""Writes plain data as YAML in one fixed form: block style, keys in the order given, no folding, one way to quote.

The same data gives the same bytes. A string is written plain only when it surely reads back as that string;
everything else, numbers in strings such as account ids above all, is quoted as JSON, which is valid YAML.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_](?:[A-Za-z0-9_./@+-]|:(?=[A-Za-z0-9_./@+:-]))*")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_SURROGATES = re.compile(r"\\ud([89ab][0-9a-f]{2})\\ud([c-f][0-9a-f]{2})")


def emit(data: Any) -> str:
    """`data` (maps, lists, strings, numbers, booleans, None) as a YAML document with a final newline.

    Raises:
        TypeError: a value that YAML's plain types cannot hold.
    """
    lines = list(_block(data, 0))
    return "\n".join(lines) + "\n"


def _block(value: Any, depth: int) -> Iterator[str]:
    pad = "  " * depth
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _entry(f"{pad}{_string(_key(key))}:", item, depth)
    elif _is_list(value) and value:
        for item in value:
            yield from _item(pad, item, depth)
    else:
        yield pad + _scalar(value)


def _entry(head: str, item: Any, depth: int) -> Iterator[str]:
    if isinstance(item, str):  # first: most values are strings, and asking whether one is a map is slow
        yield f"{head} {_string(item)}"
    elif (isinstance(item, Mapping) or _is_list(item)) and item:
        yield head
        yield from _block(item, depth + 1)
    else:
        yield f"{head} {_scalar(item)}"


def _item(pad: str, item: Any, depth: int) -> Iterator[str]:
    """A list entry; a container's first line stands on the dash's own line."""
    if isinstance(item, str):
        yield f"{pad}- {_string(item)}"
        return
    lines = _block(item, depth + 1)
    yield f"{pad}- {next(lines).lstrip(' ')}"
    yield from lines


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a key must be a string, not {type(key).__name__}")
    return key


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return _string(value)
    if value is None or isinstance(value, int):
        return json.dumps(value)
    if isinstance(value, float) and math.isfinite(value):
        return _float(value)
    if (isinstance(value, Mapping) or _is_list(value)) and not value:
        return "{}" if isinstance(value, Mapping) else "[]"
    raise TypeError(f"cannot be written as YAML: {type(value).__name__}")


def _float(value: float) -> str:
    """YAML 1.1 takes `1e+20` for a string unless its mantissa has a point."""
    text = repr(value)
    mantissa, sign, exponent = text.partition("e")
    return text if not sign or "." in mantissa else f"{mantissa}.0e{exponent}"


@lru_cache(maxsize=4096)
def _string(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return _SURROGATES.sub(_astral, json.dumps(text)).replace("\x7f", "\\x7f")


def _astral(match: re.Match[str]) -> str:
    """JSON's surrogate pair as the one escape that libyaml accepts beyond U+FFFF."""
    return f"\\U{0x10000 + (((0x800 + int(match[1], 16)) & 0x3FF) << 10 | (int(match[2], 16) + 0xC00 & 0x3FF)):08x}"
