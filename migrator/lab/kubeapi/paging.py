"""Lists in pages: what a caller asks for, and the token with which he asks for more."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from migrator.lab.kubeapi import errors, list_options
from migrator.lab.kubeapi.calls import number

if TYPE_CHECKING:
    from migrator.lab.kubeapi.calls import Call
    from migrator.lab.kubeapi.storage import ObjectKey

Json = dict[str, Any]

_ANY_VERSION = -1
_BAD_TOKEN = "invalid continue token: continue key is not valid"
_TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)


@dataclass(frozen=True)
class Asked:
    """Which part of a list.

    Attributes:
        limit: how many objects at most; 0 is all.
        version: as the list was then; nothing is now.
        after: the last object of the page before.
        least: not as it was before then.
    """

    limit: int
    version: int | None = None
    after: ObjectKey | None = None
    least: int | None = None


def read(call: Call) -> Asked:
    """What the query of a list asks for.

    Raises:
        ApiError: 400 or 422, it makes no sense.
    """
    request = call.request
    list_options.check(request, watch=False)
    limit = max(number(request.param("limit")), 0)
    given, match, text = (request.param(name) for name in ("continue", "resourceVersionMatch", "resourceVersion"))
    if given:
        if text not in ("", "0"):
            raise errors.bad_request("specifying resource version is not allowed when using continue")
        version, (namespace, name) = _opened(given)
        place = (call.namespace or namespace) if call.kind.namespaced else ""
        return Asked(limit, None if version == _ANY_VERSION else version, (place, name))
    since = read_version(text, lists=True)
    return Asked(limit, since if match == "Exact" else None, least=since)


def read_version(text: str, *, lists: bool = False) -> int | None:
    """A version as a query gives it; none if it is not given, or 0, which is any.

    Raises:
        ApiError: 500, it is none; a real server has only lists own up to whose fault that is: 400.
    """
    if text in ("", "0"):
        return None
    if not text.isdigit():
        problem = f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'
        raise errors.bad_request(f"invalid resource version: {problem}") if lists else errors.failed(problem)
    return int(text)


def check_reached(least: int | None, current: int) -> None:
    """Refuse to tell what is not known yet.

    Raises:
        ApiError: 504.
    """
    if least is not None and least > current:
        text = f"Timeout: Too large resource version: {least}, current: {current}"
        causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
        raise errors.ApiError(504, "Timeout", text, {"causes": causes, "retryAfterSeconds": 1})


def token(version: int, key: ObjectKey) -> str:
    """What is to be sent with the question for the next page."""
    content = {"v": "meta.k8s.io/v1", "rv": version, "start": "/".join(("", *filter(None, key))) + "\x00"}
    return base64.urlsafe_b64encode(msgspec.json.encode(content)).rstrip(b"=").decode()


def _opened(text: str) -> tuple[int, ObjectKey]:
    try:
        content = msgspec.json.decode(base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True))
    except (binascii.Error, msgspec.DecodeError) as error:
        raise errors.bad_request(f"{_BAD_TOKEN}: illegal base64 data at input byte 0") from error
    if content.get("v") != "meta.k8s.io/v1":
        raise errors.bad_request(f"{_BAD_TOKEN}: server does not recognize this encoded version {content.get('v', '')}")
    if not content.get("rv"):
        raise errors.bad_request(f"{_BAD_TOKEN}: incorrect encoded start resourceVersion (version meta.k8s.io/v1)")
    if not content.get("start"):
        raise errors.bad_request(f"{_BAD_TOKEN}: encoded start key empty (version meta.k8s.io/v1)")
    *namespace, name = content["start"].rstrip("\x00").lstrip("/").split("/")
    return int(content["rv"]), ("".join(namespace), name)


def expired(asked: Asked) -> errors.ApiError:
    """410: the list is no longer known as it was; the token in the answer goes on regardless."""
    if asked.after is None:
        return errors.gone("The resourceVersion for the provided list is too old.")
    return errors.gone(_TOO_OLD, token(_ANY_VERSION, asked.after))
