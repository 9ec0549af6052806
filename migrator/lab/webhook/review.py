"""AdmissionReview in and out: the envelope around the handler's decision."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]


def answer(body: bytes, decide: Callable[[Json], list[Json] | None]) -> Json:
    """The review to send back.

    Args:
        body: the request's body.
        decide: the review's request in, patch or None out.

    Returns:
        What upstream's handler writes: a review's response without its head; what cannot be read is answered
        `allowed: false` with the error's text.
    """
    try:
        review = json.loads(body)
    except ValueError as error:
        return {"response": {"uid": "", **_refused(str(error))}}
    if not isinstance(review, dict):
        return {"response": {"uid": "", **_refused("couldn't get version/kind; json parse error")}}
    request = review.get("request")
    if not isinstance(request, dict):
        return {"response": {"uid": "", **_refused("bad content")}}
    return {"response": {"uid": request.get("uid", ""), **_decision(request, decide)}}


def _decision(request: Json, decide: Callable[[Json], list[Json] | None]) -> Json:
    try:
        patch = decide(request)
    except (KeyError, TypeError, AttributeError) as error:
        return _refused(_text(error))
    if patch is None:
        return {"allowed": True}
    encoded = base64.b64encode(json.dumps(patch).encode()).decode()
    return {"allowed": True, "patch": encoded, "patchType": "JSONPatch"}


def _refused(why: str) -> Json:
    return {"allowed": False, "status": {"metadata": {}, "message": why}}


def _text(error: Exception) -> str:
    return f"missing field {error}" if isinstance(error, KeyError) else str(error)
