"""AdmissionReview in and out: the envelope around the handler's decision."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]
VERSIONS = ("admission.k8s.io/v1beta1", "admission.k8s.io/v1")


def answer(body: bytes, decide: Callable[[Json], list[Json] | None]) -> Json:
    """The review to send back.

    Args:
        body: the request's body.
        decide: the review's request in, patch or None out.

    Returns:
        An AdmissionReview; what cannot be read is answered `allowed: false` with the error's text.
    """
    try:
        review = _parse(body)
    except (ValueError, KeyError, TypeError) as error:
        return _review(VERSIONS[0], {"uid": "", "allowed": False, "status": {"message": _text(error)}})
    version = review["apiVersion"]
    request = review.get("request")
    if not isinstance(request, dict):
        return _review(version, {"uid": "", "allowed": False, "status": {"message": "bad content"}})
    return _review(version, {"uid": request.get("uid", ""), **_decision(request, decide)})


def _parse(body: bytes) -> Json:
    review: Json = json.loads(body)
    if review["apiVersion"] not in VERSIONS or review.get("kind") != "AdmissionReview":
        kind, version = review.get("kind"), review["apiVersion"]
        raise ValueError(f'no kind "{kind}" is registered for version "{version}"')
    return review


def _decision(request: Json, decide: Callable[[Json], list[Json] | None]) -> Json:
    try:
        patch = decide(request)
    except (KeyError, TypeError, AttributeError) as error:
        return {"allowed": False, "status": {"message": _text(error)}}
    if patch is None:
        return {"allowed": True}
    encoded = base64.b64encode(json.dumps(patch).encode()).decode()
    return {"allowed": True, "patch": encoded, "patchType": "JSONPatch"}


def _review(version: str, response: Json) -> Json:
    return {"kind": "AdmissionReview", "apiVersion": version, "response": response}


def _text(error: Exception) -> str:
    return f"missing field {error}" if isinstance(error, KeyError) else str(error)
