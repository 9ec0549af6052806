"""Which questions for lists and watches may be asked together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.lab.kubeapi import errors
from migrator.lab.kubeapi.calls import number

if TYPE_CHECKING:
    from migrator.lab.kubeapi.errors import FieldError
    from migrator.lab.kubeapi.wire import Request

_NEWER = "NotOlderThan"
_MATCHES = ("Exact", _NEWER, "")
_MATCH, _INITIAL = "resourceVersionMatch", "sendInitialEvents"


def check(request: Request, *, watch: bool) -> None:
    """Check the query of a list or a watch.

    Raises:
        ApiError: 400, what should be a number is none; 422, it makes no sense.
    """
    for name in ("limit", "timeoutSeconds"):
        number(request.param(name))
    problems = _of_watch(request) if watch else _of_list(request)
    if problems:
        raise errors.invalid_options("ListOptions", problems)


def _of_list(request: Request) -> list[FieldError]:
    match, version = request.param(_MATCH), request.param("resourceVersion")
    found = []
    if match and not version:
        found.append(_forbidden(_MATCH, f"{_MATCH} is forbidden unless resourceVersion is provided"))
    if match and request.param("continue"):
        found.append(_forbidden(_MATCH, f"{_MATCH} is forbidden when continue is provided"))
    if match not in _MATCHES:
        found.append(errors.unsupported_value(_MATCH, match, _MATCHES))
    if match == "Exact" and version == "0":
        found.append(_forbidden(_MATCH, f'{_MATCH} "exact" is forbidden for resourceVersion "0"'))
    if _INITIAL in request.query:
        found.append(_forbidden(_INITIAL, f"{_INITIAL} is forbidden for list"))
    return found


def _of_watch(request: Request) -> list[FieldError]:
    match, initial = request.param(_MATCH), _INITIAL in request.query
    found = []
    if initial and match != _NEWER:
        found.append(_forbidden(_MATCH, f"{_INITIAL} requires setting {_MATCH} to {_NEWER}"))
    if match and not initial:
        found.append(_forbidden(_MATCH, f"{_MATCH} is forbidden for watch unless {_INITIAL} is provided"))
    if match not in (_NEWER, ""):
        found.append(errors.unsupported_value(_MATCH, match, (_NEWER,)))
    if request.param("continue"):
        found.append(_forbidden(_MATCH, f"{_MATCH} is forbidden when continue is provided"))
    return found


def _forbidden(field: str, text: str) -> FieldError:
    return errors.forbidden_field(field, text)
