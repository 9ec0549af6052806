"""PATCH: what a body in one of the patch languages makes of an object, and what is said of one that makes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import decoding, errors, patches, schema
from migrator.lab.kubeapi.strategic import strategic_merge

if TYPE_CHECKING:
    from migrator.lab.kubeapi.calls import Call

Json = dict[str, Any]


def patched(call: Call, current: Json, warnings: list[str]) -> Json:
    """The object after the patch in a call's body.

    Raises:
        ApiError: 400 for an unreadable patch, 422 for one that does not fit the object, or makes none of its kind.
    """
    body, shown = call.request.body, ""
    if call.content_type == patches.JSON_PATCH:
        after = patches.json_patch(current, body)
    elif call.content_type == patches.MERGE_PATCH:
        after = patches.merge_patch(current, _opened(body, "error decoding patch: "))
    else:
        patch = _opened(body, "")
        after, shown = strategic_merge(current, patch, schema.root(call.kind)), in_go(patch)
    read = _read(call, after, shown or errors.compact(after), warnings)
    decoding.check_place(call, read.get("metadata") or {})
    return read


def _opened(body: bytes, before: str) -> Json:
    try:
        return decoding.parsed(body)
    except decoding.UnreadableError as error:
        raise errors.bad_request(f"{before}{error}") from error


def _read(call: Call, after: Json, shown: str, warnings: list[str]) -> Json:
    try:
        read, unknown = schema.read(call.kind, after)
    except schema.MismatchError as error:
        raise _refused(shown, str(error)) from error
    unknown = [f'unknown field "{path}"' for path in unknown]
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


def in_go(value: Any) -> str:
    """A value as Go prints it."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{in_go(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(map(in_go, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return "<nil>" if value is None else str(value)
