"""PATCH: what a body in one of the patch languages makes of an object, and what is said of one that makes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import decoding, errors, patches, schema
from migrator.lab.kubeapi.strategic import in_go, strategic_merge

if TYPE_CHECKING:
    from migrator.lab.kubeapi.calls import Call

Json = dict[str, Any]

_MAP = "map[string]interface {}"
_OPERATIONS = "[]handlers.jsonPatchOp"


def patched(call: Call, current: Json, warnings: list[str]) -> Json:
    """The object after the patch in a call's body.

    Raises:
        ApiError: 400 for an unreadable patch, 422 for one that does not fit the object, or makes none of its kind.
    """
    body = call.request.body
    if call.content_type == patches.STRATEGIC_PATCH:
        patch = _opened(body, "", _MAP)
        after = strategic_merge(current, patch, schema.root(call.kind))
        read = _read(call, after, in_go(patch), warnings, converts=True)
    else:
        if call.content_type == patches.MERGE_PATCH:
            after = patches.merge_patch(current, _opened(body, "error decoding patch: ", _MAP))
        else:
            after = _operated(current, _opened(body, "error decoding patch: ", _OPERATIONS))
        read = _read(call, after, errors.compact(after), warnings, converts=False)
    decoding.check_place(call, read.get("metadata") or {})
    return read


def _opened(body: bytes, before: str, wanted: str) -> Any:
    try:
        return decoding.parsed(body, wanted=wanted)
    except decoding.UnreadableError as error:
        raise errors.bad_request(f"{before}{error}") from error


def _operated(current: Json, operations: Any) -> Json:
    try:
        return patches.json_patch(current, operations)
    except patches.UnfitError as error:
        raise errors.rejected_patch() from error


def _read(call: Call, after: Json, shown: str, warnings: list[str], *, converts: bool) -> Json:
    """The object, read anew; a strategic patch is not decoded but converted, which fails in other words."""
    try:
        decoding.check_kind(call.kind, after)
        read, unknown = schema.read(call.kind, after)
    except schema.MismatchError as error:
        raise _refused(shown, error.unconverted if converts else str(error)) from error
    unknown = [f'unknown field "{path}"' for path in (sorted(unknown) if converts else unknown)]
    if unknown and call.validation == "Strict":
        raise _refused(shown, f"strict decoding error: {', '.join(unknown)}")
    if call.validation == "Warn":
        warnings += unknown
    return read


def _refused(shown: str, why: str) -> errors.ApiError:
    problem = errors.invalid_value("patch", shown, why)
    text = f' "" is invalid: {problem.field}: {problem.text}'
    causes = [{"reason": problem.reason, "message": problem.text, "field": problem.field}]
    return errors.ApiError(422, "Invalid", text, {"causes": causes})
