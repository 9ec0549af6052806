"""JSON patch and JSON merge patch; the strategic one has a module of its own."""

from __future__ import annotations

from typing import Any

import jsonpatch
import jsonpointer
import msgspec

from migrator.lab.kubeapi import errors

Json = dict[str, Any]

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


def json_patch(current: Json, body: bytes) -> Json:
    """The object after a list of JSON patch operations.

    Raises:
        ApiError: 400 for an unreadable patch, 422 for one that does not fit the object.
    """
    try:
        operations = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise errors.bad_request(f"error decoding patch: {error}") from error
    if not isinstance(operations, list):
        raise errors.bad_request(
            "error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch"
        )
    try:
        patched: Json = jsonpatch.apply_patch(current, operations)
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError, KeyError) as error:
        raise errors.rejected_patch() from error
    return patched


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
