"""Two servers' answers side by side, field by field; and the entries that excuse a difference."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

from tests.controlplane.asking import Ask, Json

Whose = Literal["", "ours", "theirs"]


class _Absent:
    """What stands where only the other answer has something."""

    def __repr__(self) -> str:
        return "(nothing)"


ABSENT = _Absent()
_SHORT = 300
_DISCOVERED = {"APIResourceList", "APIGroupList", "APIGroup", "APIGroupDiscoveryList"}


@dataclass(frozen=True)
class Ignored:
    """Differences that are not counted.

    Attributes:
        why: a sentence.
        at: where in an answer: steps joined by dots, in which `*` is anything, and `**` any number of steps.
        asked: a regular expression that the request and the kind of the real answer must match somewhere, as in
            `GET /path?query -> 200 PodList`.
        like: the parts of the two texts that may differ; without it, values may differ altogether.
        same: whether what such a part stands for must be the same all through a case.
        only: whose answer alone may have the field; it may not differ then.
    """

    why: str
    at: str
    asked: str = ""
    like: str = ""
    same: bool = False
    only: Whose = ""

    def covers(self, ask: str, path: Sequence[str]) -> bool:
        """Whether it is about this place in the answer to this request."""
        return _fits(self.at.split("."), path) and re.search(self.asked, ask) is not None


@dataclass
class Comparison:
    """Compares the answers of one case.

    Attributes:
        ignored: the list.
        needed: the entries that were of use; every comparison adds to them.
    """

    ignored: Sequence[Ignored]
    needed: set[Ignored]
    _known: dict[str, str] = field(default_factory=dict)

    def differences(self, ask: Ask | str, ours: Json, theirs: Json) -> list[str]:
        """What is different and not excused, one line each."""
        if ours.get("status") != theirs.get("status"):
            return [f"ours {_short(ours)}, theirs {_short(theirs)}"]
        asked = f"{ask} -> {theirs.get('status')} {_kind(theirs)}"
        found = []
        for path, mine, real in _leaves((), _by_name(ours), _by_name(theirs)):
            entry = next(
                (one for one in self.ignored if one.covers(asked, path) and self._excuses(one, mine, real)), None
            )
            if entry is not None:
                self.needed.add(entry)
            elif mine != real or type(mine) is not type(real):
                found.append(f"{'.'.join(path)}: ours {mine!r}, theirs {real!r}")
        return found

    def _excuses(self, entry: Ignored, mine: Any, real: Any) -> bool:
        """Whether it is about this pair; of values it is so even where they happen to be equal."""
        if ABSENT in (mine, real):
            return entry.only == ("ours" if real is ABSENT else "theirs")
        if entry.only:
            return False
        if not entry.like:
            return bool(mine != real)
        plain = type(mine) is type(real) and isinstance(mine, str | int)
        return plain and self._alike(entry, str(mine), str(real))

    def _alike(self, entry: Ignored, mine: str, real: str) -> bool:
        """Whether two texts differ in nothing but the parts that may."""
        parts, others = ([found[0] for found in re.finditer(entry.like, text)] for text in (mine, real))
        if not (parts or others) or re.sub(entry.like, "", mine) != re.sub(entry.like, "", real):
            return False
        if not entry.same:
            return True
        return len(parts) == len(others) and all(map(self._same, parts, others))

    def _same(self, mine: str, real: str) -> bool:
        """Whether the two stand for one another wherever they are met."""
        return self._known.setdefault(f"ours {mine}", real) == real and self._known.setdefault(real, mine) == mine


def _kind(answer: Json) -> str:
    body = answer.get("body")
    return str(body.get("kind", "")) if isinstance(body, dict) else ""


def _short(answer: Json) -> str:
    return f"{answer.get('status')} {str(answer.get('body', answer.get('text')))[:_SHORT]}"


def _by_name(answer: Json) -> Json:
    """Documents of discovery tell of one thing after the other; it is compared with what has its name."""
    body = answer.get("body")
    if isinstance(body, dict) and (body.get("kind") in _DISCOVERED or body.keys() == {"paths"}):
        return {**answer, "body": _named(body)}
    return answer


def _named(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _named(under) for key, under in value.items()}
    if isinstance(value, list) and value and not _words(value):
        return {_name(one): _named(one) for one in value}
    return value


def _words(value: list[Any]) -> bool:
    """Whether it is a plain list of words, such as verbs; paths are compared one by one."""
    return all(isinstance(one, str) and not one.startswith("/") for one in value)


def _name(one: Any) -> str:
    if isinstance(one, str):
        return one
    names = [one.get(key) for key in ("name", "resource", "subresource", "version")]
    return str(next((name for name in names if name), one.get("metadata", {}).get("name", "")))


def _leaves(path: tuple[str, ...], mine: Any, real: Any) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """Pairs of what stands at the same place; a branch that only one of them has is one pair."""
    if path[-1:] == ("managedFields",) and isinstance(mine, list) and isinstance(real, list):
        # their order is that of the seconds in which they were written
        mine, real = ({_writer(entry): entry for entry in entries} for entries in (mine, real))
    if isinstance(mine, dict) and isinstance(real, dict) and (mine or real):
        for key in sorted({*mine, *real}):
            yield from _leaves((*path, key), mine.get(key, ABSENT), real.get(key, ABSENT))
    elif isinstance(mine, list) and isinstance(real, list) and (mine or real):
        for number in range(max(len(mine), len(real))):
            here = mine[number] if number < len(mine) else ABSENT
            yield from _leaves((*path, str(number)), here, real[number] if number < len(real) else ABSENT)
    else:
        yield path, mine, real


def _writer(entry: Any) -> str:
    if not isinstance(entry, dict):
        return str(entry)
    return " ".join(str(entry.get(key, "")) for key in ("manager", "operation", "apiVersion", "subresource"))


def _fits(pattern: Sequence[str], path: Sequence[str]) -> bool:
    if not pattern:
        return not path
    if pattern[0] == "**":
        return _fits(pattern[1:], path) or (bool(path) and _fits(pattern, path[1:]))
    return bool(path) and fnmatchcase(path[0], pattern[0]) and _fits(pattern[1:], path[1:])
