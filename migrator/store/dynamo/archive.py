"""The DynamoDB store as a whole. It is filled item by item: a marker tells of an import that is not over.

All items of an import have keys that follow from the file, so that an import that was cut off is simply run again.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from migrator.model.errors import Locked, StoreFault
from migrator.model.ids import ServiceId
from migrator.model.journal import Mark, Outcome, Run
from migrator.store.dynamo import items
from migrator.store.dynamo.journal import DynamoJournal
from migrator.store.dynamo.lease import LEASES, place
from migrator.store.dynamo.locks import DynamoLocks
from migrator.store.dynamo.table import Table, key
from migrator.store.dynamo.values import Attributes, text
from migrator.store.transfer import Counts, counted, everything
from migrator.store.transfer_lines import Entry

_MARKER = ("store", "import")
_BATCH = 25  # items of one BatchWriteItem
_BYTES = 4 * 2**20  # of one, well below what DynamoDB takes
_NONE = Counts(runs=0, records=0, marks=0)


class DynamoArchive:
    """The Archive of a table."""

    def __init__(self, table: Table, locks: DynamoLocks) -> None:
        self._table = table
        self._locks = locks
        self.journal = DynamoJournal(table, locks)

    @contextmanager
    def still(self) -> Iterator[None]:
        """Reads in the block are of one moment, if nobody took a lease meanwhile.

        Raises:
            Locked: somebody did.
        """
        before = self._tokens()
        yield
        if self._tokens() != before:
            raise Locked("somebody was at work meanwhile", remedy="run the same command again when nobody is")

    def load(self, entries: Iterable[Entry], counts: Counts, digest: str) -> None:
        """Writes all of it; cut off, it goes on when it is run again with the same file.

        Raises:
            StoreFault: the table is not empty, or is being filled from another file.
            Locked: another import is at work.
        """
        with self._locks.held("import", doing="import"):
            self._begin(digest)
            loading = _Loading()
            for batch in _batches(entry for one in entries for entry in loading.items(one)):
                self._table.put_all(batch)
            for last in loading.newest.values():
                self._table.put(items.newest(last))
            if counted(everything(self.journal)) != counts:
                raise StoreFault(f"{self._table.state} does not hold what was written", remedy="run the import again")
            self._table.call("delete_item", Key=key(_MARKER))

    def _begin(self, digest: str) -> None:
        marker = self._table.get(*_MARKER)
        if marker is None:
            if counted(everything(self.journal)) != _NONE:
                raise StoreFault(f"{self._table.state} is not empty", remedy="name a new table")
            self._table.put({**key(_MARKER), "digest": text(digest)})
        elif marker["digest"] != text(digest):
            raise StoreFault(
                f"an import of another file into {self._table.state} was cut off",
                remedy="import that file again: it goes on",
            )

    def _tokens(self) -> dict[str, Attributes]:
        return {item["sk"]["S"]: item["token"] for item in self._table.query(LEASES)}


class _Loading:
    """Runs and records as items, under the token 0: all that comes later is sorted behind them."""

    def __init__(self) -> None:
        self.newest: dict[ServiceId, Run] = {}
        self._counts: Counter[str] = Counter()

    def items(self, entry: Entry) -> Iterator[Attributes]:
        """All that a store holds of it, but for which run of a service is the newest."""
        if isinstance(entry, Mark):
            yield items.mark_item(entry)
        elif isinstance(entry, Run):
            self.newest[entry.service] = entry
            yield items.run_item(entry, "import")
            yield items.pointer(entry, self._place(str(entry.service)))
            if entry.outcome is Outcome.OPEN:
                yield items.open_item(entry)
            if entry.ended:
                yield items.ended_item(entry)
        else:
            order = self._place(f"run {entry.run}")
            yield items.record_item(entry, order, "import")
            yield items.by_step(entry, order)

    def _place(self, of: str) -> str:
        self._counts[of] += 1
        return place(0, self._counts[of])


def _batches(found: Iterable[Attributes]) -> Iterator[list[Attributes]]:
    batch: list[Attributes] = []
    size = 0
    for item in found:
        if len(batch) == _BATCH or size > _BYTES:
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += sum(len(next(iter(value.values()))) for value in item.values())
    if batch:
        yield batch
