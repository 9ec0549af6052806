"""The error answers of a Kubernetes API server: one exception type that carries a ``Status`` body.

Wording and codes follow the real server, because clients (and people) read them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from migrator.lab.kubeapi.kinds import Kind

Json = dict[str, Any]

_TITLES = {
    "FieldValueRequired": "Required value",
    "FieldValueInvalid": "Invalid value",
    "FieldValueNotFound": "Not found",
    "FieldValueDuplicate": "Duplicate value",
    "FieldValueForbidden": "Forbidden",
    "FieldValueNotSupported": "Unsupported value",
    "FieldValueTooLong": "Too long",
    "FieldValueTooMany": "Too many",
}
_KEPT_AS = {"nodes": "minions", "services": "services/specs", "endpoints": "services/endpoints"}
_VALUELESS = {"FieldValueRequired", "FieldValueForbidden", "FieldValueTooLong"}


class ApiError(Exception):
    """An answer other than success, as the API server words it."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: Json | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.headers = dict(headers or {})
        self.metadata: Json = {}
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details

    def status(self) -> Json:
        """The ``Status`` object that goes over the wire."""
        body: Json = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.metadata,
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            body["reason"] = self.reason
        if self.details is not None:
            body["details"] = self.details
        body["code"] = self.code
        return body


NO_SNIFFING = {"X-Content-Type-Options": "nosniff"}


class PageNotFoundError(Exception):
    """A path at which nothing is, not even an API; a real server says so in plain text."""


@dataclass(frozen=True)
class FieldError:
    """One thing wrong with one field of an object."""

    field: str
    reason: str
    detail: str = ""
    value: Any = None

    @property
    def text(self) -> str:
        """What is wrong, without the field's name."""
        title = _TITLES[self.reason]
        shown = title if self.reason in _VALUELESS else f"{title}: {shown_value(self.value)}"
        return f"{shown}: {self.detail}" if self.detail else shown


def required(field: str, detail: str = "") -> FieldError:
    """A field that must be given."""
    return FieldError(field, "FieldValueRequired", detail)


def invalid_value(field: str, value: Any, detail: str) -> FieldError:
    """A field with a value that will not do."""
    return FieldError(field, "FieldValueInvalid", detail, value)


def duplicate(field: str, value: Any) -> FieldError:
    """A value that may be there only once."""
    return FieldError(field, "FieldValueDuplicate", "", value)


def forbidden_field(field: str, detail: str) -> FieldError:
    """A change or a field that is not allowed."""
    return FieldError(field, "FieldValueForbidden", detail)


def missing_reference(field: str, value: Any) -> FieldError:
    """A field that names something absent."""
    return FieldError(field, "FieldValueNotFound", "", value)


def unsupported_value(field: str, value: Any, allowed: Sequence[str]) -> FieldError:
    """A value outside its list."""
    listed = ", ".join(f'"{item}"' for item in allowed)
    return FieldError(field, "FieldValueNotSupported", f"supported values: {listed}", value)


def bad_request(message: str) -> ApiError:
    """400: the request itself is wrong."""
    return ApiError(400, "BadRequest", message)


def not_found(kind: Kind, name: str) -> ApiError:
    """404: no such object."""
    return ApiError(404, "NotFound", f'{kind.qualified} "{name}" not found', _details(kind, name))


def unknown_path() -> ApiError:
    """404: no such resource or path."""
    return ApiError(404, "NotFound", "the server could not find the requested resource", {})


def already_exists(kind: Kind, name: str) -> ApiError:
    """409: the name is taken."""
    return ApiError(409, "AlreadyExists", f'{kind.qualified} "{name}" already exists', _details(kind, name))


def conflict(kind: Kind, name: str, why: str) -> ApiError:
    """409: somebody else was there first."""
    message = f'Operation cannot be fulfilled on {kind.qualified} "{name}": {why}'
    return ApiError(409, "Conflict", message, _details(kind, name))


def unmet(kind: Kind, name: str, why: str) -> ApiError:
    """409: a precondition of a deletion does not hold; here, and only here, the kind stands for the resource."""
    details = {**_details(kind, name), "kind": kind.kind}
    message = f'Operation cannot be fulfilled on {kind.name_with_group} "{name}": {why}'
    return ApiError(409, "Conflict", message, details)


def modified(kind: Kind, name: str) -> ApiError:
    """409: the caller's version of the object is old."""
    why = "the object has been modified; please apply your changes to the latest version and try again"
    return conflict(kind, name, why)


def other_object(kind: Kind, namespace: str, name: str, wanted: str, found: str) -> ApiError:
    """409: an object of another uid is to be replaced; a real server shows where it keeps it."""
    key = "/".join(filter(None, ("registry", _KEPT_AS.get(kind.qualified, kind.plural), namespace, name)))
    why = (
        f"StorageError: invalid object, Code: 4, Key: /{key}, ResourceVersion: 0, AdditionalErrorMsg: "
        f"Precondition failed: UID in precondition: {wanted}, UID in object meta: {found}"
    )
    return conflict(kind, name, why)


def forbidden(kind: Kind, name: str, why: str) -> ApiError:
    """403: an admission rule says no."""
    message = f'{kind.qualified} "{name}" is forbidden: {why}'
    return ApiError(403, "Forbidden", message, _details(kind, name))


def invalid(kind: Kind, name: str, errors: Sequence[FieldError]) -> ApiError:
    """422: the object breaks rules; all that were found are told."""
    details: Json = {"name": name} if name else {}
    if kind.group:
        details["group"] = kind.group
    details["kind"] = kind.kind
    return _invalid(kind.name_with_group, name, details, errors)


def _invalid(subject: str, name: str, details: Json, errors: Sequence[FieldError]) -> ApiError:
    lines = list(dict.fromkeys(f"{e.field}: {e.text}" for e in errors))
    joined = lines[0] if len(lines) == 1 else "[" + ", ".join(lines) + "]"
    causes = [{"reason": e.reason, "message": e.text, "field": e.field} for e in errors]
    return ApiError(422, "Invalid", f'{subject} "{name}" is invalid: {joined}', {**details, "causes": causes})


def version_required(kind: Kind, name: str) -> ApiError:
    """422: a kind that is not replaced blindly; here the resource stands for the kind."""
    problem = invalid_value("metadata.resourceVersion", 0, "must be specified for an update")
    return _invalid(kind.qualified, name, _details(kind, name), [problem])


def invalid_review(kind: Kind, problems: Sequence[FieldError]) -> ApiError:
    """422: a review that asks nothing; a real server has forgotten its kind by then."""
    return _invalid(f".{kind.group}", "", {"group": kind.group}, problems)


def invalid_options(kind: str, problems: Sequence[FieldError]) -> ApiError:
    """422: options of a request that are not allowed."""
    return _invalid(f"{kind}.meta.k8s.io", "", {"group": "meta.k8s.io", "kind": kind}, problems)


def invalid_question(kind: str, name: str, problems: Sequence[FieldError]) -> ApiError:
    """422: options of a question about one object."""
    return _invalid(kind, name, {"name": name, "kind": kind}, problems)


def dry_run_problems(values: Sequence[str]) -> list[FieldError]:
    """What is wrong with the directives for a dry run."""
    return [unsupported_value("dryRun", list(values), ["All"])] if any(value != "All" for value in values) else []


def rejected_patch() -> ApiError:
    """422: a JSON patch that cannot be applied (a failed ``test`` among others)."""
    return ApiError(422, "Invalid", "the server rejected our request due to an error in our request", {})


def failed(message: str) -> ApiError:
    """500: what a real server did not expect and gives no reason for."""
    return ApiError(500, "", message)


def unsupported_media(content_type: str, accepted: Sequence[str]) -> ApiError:
    """415: a body in a language that is not spoken here."""
    named = f' ("{content_type}")' if "protobuf" in content_type else ""
    message = f"the body of the request was in an unknown format{named} - accepted media types include: "
    message += ", ".join(accepted)
    if named:
        message += (
            '; the practice fleet speaks no protobuf: make objects with "kubectl apply -f" or "kubectl create -f", for '
            'instance behind "kubectl create ... --dry-run=client -o yaml |"; other clients must send JSON'
        )
    return ApiError(415, "UnsupportedMediaType", message)


def gone(message: str, token: str = "") -> ApiError:
    """410: that part of history is no longer kept; the token, if any, is for going on without it."""
    error = ApiError(410, "Expired", message)
    if token:
        error.metadata["continue"] = token
    return error


def too_many(message: str, causes: Sequence[Json], seconds: int) -> ApiError:
    """429: not now; after so many seconds, if anybody knows."""
    later = {"retryAfterSeconds": seconds} if seconds else {}
    return ApiError(429, "TooManyRequests", message, {"causes": list(causes), **later})


def unauthorized() -> ApiError:
    """401: nobody known."""
    return ApiError(401, "Unauthorized", "Unauthorized")


def method_not_allowed() -> ApiError:
    """405: the resource has no such verb."""
    return ApiError(
        405,
        "MethodNotAllowed",
        "the server does not allow this method on the requested resource",
        {},
    )


def _details(kind: Kind, name: str) -> Json:
    details: Json = {"name": name} if name else {}
    if kind.group:
        details["group"] = kind.group
    details["kind"] = kind.plural
    return details


def shown_value(value: Any) -> str:
    """A value as Go would print it in a field error."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, dict | list):
        return compact(value)
    return str(value)


def compact(value: Any) -> str:
    """Compact JSON, as it appears inside messages."""
    return json.dumps(value, separators=(",", ":"))
