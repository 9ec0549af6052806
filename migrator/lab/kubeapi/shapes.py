"""The fields of the built-in kinds: their types, which of them are always there, and how lists and maps are merged.

All of it is what a real API server publishes; ``scripts/kube_schemas.py`` writes it into ``schemas.json``. Strategic
merge patch and server-side apply have rules of their own that differ in a few places.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import msgspec

Json = dict[str, Any]

_FILE = Path(__file__).with_name("schemas.json")
META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_CUSTOM = "custom object"
# what a scalar is when nobody has set it; times are null, and what is anything is as it comes
_NEVER_EMPTY = ("o", "p", "q", "t", "m")  # in Go these are structs or pointers to one
_ZEROS = {"s": "", "y": "", "i": 0, "l": 0, "f": 0, "b": False, "q": "0", "p": 0}


@cache
def tables() -> Json:
    """The whole content of ``schemas.json``."""
    found: Json = msgspec.json.decode(_FILE.read_bytes())
    return found


class Shape:
    """What is known of one place in an object.

    Attributes:
        code: its type: a scalar's letter, ``[`` a list of, ``{`` a map of, or a struct's name; ``o`` is anything.
        is_list: whether a list stands here.
        is_map: whether a map with free keys stands here.
        is_struct: whether an object with known fields stands here.
        patch_key: the key by which a strategic patch merges this list; empty if it replaces it.
        merges_scalars: whether a strategic patch adds to this list of scalars.
        retains_keys: whether a patch here may list the keys to keep.
        replaces: whether a strategic patch replaces what stands here as a whole.
        apply_keys: the keys by which server-side apply tells this list's elements apart; empty if it has one owner.
        is_set: whether this list of scalars is owned member by member.
        is_atomic: whether this map or struct has one owner as a whole.
        always: whether an object has it even if nobody has set it.
        keeps_zero: whether a zero that was given stays.
    """

    __slots__ = (
        "_element", "_fields", "_held", "_pointer", "always", "apply_keys", "code", "is_atomic", "is_list", "is_map",
        "is_set", "is_struct", "keeps_zero", "merges_scalars", "parent", "patch_key", "replaces", "retains_keys",
    )  # fmt: skip

    def __init__(self, code: str, more: Json | None = None, *, parent: str = "") -> None:
        more = more or {}
        self.code, self.parent = code, parent
        self.is_list, self.is_map = code.startswith("["), code.startswith("{")
        self.is_struct = len(code) > 1 and not self.is_list and not self.is_map
        strategy = more.get("patch-strategy", "").split(",")
        self.patch_key: str = more.get("patch-merge-key", "")
        self.merges_scalars = self.is_list and "merge" in strategy and not self.patch_key
        self.retains_keys, self.replaces = "retainKeys" in strategy, "replace" in strategy
        self.apply_keys: tuple[str, ...] = tuple(sorted(more.get("list-map-keys", ())))
        self.is_set = more.get("list-type") == "set"
        # what is anything in a built-in kind is nobody's in parts
        self.is_atomic = _atomic(code, more) if self.is_struct or self.is_map else bool(code == "o" and parent)
        self.always = bool(more.get("always"))
        self._pointer = bool(more.get("pointer"))
        self.keeps_zero = self.always or self._pointer or self.is_struct or code in _NEVER_EMPTY
        self._element: Shape | None = None
        self._held: Shape | None = None
        self._fields: dict[str, Shape] | None = None

    @property
    def fields(self) -> dict[str, Shape]:
        """The fields of a struct; empty for anything else."""
        if self._fields is None:
            self._fields = _fields(self.code) if self.is_struct else {}
        return self._fields

    @property
    def element(self) -> Shape:
        """What the elements of a list or map are."""
        if self._element is None:
            self._element = _bare(self.code[1:]) if self.is_list or self.is_map else UNKNOWN
        return self._element

    @property
    def held(self) -> Shape:
        """What the elements are, which a decoder names after the field that holds them."""
        if self._held is None:
            self._held = Shape(self.code[1:], parent=self.parent)
        return self._held

    @property
    def zero(self) -> Any:
        """What stands here when nobody has set it; to be copied before it is changed."""
        if self._pointer:
            return None
        return zero_struct(self.code) if self.is_struct else _ZEROS.get(self.code)

    def child(self, name: str) -> Shape:
        """The shape under a key; of an unknown one nothing is known."""
        if self.is_struct:
            return self.fields.get(name, UNKNOWN)
        return self.element if self.is_map else UNKNOWN

    def identity(self, element: Any) -> Json | None:
        """The key fields of an element of this list, defaults filled in; ``None`` if it lacks one."""
        if not isinstance(element, dict):
            return None
        found: Json = {}
        for key in self.apply_keys:
            value = element.get(key, _default(self.element.code, key))
            if value is None:
                return None
            found[key] = value
        return found


def _atomic(code: str, more: Json) -> bool:
    if "map-type" in more:
        return bool(more["map-type"] == "atomic")
    return bool(tables()["types"].get(code, {}).get("atomic"))


@cache
def _fields(type_name: str) -> dict[str, Shape]:
    if type_name == _CUSTOM:
        return {"metadata": Shape(META, {"always": True})}
    described = tables()["types"][type_name]
    return {
        name: Shape(spec[0], spec[2] if len(spec) > 2 else None, parent=type_name)
        for name, spec in described["fields"].items()
    }


@cache
def _default(type_name: str, field: str) -> Any:
    spec = tables()["types"].get(type_name, {}).get("fields", {}).get(field, ())
    return spec[2].get("default") if len(spec) > 2 else None


@cache
def _bare(code: str) -> Shape:
    return Shape(code)


@cache
def zero_struct(type_name: str) -> Json:
    """A struct of which nothing is set, as it is written; to be copied before it is changed."""
    return {name: shape.zero for name, shape in _fields(type_name).items() if shape.always}


UNKNOWN = Shape("o")
CUSTOM = _bare(_CUSTOM)
DELETE_OPTIONS = _bare("io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions")


@cache
def root(api_version: str, kind: str) -> Shape:
    """The shape of a built-in kind, or one that knows nothing."""
    name = tables()["roots"].get(f"{api_version}/{kind}")
    return _bare(name) if name else UNKNOWN
