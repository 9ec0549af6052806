"""JSON patch and JSON merge patch; the strategic one has a module of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonpatch
import jsonpointer

if TYPE_CHECKING:
    from collections.abc import Sequence

Json = dict[str, Any]

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


class UnfitError(Exception):
    """A JSON patch that does not fit the object; a failed `test` is one."""


def json_patch(current: Json, operations: Sequence[Any]) -> Json:
    """The object after a list of JSON patch operations.

    As on a real server, a member of an object may be replaced that is not there, and a value that is left out is null.

    Raises:
        UnfitError: one of them cannot be done.
    """
    patched: Json = current
    try:
        for operation in operations:
            given = {"value": None, **operation}
            if given["op"] == "replace" and isinstance(_parent(patched, given["path"]), dict):
                given["op"] = "add"
            patched = jsonpatch.apply_patch(patched, [given])
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError, KeyError) as error:
        raise UnfitError(str(error)) from error
    return patched


def _parent(document: Json, path: str) -> Any:
    """What holds the member that a pointer names; nothing for the whole document."""
    above, _, _ = path.rpartition("/")
    return jsonpointer.resolve_pointer(document, above, None) if path else None


def merge_patch(current: Json, patch: Json) -> Json:
    """The object after a JSON merge patch (RFC 7396)."""
    merged: Json = _merge(current, patch)
    return merged


def _merge(current: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    merged = dict(current) if isinstance(current, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merge(merged.get(key), value)
    return merged
