"""The log of every call the front has answered, refused ones included."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from migrator.lab.aws.wire import Request

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
_SECRET = {"token", "webidentitytoken", "secretaccesskey", "sessiontoken", "samlassertion", "password"}
_READING = (
    "Get",
    "List",
    "Describe",
    "Lookup",
    "Head",
    "Query",
    "Scan",
    "BatchGet",
    "TransactGet",
    "Simulate",
    "Generate",
    "AssumeRole",
    "Decode",
    "Select",
)


@dataclass(frozen=True)
class Call:
    """One call, as it was asked and answered.

    Attributes:
        number: position in the log, from 1, without gaps.
        time: when the request came.
        account: caller's account, empty when nobody was recognised.
        region: Region of the credential scope.
        caller_arn: caller, empty when nobody was recognised.
        service: signing name.
        operation: operation's name, or what could be read of it.
        params: parsed input as plain JSON, secrets hidden.
        status: HTTP status.
        error_code: empty when the call succeeded.
        mutating: whether the operation writes (whatever became of it).
        lost: whether the connection was closed instead of this answer; status 0 if nothing was even done.
        user_agent: what the program calls itself.
    """

    number: int
    time: datetime
    account: str
    region: str
    caller_arn: str
    service: str
    operation: str
    params: Mapping[str, Any]
    status: int
    error_code: str
    mutating: bool
    lost: bool = False
    user_agent: str = ""

    def as_json(self) -> dict[str, Any]:
        """The call as a JSON object."""
        return {**vars(self), "time": self.time.isoformat()}


def mutates(operation: str) -> bool:
    """Whether an operation writes, by AWS's own naming."""
    return bool(operation) and not operation.startswith(_READING)


def redacted(value: Any) -> Any:
    """A copy of parsed input in which secrets are hidden and everything else is plain JSON."""
    if isinstance(value, Mapping):
        return {str(key): HIDDEN if str(key).lower() in _SECRET else redacted(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [redacted(item) for item in value]
    return _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    return value


class CallLog:
    """Calls in the order in which they were answered."""

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._lock = threading.Lock()

    def add(self, request: Request, status: int, error_code: str) -> Call:
        """Writes a call down."""
        params = redacted(request.params)
        with self._lock:
            call = Call(
                number=len(self._calls) + 1,
                time=request.time,
                account=request.account,
                region=request.region,
                caller_arn=request.caller.arn if request.caller else "",
                service=request.service,
                operation=request.action,
                params=params,
                status=status,
                error_code=error_code,
                mutating=mutates(request.action),
                user_agent=request.http.headers.get("user-agent", ""),
            )
            self._calls.append(call)
        return call

    def lose(self, call: Call) -> None:
        """Notes of a call in the log that its answer was never sent."""
        with self._lock:
            if self._calls[call.number - 1 : call.number] == [call]:
                self._calls[call.number - 1] = replace(call, lost=True)

    def clear(self) -> None:
        """Forgets all calls; numbering begins anew."""
        with self._lock:
            self._calls.clear()

    def all(self) -> list[Call]:
        """A copy of the log so far."""
        with self._lock:
            return list(self._calls)
