"""One request on its way through the front, and the answer it gets: plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from botocore.model import OperationModel

    from migrator.lab.aws.callers import Caller


@dataclass(frozen=True)
class HttpRequest:
    """A request as it came over the socket; header names are lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    def query_pairs(self) -> list[tuple[str, str]]:
        """The query string, decoded, in order."""
        return parse_qsl(self.query, keep_blank_values=True)


@dataclass(frozen=True)
class HttpAnswer:
    """An answer ready for the socket."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Request:
    """A request the pipeline fills in, step by step.

    Attributes:
        http: as it came.
        id: request id, told to the client.
        time: when it came.
        service: signing name, empty until known.
        region: Region of the credential scope.
        operation: the operation's model, None until routed.
        path_params: what the route took from the path.
        params: input by member name, after parsing.
        caller: who signed; None for the unsigned web-identity call.
        event: what handlers add to this call's CloudTrail event.
        notes: what hooks leave for those who come after them.
    """

    http: HttpRequest
    id: str
    time: datetime
    service: str = ""
    region: str = "us-east-1"
    operation: OperationModel | None = None
    action: str = ""
    path_params: Mapping[str, str] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    caller: Caller | None = None
    event: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def account(self) -> str:
        """The caller's account, empty for an unsigned call."""
        return self.caller.account if self.caller else ""

    @property
    def who(self) -> Caller:
        """The caller of a signed call.

        Raises:
            RuntimeError: the call was unsigned; the pipeline lets none such reach a handler that asks.
        """
        if self.caller is None:
            raise RuntimeError(f"{self.service}:{self.action} has no caller")
        return self.caller
