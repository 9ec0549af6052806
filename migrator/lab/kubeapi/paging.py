"""Lists in pages: what a caller asks for, and the token with which he asks for more."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from migrator.lab.kubeapi import errors
from migrator.lab.kubeapi.calls import number

if TYPE_CHECKING:
    from migrator.lab.kubeapi.calls import Call
    from migrator.lab.kubeapi.storage import ObjectKey

Json = dict[str, Any]

_MATCHES = ("Exact", "NotOlderThan", "")
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
    """

    limit: int
    version: int | None = None
    after: ObjectKey | None = None


def read(call: Call) -> Asked:
    """What the query of a list asks for.

    Raises:
        ApiError: 400 or 422, it makes no sense.
    """
    request = call.request
    limit = max(number(request.param("limit")), 0)
    given, match, text = (request.param(name) for name in ("continue", "resourceVersionMatch", "resourceVersion"))
    _check_match(match, text, given)
    if "sendInitialEvents" in request.query:
        text = "sendInitialEvents is forbidden for list"
        raise errors.invalid_options("ListOptions", [errors.forbidden_field("sendInitialEvents", text)])
    if given:
        if text not in ("", "0"):
            raise errors.bad_request("specifying resource version is not allowed when using continue")
        version, (namespace, name) = _opened(given)
        place = (call.namespace or namespace) if call.kind.namespaced else ""
        return Asked(limit, None if version == _ANY_VERSION else version, (place, name))
    since = read_version(text)
    return Asked(limit, since if match == "Exact" else None)


def read_version(text: str) -> int | None:
    """A version as a query gives it; none if it is not given, or 0, which is any.

    Raises:
        ApiError: 400, it is none.
    """
    if text in ("", "0"):
        return None
    if not text.isdigit():
        problem = f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'
        raise errors.bad_request(f"invalid resource version: {problem}")
    return int(text)


def _check_match(match: str, version: str, given: str) -> None:
    if not match:
        return
    found = []
    if not version:
        found.append("resourceVersionMatch is forbidden unless resourceVersion is provided")
    if given:
        found.append("resourceVersionMatch is forbidden when continue is provided")
    problems = [errors.forbidden_field("resourceVersionMatch", text) for text in found]
    if match not in _MATCHES:
        problems.append(errors.unsupported_value("resourceVersionMatch", match, _MATCHES))
    if match == "Exact" and version == "0":
        text = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
        problems.append(errors.forbidden_field("resourceVersionMatch", text))
    if problems:
        raise errors.invalid_options("ListOptions", problems)


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
        return errors.gone(f"The resourceVersion for the provided list is too old: {asked.version}")
    return errors.gone(_TOO_OLD, token(_ANY_VERSION, asked.after))
