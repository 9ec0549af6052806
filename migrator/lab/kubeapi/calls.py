"""One call of the API, after its URL, its caller and its options have been understood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from migrator.lab.kubeapi import errors

if TYPE_CHECKING:
    from migrator.lab.kubeapi.kinds import Kind
    from migrator.lab.kubeapi.tokens import User
    from migrator.lab.kubeapi.wire import Request

Json = dict[str, Any]

APPLY = "application/apply-patch+yaml"
_VALIDATIONS = ("", "Ignore", "Strict", "Warn")
_LONGEST_MANAGER = 128


@dataclass(frozen=True)
class Call:
    """Who wants what done to which resource."""

    user: User
    request: Request
    kind: Kind
    verb: str
    namespace: str
    name: str
    subresource: str = ""
    rest: str = ""

    @property
    def dry_run(self) -> bool:
        """Whether everything but the writing is asked for."""
        return "All" in self.request.query.get("dryRun", ())

    @property
    def manager(self) -> str:
        """The field manager: as given, or the program's name from its User-Agent."""
        given = self.request.param("fieldManager")
        return given or self.request.header("user-agent").split("/")[0].split(" ")[0] or "unknown"

    @property
    def content_type(self) -> str:
        """The body's media type without its parameters."""
        return self.request.header("content-type").split(";")[0].strip().lower()

    @property
    def validation(self) -> str:
        """What to do with unknown fields: Ignore, Warn or Strict."""
        return self.request.param("fieldValidation") or "Warn"


def number(text: str) -> int:
    """A number in a query.

    Raises:
        ApiError: 400, it is none.
    """
    try:
        return int(text or 0)
    except ValueError as error:
        raise errors.bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from error


def check_options(call: Call) -> None:
    """Check the query of a call that creates or changes something.

    Raises:
        ApiError: 422, options that are not allowed.
    """
    query, problems = call.request.query, []
    if call.verb == "patch" and call.content_type == APPLY:
        if not call.request.param("fieldManager"):
            problems.append(errors.required("fieldManager", "is required for apply patch"))
    elif call.verb == "patch" and "force" in query:
        problems.append(errors.forbidden_field("force", "may not be specified for non-apply patch"))
    problems += _manager_problems(call.request.param("fieldManager"))
    problems += errors.dry_run_problems(query.get("dryRun", ()))
    if call.request.param("fieldValidation") not in _VALIDATIONS:
        value = call.request.param("fieldValidation")
        problems.append(errors.unsupported_value("fieldValidation", value, _VALIDATIONS))
    if problems:
        raise errors.invalid_options(f"{call.verb.capitalize()}Options", problems)


def _manager_problems(manager: str) -> list[errors.FieldError]:
    found = []
    if len(manager) > _LONGEST_MANAGER:
        text = f"may not be more than {_LONGEST_MANAGER} bytes"
        found.append(errors.FieldError("fieldManager", "FieldValueTooLong", text))
    for place, letter in enumerate(manager):
        if not letter.isprintable():
            text = f"invalid character U+{ord(letter):04X} (at position {place})"
            found.append(errors.invalid_value("fieldManager", manager, text))
    return found


def copy(obj: Json) -> Json:
    """A deep copy of a JSON object."""
    copied: Json = msgspec.json.decode(msgspec.json.encode(obj))
    return copied
