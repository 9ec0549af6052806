"""The journal in the SQLite file: a record is on the disk when `record` returns."""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from migrator.model.errors import StoreFault
from migrator.model.facts import Json
from migrator.model.ids import ServiceId
from migrator.model.journal import Direction, JournalLine, Mark, Outcome, Run, ServiceState, Status, StepRecord
from migrator.model.ports.running import Closing
from migrator.store.database import Database, all_text
from migrator.store.standing import latest, lines, state

_RUN = "id, service, direction, outcome, plan, actor, host, started, ended, note, cause"


class SqliteJournal:
    """The Journal port over a database."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def begin(self, run: Run, closing: Closing | None = None) -> None:
        """Opens a run, ending another in the same transaction where `closing` says so."""
        with self._db.transaction() as connection:
            self._db.holds.renew(connection)
            if closing is not None:
                _end(connection, closing.run, closing.outcome, closing.note, run.started)
            add_run(connection, run)

    def record(self, record: StepRecord) -> None:
        """Adds a record."""
        with self._db.transaction() as connection:
            self._db.holds.renew(connection)
            add_record(connection, record)

    def end(self, run: str, outcome: Outcome, note: str, at: str) -> None:
        """Ends a run."""
        with self._db.transaction() as connection:
            self._db.holds.renew(connection)
            _end(connection, run, outcome, note, at)

    def open_run(self, service: ServiceId) -> Run | None:
        """The run that has not ended; there is never more than one."""
        return next((run for run in self.runs(service) if run.outcome is Outcome.OPEN), None)

    def open_runs(self) -> Sequence[Run]:
        """Those of all services, sorted by service."""
        sql = f"SELECT {_RUN} FROM runs WHERE outcome = 'open'"  # noqa: S608 - constants only
        return sorted((self._run(row) for row in self._db.rows(sql)), key=lambda run: run.service)

    def run(self, run_id: str) -> Run | None:
        """The run of that id."""
        rows = self._db.rows(f"SELECT {_RUN} FROM runs WHERE id = ?", run_id)  # noqa: S608 - constants only
        return self._run(rows[0]) if rows else None

    def runs(self, service: ServiceId) -> Sequence[Run]:
        """All runs of the service, oldest first."""
        sql = f"SELECT {_RUN} FROM runs WHERE service = ? ORDER BY number"  # noqa: S608 - constants only
        return [self._run(row) for row in self._db.rows(sql, str(service))]

    def records(self, run: str) -> Mapping[str, StepRecord]:
        """The latest record of each step, in the order the steps were begun."""
        return latest(self.all_records(run))

    def all_records(self, run: str) -> Iterator[StepRecord]:
        """Every record of the run, oldest first."""
        sql = "SELECT run, step, status, at, image, result, note FROM records WHERE run = ? ORDER BY number"
        yield from map(self._record, self._db.rows(sql, run))

    def services(self) -> Sequence[ServiceId]:
        """Every service with a run, sorted."""
        return sorted(self._service(row) for row in self._db.rows("SELECT max(id), service FROM runs GROUP BY service"))

    def recent(self, step: str, since: str) -> Sequence[StepRecord]:
        """Every record of that step not older than `since`, of all services, oldest first."""
        sql = (
            "SELECT run, step, status, at, image, result, note FROM records "
            "WHERE step = ? AND at >= ? ORDER BY at, number"
        )
        return list(map(self._record, self._db.rows(sql, step, since)))

    def ended(self, since: str) -> Sequence[Run]:
        """The runs that ended at or after that moment, oldest end first, without their plans."""
        columns = _RUN.replace("plan", "'null'")
        sql = f"SELECT {columns} FROM runs WHERE ended <> '' AND ended >= ? ORDER BY ended, id"  # noqa: S608 - constants
        return [self._run(row) for row in self._db.rows(sql, since)]

    def mark(self, key: str, data: Json, at: str) -> None:
        """Keeps a note; the last one counts."""
        with self._db.transaction() as connection:
            add_mark(connection, Mark(key=key, data=data, at=at))

    def marks(self, prefix: str) -> Mapping[str, Mark]:
        """The notes whose keys begin so, by key; a file of version 1 that is only read has none."""
        if self._db.version() < 2:
            return {}
        sql = "SELECT key, data, at FROM marks WHERE substr(key, 1, ?) = ? ORDER BY key"
        return {mark.key: mark for mark in map(self._mark, self._db.rows(sql, len(prefix), prefix))}

    def state(self, service: ServiceId) -> ServiceState:
        """Where the service stands."""
        return self._state(self.runs(service))

    def states(self) -> Mapping[ServiceId, ServiceState]:
        """Where every service with a run stands."""
        found: dict[ServiceId, list[Run]] = {}
        for row in self._db.rows(f"SELECT {_RUN} FROM runs ORDER BY number"):  # noqa: S608 - constants only
            run = self._run(row)
            found.setdefault(run.service, []).append(run)
        return {service: self._state(runs) for service, runs in found.items()}

    def history(self, service: ServiceId) -> Sequence[JournalLine]:
        """Everything, oldest first."""
        told = [line for run in self.runs(service) for line in lines(run, self.all_records(run.id))]
        return sorted(told, key=lambda line: line.at)

    def _state(self, runs: Sequence[Run]) -> ServiceState:
        last = runs[-1] if runs else None
        return state(last, self.all_records(last.id) if last else ())

    def _record(self, row: tuple[Json, ...]) -> StepRecord:
        with self._whole(row):
            return _record(row)

    def _run(self, row: tuple[Json, ...]) -> Run:
        with self._whole(row):
            return _run(row)

    def _service(self, row: tuple[Json, ...]) -> ServiceId:
        with self._whole(row):
            return ServiceId.parse(row[1])

    def _mark(self, row: tuple[Json, ...]) -> Mark:
        with self._whole(row, "mark"):
            key, data, at = row
            return Mark(key=key, data=json.loads(data), at=at)

    @contextmanager
    def _whole(self, row: tuple[Json, ...], what: str = "a row of run") -> Iterator[None]:
        try:
            all_text(row)
            yield
        except ValueError as error:
            raise self._db.damaged(f'{what} "{row[0]}" cannot be read: {error}') from error


def add_run(connection: sqlite3.Connection, run: Run) -> None:
    """Writes a run into the transaction; so for the others."""
    values = (
        run.id,
        str(run.service),
        run.direction,
        run.outcome,
        json.dumps(run.plan),
        run.actor,
        run.host,
        run.started,
        run.ended,
        run.note,
        run.cause,
    )
    marks = ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO runs ({_RUN}) VALUES ({marks})", values)  # noqa: S608 - constants only


def add_record(connection: sqlite3.Connection, record: StepRecord) -> None:
    """Writes a record."""
    values = (
        record.run,
        record.step,
        record.status,
        record.at,
        json.dumps(record.image),
        json.dumps(record.result),
        record.note,
    )
    connection.execute(
        "INSERT INTO records (run, step, status, at, image, result, note) VALUES (?, ?, ?, ?, ?, ?, ?)", values
    )


def add_mark(connection: sqlite3.Connection, mark: Mark) -> None:
    """Writes a mark over the one of its key."""
    values = (mark.key, json.dumps(mark.data), mark.at)
    connection.execute("INSERT OR REPLACE INTO marks (key, data, at) VALUES (?, ?, ?)", values)


def _end(connection: sqlite3.Connection, run: str, outcome: Outcome, note: str, at: str) -> None:
    sql = "UPDATE runs SET outcome = ?, note = iif(? = '', note, ?), ended = ? WHERE id = ? AND outcome = 'open'"
    if connection.execute(sql, (outcome, note, note, at, run)).rowcount != 1:
        raise StoreFault(f'run "{run}" was ended by another runner', remedy="look at migrate status")


def _record(row: tuple[Json, ...]) -> StepRecord:
    run, step, status, at, image, result, note = row
    return StepRecord(
        run=run,
        step=step,
        status=Status(status),
        at=at,
        image=json.loads(image),
        result=json.loads(result),
        note=note,
    )


def _run(row: tuple[Json, ...]) -> Run:
    run_id, service, direction, outcome, plan, actor, host, started, ended, note, cause = row
    return Run(
        id=run_id,
        service=ServiceId.parse(service),
        direction=Direction(direction),
        outcome=Outcome(outcome),
        plan=json.loads(plan),
        actor=actor,
        host=host,
        started=started,
        ended=ended,
        note=note,
        cause=cause,
    )
