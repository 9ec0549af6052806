"""TransactWriteItems over moto's tables: all conditions first, then all writes; tokens make a repeat idempotent.

moto has the operation too, but copies the whole table for every item of a transaction, and knows no tokens.
"""

from __future__ import annotations

import copy
import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from moto.core.exceptions import JsonRESTError
from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.models import dynamodb_backends

from migrator.lab.aws.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from migrator.lab.aws.moto_backend import MotoBackend
    from migrator.lab.aws.pipeline import Handler
    from migrator.lab.aws.ports import Clock
    from migrator.lab.aws.wire import Request

_REMEMBERED = timedelta(minutes=10)
_FAILED = "ConditionalCheckFailed"


@dataclass(frozen=True)
class _Write:
    """One item of a transaction, and what is there before it."""

    kind: str
    given: Mapping[str, Any]
    key: dict[str, Any]
    before: Any

    @property
    def expression(self) -> dict[str, Any]:
        """The names and values its expressions use."""
        names, values = (self.given.get(f"ExpressionAttribute{what}") for what in ("Names", "Values"))
        return {"expression_attribute_names": names, "expression_attribute_values": values}

    def allowed(self) -> bool:
        """Whether its condition holds."""
        condition = self.given.get("ConditionExpression")
        names, values = self.expression.values()
        return condition is None or bool(get_filter_expression(condition, names, values).expr(self.before))

    def reason(self) -> dict[str, Any]:
        """Why it cancels the transaction, or that it does not."""
        if self.allowed():
            return {"Code": "None"}
        told = {"Code": _FAILED, "Message": "The conditional request failed"}
        if self.given.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and self.before:
            told["Item"] = self.before.to_json()["Attributes"]
        return told

    def apply(self, backend: Any) -> None:
        """Writes it."""
        table = self.given["TableName"]
        if self.kind == "Put":
            backend.put_item(table, self.given["Item"])
        elif self.kind == "Delete":
            backend.delete_item(table, self.key)
        elif self.kind == "Update":
            backend.update_item(table, self.key, self.given["UpdateExpression"], **self._used())

    def undo(self, backend: Any) -> None:
        """What was there before is there again."""
        if self.before is None:
            backend.delete_item(self.given["TableName"], self.key)
        else:
            backend.put_item(self.given["TableName"], self.before.to_json()["Attributes"])

    def _used(self) -> dict[str, Any]:
        """Moto refuses names and values that only the condition uses."""
        text = self.given["UpdateExpression"]
        return {
            name: {mark: value for mark, value in (given or {}).items() if mark in text}
            for name, given in self.expression.items()
        }


@dataclass
class Transactions:
    """Of all accounts."""

    moto: MotoBackend
    clock: Clock
    _done: dict[tuple[str, str, str], tuple[datetime, str]] = field(default_factory=dict)

    def handlers(self) -> dict[str, Handler]:
        """What it answers."""
        return {"TransactWriteItems": self._write}

    def _write(self, request: Request) -> dict[str, Any]:
        body = json.loads(request.http.body)  # as it came: moto keeps what is on the wire
        with self.moto.lock("dynamodb"), _refusing():
            if not self._repeated(request, body):
                _carry_out(dynamodb_backends[request.account][request.region], body["TransactItems"])
                self._remember(request, body)
        return {}

    def _repeated(self, request: Request, body: dict[str, Any]) -> bool:
        when, digest = self._done.get(_token(request, body), (None, ""))
        if when is None or self.clock() - when > _REMEMBERED:
            return False
        if digest != _digest(body):
            raise ApiError("IdempotentParameterMismatchException", "the token was used with other parameters", 400)
        return True

    def _remember(self, request: Request, body: dict[str, Any]) -> None:
        now = self.clock()
        if body.get("ClientRequestToken"):
            self._done = {token: kept for token, kept in self._done.items() if now - kept[0] <= _REMEMBERED}
            self._done[_token(request, body)] = (now, _digest(body))


def _carry_out(backend: Any, asked: list[dict[str, Any]]) -> None:
    writes = [_write_of(backend, one) for one in asked]
    if len({json.dumps([one.given["TableName"], one.key], sort_keys=True) for one in writes}) < len(writes):
        message = "Transaction request cannot include multiple operations on one item"
        raise ApiError("ValidationException", message, 400)
    reasons = [one.reason() for one in writes]
    if any(reason["Code"] == _FAILED for reason in reasons):
        codes = ", ".join(reason["Code"] for reason in reasons)
        message = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
        raise ApiError("TransactionCanceledException", message, 400, {"CancellationReasons": reasons})
    _all_or_none(backend, writes)


def _all_or_none(backend: Any, writes: list[_Write]) -> None:
    begun: list[_Write] = []
    try:
        for one in writes:
            begun.append(one)
            one.apply(backend)
    except JsonRESTError:
        for one in reversed(begun):
            one.undo(backend)
        raise


def _write_of(backend: Any, asked: dict[str, Any]) -> _Write:
    ((kind, given),) = asked.items()
    table = backend.get_table(given["TableName"])
    names = [table.hash_key_attr, *([table.range_key_attr] if table.range_key_attr else [])]
    whole = given["Item"] if kind == "Put" else given["Key"]
    key = {name: whole[name] for name in names}
    return _Write(kind, given, key, copy.deepcopy(backend.get_item(given["TableName"], key)))


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except JsonRESTError as refused:
        raise ApiError(refused.relative_error_type, str(refused.message), 400) from refused


def _token(request: Request, body: dict[str, Any]) -> tuple[str, str, str]:
    return request.account, request.region, str(body.get("ClientRequestToken", ""))


def _digest(body: dict[str, Any]) -> str:
    return json.dumps(body["TransactItems"], sort_keys=True)
