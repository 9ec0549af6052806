"""The one exception by which a handler answers with an AWS error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class ApiError(Exception):
    """An error answer: a code of the service's model, a message, and what else its shape carries.

    Attributes:
        code: the code as the wire has it (`NoSuchEntity`, `ResourceNotFoundException`, ...).
        message: the text a person reads.
        status: HTTP status; None means the one the model gives for this code, or 400.
        members: further members of the error's shape, such as `clusterName`.
    """

    def __init__(
        self, code: str, message: str, status: int | None = None, members: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = dict(members or {})


class ConnectionClosedError(Exception):
    """What a hook raises to have the connection closed instead of an answer."""


def not_served(service: str, operation: str) -> ApiError:
    """The answer to an operation AWS has and the practice fleet does not."""
    return ApiError("NotImplemented", f"the practice fleet does not serve {operation} of service {service}", status=501)


def unknown_route(service: str, method: str, path: str) -> ApiError:
    """The answer to a request that no operation of the service has."""
    return ApiError("UnknownOperationException", f"service {service} has no operation for {method} {path}", status=404)
