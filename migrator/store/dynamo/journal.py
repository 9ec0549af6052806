"""The journal in the table: every write is one transaction, on condition that the service's lease is still ours."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import uuid4

from migrator.model.errors import StoreFault
from migrator.model.facts import Json
from migrator.model.ids import ServiceId
from migrator.model.journal import JournalLine, Mark, Outcome, Run, ServiceState, StepRecord
from migrator.model.ports.running import Closing
from migrator.store.dynamo import items
from migrator.store.dynamo.locks import DynamoLocks
from migrator.store.dynamo.table import Table, absent, changed, key
from migrator.store.dynamo.values import Attributes, read_text, text
from migrator.store.standing import latest, lines, state

_AT_ONCE = 8  # services whose state is asked for at the same time; as many as a client has connections


class DynamoJournal:
    """The Journal port over a table.

    What begins, records or ends must hold the lock `service:ID`, in whichever thread, over the same `locks`.
    """

    def __init__(self, table: Table, locks: DynamoLocks) -> None:
        self._table = table
        self._locks = locks
        self._items = items.Reader(table.state)
        self._services: dict[str, ServiceId] = {}  # of the runs that were written to; a run never changes its service

    def begin(self, run: Run, closing: Closing | None = None) -> None:
        """Opens a run, ending another in the same transaction where `closing` says so."""
        nonce = uuid4().hex
        lease = self._locks.lease(f"service:{run.service}")
        over = self._over(closing.run, closing.outcome, closing.note, run.started) if closing else None
        writes = [
            absent(items.run_item(run, nonce)),
            {"Put": {"Item": items.open_item(run), **_open(over.id if over else None)}},
            {"Put": {"Item": items.pointer(run, lease.order())}},
            {"Put": {"Item": items.newest(run)}},
            *(_ending(over, nonce) if over else ()),
        ]
        if self._locks.fenced(lease, writes, nonce) is not None:
            if over is not None:
                raise _ended(over.id)
            raise StoreFault(f'"{run.service}" has an open run already', remedy="look at migrate status")

    def record(self, record: StepRecord) -> None:
        """Adds a record."""
        nonce = uuid4().hex
        lease = self._locks.lease(f"service:{self._service_of(record.run)}")
        order = lease.order()
        writes = [absent(items.record_item(record, order, nonce)), {"Put": {"Item": items.by_step(record, order)}}]
        if self._locks.fenced(lease, writes, nonce) is not None:
            raise StoreFault(f'a record of run "{record.run}" was there already', remedy="look at migrate status")

    def end(self, run: str, outcome: Outcome, note: str, at: str) -> None:
        """Ends a run."""
        nonce = uuid4().hex
        over = self._over(run, outcome, note, at)
        lease = self._locks.lease(f"service:{over.service}")
        gone = {"Delete": {"Key": key((items.OPEN, str(over.service))), **_open(run)}}
        if self._locks.fenced(lease, [*_ending(over, nonce), gone], nonce) is not None:
            raise _ended(run)

    def open_run(self, service: ServiceId) -> Run | None:
        """The run that has not ended; there is never more than one."""
        found = self._table.get(items.OPEN, str(service))
        return self.run(read_text(found, "run")) if found else None

    def open_runs(self) -> Sequence[Run]:
        """Those of all services, sorted by service."""
        return sorted(self._runs(self._table.query(items.OPEN)), key=lambda run: run.service)

    def run(self, run_id: str) -> Run | None:
        """The run of that id."""
        item = self._table.get(items.of_run(run_id), items.RUN)
        return self._items.run(item) if item else None

    def runs(self, service: ServiceId) -> Sequence[Run]:
        """All runs of the service, oldest first."""
        return self._runs(self._table.query(items.of_service(service)))

    def records(self, run: str) -> Mapping[str, StepRecord]:
        """The latest record of each step, in the order the steps were begun."""
        return latest(self.all_records(run))

    def all_records(self, run: str) -> Iterator[StepRecord]:
        """Every record of the run, oldest first."""
        yield from map(self._items.record, self._table.query(items.of_run(run), begins=items.RECORDS))

    def recent(self, step: str, since: str) -> Sequence[StepRecord]:
        """Every record of that step not older than `since`, of all services, oldest first."""
        places = [items.place_of(item) for item in self._table.query(items.of_step(step), since=since)]
        return [self._items.record(item) for item in self._table.all(places)]

    def ended(self, since: str) -> Sequence[Run]:
        """The runs that ended at or after that moment, oldest end first, without their plans."""
        return [self._items.run(item) for item in self._table.query(items.ENDED, since=since)]

    def mark(self, key: str, data: Json, at: str) -> None:
        """Keeps a note; the last one counts."""
        self._table.put(items.mark_item(Mark(key=key, data=data, at=at)))

    def marks(self, prefix: str) -> Mapping[str, Mark]:
        """The notes whose keys begin so, by key."""
        found = map(self._items.mark, self._table.query(items.MARKS, begins=f"#{prefix}"))
        return {mark.key: mark for mark in found}

    def state(self, service: ServiceId) -> ServiceState:
        """Where the service stands."""
        found = self._table.get(items.SERVICES, str(service))
        return self._state(found) if found else state(None, ())

    def states(self) -> Mapping[ServiceId, ServiceState]:
        """Where every service with a run stands; one query for each, several at a time."""
        heads = list(self._table.query(items.SERVICES))
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = list(pool.map(self._state, heads))
        return {ServiceId.parse(read_text(head, "sk")): one for head, one in zip(heads, found, strict=True)}

    def services(self) -> Sequence[ServiceId]:
        """Every service with a run, sorted."""
        return sorted(ServiceId.parse(read_text(head, "sk")) for head in self._table.query(items.SERVICES))

    def history(self, service: ServiceId) -> Sequence[JournalLine]:
        """Everything, oldest first."""
        told = [line for run in self.runs(service) for line in lines(run, self.all_records(run.id))]
        return sorted(told, key=lambda line: line.at)

    def _state(self, head: Attributes) -> ServiceState:
        """Of the service whose newest run `head` names."""
        *records, last = self._table.query(items.of_run(read_text(head, "run")))  # by sort key, the run comes last
        return state(self._items.run(last), map(self._items.record, records))

    def _runs(self, pointers: Iterator[Attributes]) -> list[Run]:
        keys = [(items.of_run(read_text(pointer, "run")), items.RUN) for pointer in pointers]
        return [self._items.run(item) for item in self._table.all(keys)]

    def _service_of(self, run: str) -> ServiceId:
        if run not in self._services:
            self._services[run] = self._known(run).service
        return self._services[run]

    def _known(self, run: str) -> Run:
        found = self.run(run)
        if found is None:
            raise StoreFault(f'there is no run "{run}" in {self._table.state}', remedy="look at migrate status")
        return found

    def _over(self, run: str, outcome: Outcome, note: str, at: str) -> Run:
        """The run as it will be when it is over.

        Raises:
            StoreFault, Locked: it is over already.
        """
        found = self._known(run)
        if found.outcome is not Outcome.OPEN:
            self._locks.renew()  # whoever has lost his lock is told so, and not what came of it
            raise _ended(run)
        return replace(found, outcome=outcome, note=note or found.note, ended=at)


def _ending(over: Run, nonce: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The writes that end a run, if it is open still."""
    values = {name: text(str(getattr(over, name))) for name in ("outcome", "note", "ended")}
    where = {"outcome": text(Outcome.OPEN)}
    run = changed((items.of_run(over.id), items.RUN), {**values, "write": text(nonce)}, where=where)
    return run, {"Put": {"Item": items.ended_item(over)}}


def _open(run: str | None) -> dict[str, Any]:
    """The condition that this is the service's open run; None: that it has none."""
    if run is None:
        return {"ConditionExpression": "attribute_not_exists(pk)", "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    return {
        "ConditionExpression": "#run = :run",
        "ExpressionAttributeNames": {"#run": "run"},
        "ExpressionAttributeValues": {":run": text(run)},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _ended(run: str) -> StoreFault:
    return StoreFault(f'run "{run}" was ended by another runner', remedy="look at migrate status")
