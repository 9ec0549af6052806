"""Makes the table, or what an existing one lacks; and says what it would do."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from migrator.model.errors import EnvironmentFault, StoreFault
from migrator.store.dynamo.table import FORMAT, Table, key
from migrator.store.dynamo.values import number

TTL = "ttl"
KEYS = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
ATTRIBUTES = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")]
_POLL = 1.0
_LOOKS = 120


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that is to be done."""

    title: str
    do: Callable[[], None]


class Maker:
    """Makes one table."""

    def __init__(self, table: Table, sleep: Callable[[float], None]) -> None:
        self._table = table
        self._sleep = sleep

    def missing(self) -> list[Deed]:
        """What is to be done, in order; nothing when the table is as it should be.

        Raises:
            StoreFault: there is one of that name that cannot serve.
        """
        found = self._described()
        if found is None:
            return [
                Deed("create it: on-demand, with protection against deletion", self._create),
                Deed("turn on point-in-time recovery", self._recovery),
                Deed("let the leases expire, and nothing else", self._expiry),
                Deed(f"mark it as a store of format {FORMAT}", self._mark),
            ]
        if found["KeySchema"] != KEYS:
            raise StoreFault(f"{self._table.state} has other keys than pk and sk", remedy="name another table")
        return list(self._lacking(found))

    def _lacking(self, found: dict[str, Any]) -> Iterator[Deed]:
        if not found.get("DeletionProtectionEnabled"):
            yield Deed("protect it against deletion", self._protect)
        backups = self._table.call("describe_continuous_backups")["ContinuousBackupsDescription"]
        if backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus") != "ENABLED":
            yield Deed("turn on point-in-time recovery", self._recovery)
        expiry = self._table.call("describe_time_to_live")["TimeToLiveDescription"]
        if expiry.get("TimeToLiveStatus") not in {"ENABLED", "ENABLING"}:
            yield Deed("let the leases expire, and nothing else", self._expiry)
        elif expiry["AttributeName"] != TTL:
            raise StoreFault(
                f'items of {self._table.state} expire by "{expiry["AttributeName"]}": history could be lost',
                remedy="name another table",
            )
        if self._table.get("store", "format") is None:
            yield from self._unmarked()
        else:
            self._table.check()

    def _unmarked(self) -> Iterator[Deed]:
        if self._table.call("scan", Limit=1)["Items"]:
            raise StoreFault(f"{self._table.state} holds something else already", remedy="name another table")
        yield Deed(f"mark it as a store of format {FORMAT}", self._mark)

    def _described(self) -> dict[str, Any] | None:
        answer = self._table.call("describe_table", refusal="ResourceNotFoundException")
        found: dict[str, Any] | None = answer.get("Table")
        return found

    def _create(self) -> None:
        self._table.call(
            "create_table",
            KeySchema=KEYS,
            AttributeDefinitions=ATTRIBUTES,
            BillingMode="PAY_PER_REQUEST",
            DeletionProtectionEnabled=True,
            refusal="ResourceInUseException",  # by an attempt whose answer was lost, or by somebody else
        )
        self._active()

    def _active(self) -> None:
        for _ in range(_LOOKS):
            found = self._described() or {}
            if found.get("TableStatus") == "ACTIVE":
                return
            self._sleep(_POLL)
        raise EnvironmentFault(f"{self._table.state} does not become active", remedy="run the same command again")

    def _protect(self) -> None:
        self._table.call("update_table", DeletionProtectionEnabled=True)
        self._active()

    def _recovery(self) -> None:
        wanted = {"PointInTimeRecoveryEnabled": True}
        self._table.call("update_continuous_backups", PointInTimeRecoverySpecification=wanted)

    def _expiry(self) -> None:
        self._table.call("update_time_to_live", TimeToLiveSpecification={"Enabled": True, "AttributeName": TTL})

    def _mark(self) -> None:
        self._table.create({**key(("store", "format")), "format": number(FORMAT)})
        self._table.check()
