"""The seal of a plan file: shows whether a part that nobody may edit was edited, and which field it was.

`digest` is SHA-256 over the protected parts as canonical JSON. `fields` has four hexadecimal digits for every protected
leaf, in the order of `leaves`: enough to point at the one that differs, and one line in the file. It guards against
mistakes and stale merges, not against an enemy: whoever can write the file can seal it anew.
"""

import difflib
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from migrator.documents.yaml_file import Document, FieldPath

PROTECTED = ("format", "service", "verdict", "findings", "facts", "forward", "back")
_DIGITS = 4
_REMEDY = 'was changed after planning; undo the edit, or run "migrate plan" again'


def seal_of(data: Mapping[str, Any]) -> dict[str, str]:
    """The seal that belongs to a plan's data."""
    protected = {part: data[part] for part in PROTECTED}
    digest = hashlib.sha256(_canonical(protected).encode()).hexdigest()
    marks: list[str] = []
    _collect(marks, "", protected)
    return {"digest": digest, "fields": "".join(marks)}


def check_seal(document: Document) -> None:
    """Nothing, if the document is as it was sealed.

    Raises:
        DocumentError: naming the first protected field that differs.
    """
    sealed, fresh = document.data["seal"], seal_of(document.data)
    if sealed == fresh:
        return
    if sealed["digest"] == fresh["digest"] or sealed["fields"] == fresh["fields"]:
        field = "fields" if sealed["fields"] != fresh["fields"] else "digest"
        raise document.error(("seal", field), _REMEDY)
    path, gone = _first_difference(document.data, sealed["fields"], fresh["fields"])
    raise document.error(path, f"a field of it {_REMEDY}" if gone else _REMEDY)


def leaves(value: Any, path: FieldPath = ()) -> Iterator[tuple[FieldPath, Any]]:
    """Every scalar and every empty list or map below `value`; maps in the order of their keys' names."""
    if isinstance(value, dict) and value:
        for key in sorted(value):
            yield from leaves(value[key], (*path, key))
    elif isinstance(value, list) and value:
        for position, item in enumerate(value):
            yield from leaves(item, (*path, position))
    else:
        yield path, value


def _collect(marks: list[str], path: str, value: Any) -> None:
    """Appends the marks of `leaves(value)` in their order; a plain walk, since every plan of a fleet is sealed."""
    if isinstance(value, dict) and value:
        for key in sorted(value):
            _collect(marks, f"{path}/{key}", value[key])
    elif isinstance(value, list) and value:
        for position, item in enumerate(value):
            _collect(marks, f"{path}/{position}", item)
    else:
        marks.append(_mark(path, f'"{value}' if isinstance(value, str) else _canonical(value)))


def _first_difference(data: Mapping[str, Any], sealed: str, fresh: str) -> tuple[FieldPath, bool]:
    """The first leaf that is not as sealed; or, True, what a leaf that is gone now was part of."""
    paths = [path for path, _ in leaves({part: data[part] for part in PROTECTED})]
    old, new = _marks(sealed), _marks(fresh)
    changes = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    kind, _, _, start, _ = next(change for change in changes if change[0] != "equal")
    if kind != "delete":
        return paths[start], False
    before, after = paths[max(start - 1, 0)], paths[min(start, len(paths) - 1)]
    return _shared(before, after), True


def _shared(a: Sequence[str | int], b: Sequence[str | int]) -> FieldPath:
    """The nearest parent of both; one of the two itself rather than nothing."""
    common: list[str | int] = []
    for one, other in zip(a, b, strict=False):
        if one != other:
            break
        common.append(one)
    return tuple(common) if common else tuple(a[:1])


def _marks(fields: str) -> list[str]:
    return [fields[start : start + _DIGITS] for start in range(0, len(fields), _DIGITS)]


@lru_cache(maxsize=4096)
def _mark(path: str, value: str) -> str:
    """Kept, since most leaves of one plan stand in the next one as well."""
    return hashlib.sha256(f"{path}\n{value}".encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]


# dates and the like, which YAML makes of unquoted text, are their spelling: they differ from what was sealed
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=str).encode
