"""Calls on the table: consistent reads, and conditional writes that know their own when an answer was lost.

A call may be repeated after its answer was lost, though the first one was carried out. A repeated condition then fails
on our own write: `Refused` brings what is there, so that whoever wrote can tell. Transactions carry a token as well, by
which DynamoDB itself recognises a repeat for ten minutes.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from migrator.model.errors import StoreFault
from migrator.model.fleet import DynamoState
from migrator.store.dynamo.faults import mapped
from migrator.store.dynamo.time import ServerTime
from migrator.store.dynamo.values import Attributes, text

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

T = TypeVar("T")
Key = tuple[str, str]

FORMAT = 1
_BATCH = 100  # keys of one BatchGetItem
_PAUSES = (0.0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)  # before what a batch left over is asked for again
_FAILED = "ConditionalCheckFailed"


class Caller(Protocol):
    """The one policy by which AWS is called: tries again, and raises our errors."""

    def run(self, call: Callable[[], T], *, doing: str, service: str) -> T:
        """What `call` gives, which is safe to repeat."""
        ...


@dataclass(frozen=True, slots=True)
class Refused:
    """A condition did not hold: for every item of the write, whether it was that one's, and what is there."""

    failed: tuple[bool, ...]
    there: tuple[Attributes, ...]

    def wrote(self, nonce: str) -> bool:
        """Whether one of the items is our own write already, and so all of them are."""
        return any(item.get("write", {}).get("S") == nonce for item in self.there)


class Table:
    """One table, for several threads."""

    def __init__(self, client: "DynamoDBClient", caller: Caller, state: DynamoState) -> None:
        self.state = state
        self.time = ServerTime()
        self._client: Any = client  # its types want every attribute value spelt out
        self._caller = caller

    def check(self) -> None:
        """Makes sure that the table holds a store of ours, of the format that we know.

        Raises:
            StoreFault: it does not.
        """
        found = self.get("store", "format")
        if found is None:
            raise StoreFault(f"{self.state} holds no state of migrate", remedy="make it one: migrate store init")
        if found["format"] != {"N": str(FORMAT)}:
            kept = next(iter(found["format"].values()))
            raise StoreFault(
                f"{self.state} has format {kept}, this program writes format {FORMAT}",
                remedy="use the version of migrate that made it, or another table",
            )

    def check_whole(self) -> None:
        """Makes sure that no import was cut off.

        Raises:
            StoreFault: one was; what it has written so far is not the whole.
        """
        if self.get("store", "import") is not None:
            raise StoreFault(
                f"an import into {self.state} was cut off", remedy="run it again, with the same file: it goes on"
            )

    def get(self, pk: str, sk: str) -> Attributes | None:
        """The item of that key."""
        answer = self.call("get_item", Key=key((pk, sk)), ConsistentRead=True)
        found: Attributes | None = answer.get("Item")
        return found

    def all(self, keys: Sequence[Key]) -> list[Attributes]:
        """The items of those keys that are there, in their order."""
        found: dict[Key, Attributes] = {}
        for start in range(0, len(keys), _BATCH):
            for item in self._batch(keys[start : start + _BATCH]):
                found[item["pk"]["S"], item["sk"]["S"]] = item
        return [found[one] for one in keys if one in found]

    def query(self, pk: str, *, begins: str = "", since: str = "", owned: bool = False) -> Iterator[Attributes]:
        """The items of a partition by sort key: all of them, or those that begin so, or those from there on.

        With `owned`, only those that have an owner are sent.
        """
        condition, values = "pk = :pk", {":pk": text(pk)}
        if begins:
            condition, values = f"{condition} AND begins_with(sk, :sk)", {**values, ":sk": text(begins)}
        elif since:
            condition, values = f"{condition} AND sk >= :sk", {**values, ":sk": text(since)}
        more: Attributes = {}
        if owned:
            values = {**values, ":nobody": text("")}
            more = {"FilterExpression": "#owner <> :nobody", "ExpressionAttributeNames": {"#owner": "owner"}}
        page: Attributes = {}
        while True:
            answer = self.call(
                "query",
                KeyConditionExpression=condition,
                ExpressionAttributeValues=values,
                ConsistentRead=True,
                **more,
                **page,
            )
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            page = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def put(self, item: Attributes) -> None:
        """Writes the item, whatever is there."""
        self.call("put_item", Item=item)

    def put_all(self, batch: Sequence[Attributes]) -> None:
        """Writes the items, whatever is there; no two of one key.

        Raises:
            StoreFault: the table is too busy for that.
        """
        left: list[Attributes] = [{"PutRequest": {"Item": item}} for item in batch]
        for pause in _PAUSES:
            time.sleep(pause)
            answer = self.call("batch_write_item", named=False, RequestItems={self.state.table: left})
            left = answer.get("UnprocessedItems", {}).get(self.state.table, [])
            if not left:
                return
        raise StoreFault(f"{self.state} is too busy to be written to", remedy="run the same command again later")

    def update(self, write: Mapping[str, Any]) -> Refused | None:
        """Changes one item as `changed` says."""
        return self._conditional("update_item", dict(write["Update"]))

    def create(self, item: Attributes) -> Refused | None:
        """Writes the item if there is none of its key."""
        return self._conditional("put_item", dict(absent(item)["Put"]))

    def _conditional(self, operation: str, given: dict[str, Any]) -> Refused | None:
        answer = self.call(operation, refusal="ConditionalCheckFailedException", **given)
        return Refused((True,), (answer.get("Item", {}),)) if "Error" in answer else None  # only an error has one

    def transact(self, writes: Sequence[Mapping[str, Any]], token: str) -> Refused | None:
        """All of the writes or none."""
        named = [{kind: {"TableName": self.state.table, **given}} for one in writes for kind, given in one.items()]
        answer = self.call(
            "transact_write_items",
            refusal="TransactionCanceledException",
            named=False,
            TransactItems=named,
            ClientRequestToken=token,
        )
        reasons = answer.get("CancellationReasons")
        if reasons is None:
            return None
        failed = tuple(reason.get("Code") == _FAILED for reason in reasons)
        return Refused(failed, tuple(reason.get("Item") or {} for reason in reasons))

    def _batch(self, keys: Sequence[Key]) -> Iterator[Attributes]:
        left: list[Attributes] = [key(one) for one in keys]
        for pause in _PAUSES:
            if not left:
                return
            time.sleep(pause)
            wanted = {self.state.table: {"Keys": left, "ConsistentRead": True}}
            answer = self.call("batch_get_item", named=False, RequestItems=wanted)
            yield from answer["Responses"].get(self.state.table, ())
            left = answer.get("UnprocessedKeys", {}).get(self.state.table, {}).get("Keys", [])
        if left:
            raise StoreFault(f"{self.state} is too busy to be read", remedy="run the same command again later")

    def call(self, operation: str, *, refusal: str = "", named: bool = True, **given: Any) -> dict[str, Any]:
        """What the operation answers, tried again by the policy.

        Args:
            operation: as the client names it; it must be safe to repeat.
            refusal: the code of an error that counts as an answer; of a transaction's, only if a condition failed.
            named: whether the operation takes the table's name.
            given: its other parameters.

        Raises:
            StoreFault, CredentialsExpired, NotPermitted: it failed.
        """
        call = getattr(self._client, operation)
        table = {"TableName": self.state.table} if named else {}

        def attempt() -> dict[str, Any]:
            sent = self.time.clock()
            try:
                answer: dict[str, Any] = call(**table, **given)
            except self._client.exceptions.ClientError as error:
                answer = error.response
                if answer["Error"]["Code"] != refusal or not _on_condition(answer):
                    raise
            self.time.heard(answer["ResponseMetadata"]["HTTPHeaders"].get("date", ""), sent)
            return answer

        with mapped(self.state):
            return self._caller.run(attempt, doing="", service="dynamodb")


def key(pair: Key) -> Attributes:
    """A key as the API has it."""
    return {"pk": text(pair[0]), "sk": text(pair[1])}


def absent(item: Attributes) -> dict[str, Any]:
    """The write that puts an item where there is none."""
    return {
        "Put": {
            "Item": item,
            "ConditionExpression": "attribute_not_exists(pk)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }


def changed(pair: Key, values: Attributes, *, where: Attributes) -> dict[str, Any]:
    """The write that sets attributes of an item that has those of `where`; without any, of one that is not there."""
    names = {f"#n{number}": name for number, name in enumerate({**values, **where})}
    short = {name: mark for mark, name in names.items()}
    condition = " AND ".join(f"{short[name]} = :w{short[name][1:]}" for name in where) or "attribute_not_exists(pk)"
    return {
        "Update": {
            "Key": key(pair),
            "UpdateExpression": "SET " + ", ".join(f"{short[name]} = :v{short[name][1:]}" for name in values),
            "ConditionExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {
                **{f":v{short[name][1:]}": value for name, value in values.items()},
                **{f":w{short[name][1:]}": value for name, value in where.items()},
            },
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }


def _on_condition(answer: Mapping[str, Any]) -> bool:
    """A transaction is also cancelled by others that are under way: that is worth another try, and no refusal."""
    reasons = answer.get("CancellationReasons")
    return reasons is None or any(reason.get("Code") == _FAILED for reason in reasons)
