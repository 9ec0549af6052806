"""The journal in one SQLite file: WAL, synchronous FULL, so that a record is on the disk when `record` returns."""

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from uuid import uuid4

from migrator.model.errors import Locked, StoreFault
from migrator.model.facts import Json
from migrator.model.ids import ServiceId
from migrator.model.journal import Direction, JournalLine, Outcome, Run, ServiceState, Status, StepRecord
from migrator.model.ports import Closing
from migrator.store.standing import standing

VERSION = 1
EXPIRY = timedelta(hours=1)  # of a lock; renewed by every record, and no step waits that long
_BUSY_SECONDS = 30.0
_RUN = "id, service, direction, outcome, plan, actor, host, started, ended, note, cause"


class Database:
    """One connection, used by one thread at a time; foreign errors become `StoreFault` here."""

    def __init__(self, path: Path, *, create: bool = True) -> None:
        self.path = path
        self.owner = uuid4().hex
        self.held: set[str] = set()  # keys of the locks this process believes to hold
        self._lock = threading.RLock()
        with self._mapped():
            if create:
                path.parent.mkdir(parents=True, exist_ok=True)
            mode = "rwc" if create else "ro"
            uri = f"{path.resolve().as_uri()}?mode={mode}"
            self._connection = sqlite3.connect(
                uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            if create:
                self._prepare()
            self._check_version()

    def _prepare(self) -> None:
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        if self._version() == 0:
            self._create()

    def _create(self) -> None:
        sql = resources.files("migrator.store").joinpath("schema.sql").read_text(encoding="utf-8")
        with self.transaction() as connection:
            if self._version() == 0:  # another process may have been first
                for statement in sql.split(";\n"):
                    connection.execute(statement)

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    def _check_version(self) -> None:
        version = self._version()
        if version != VERSION:
            raise StoreFault(
                f'the state file "{self.path}" has format {version}, this program writes format {VERSION}',
                remedy="use the version of migrate that made it, or another state file",
            )

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A write transaction, durable when the block ends."""
        with self._lock, self._mapped():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def rows(self, sql: str, *values: object) -> list[tuple[Json, ...]]:
        """All rows of a query."""
        with self._lock, self._mapped():
            return self._connection.execute(sql, values).fetchall()

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StoreFault(
                f'the state file "{self.path}" cannot be used: {error}',
                remedy="nothing was changed after this; check the path, its permissions and the free space",
            ) from error

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._connection.close()


class SqliteJournal:
    """The Journal port over a database; `locks` tells which services are being worked on."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def begin(self, run: Run, closing: Closing | None = None) -> None:
        """Opens a run, ending another in the same transaction where `closing` says so."""
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
        with self._db.transaction() as connection:
            if closing is not None:
                _end(connection, closing.run, closing.outcome, closing.note, run.started)
            marks = ", ".join("?" * len(values))
            connection.execute(f"INSERT INTO runs ({_RUN}) VALUES ({marks})", values)  # noqa: S608 - constants only

    def record(self, record: StepRecord) -> None:
        """Adds a record."""
        values = (
            record.run,
            record.step,
            record.status,
            record.at,
            json.dumps(record.image),
            json.dumps(record.result),
            record.note,
        )
        with self._db.transaction() as connection:
            renew(self._db, connection)
            connection.execute(
                "INSERT INTO records (run, step, status, at, image, result, note) VALUES (?, ?, ?, ?, ?, ?, ?)", values
            )

    def end(self, run: str, outcome: Outcome, note: str, at: str) -> None:
        """Ends a run."""
        with self._db.transaction() as connection:
            _end(connection, run, outcome, note, at)

    def open_run(self, service: ServiceId) -> Run | None:
        """The run that has not ended; there is never more than one."""
        return next((run for run in self.runs(service) if run.outcome is Outcome.OPEN), None)

    def run(self, run_id: str) -> Run | None:
        """The run of that id."""
        rows = self._db.rows(f"SELECT {_RUN} FROM runs WHERE id = ?", run_id)  # noqa: S608 - constants only
        return _run(rows[0]) if rows else None

    def runs(self, service: ServiceId) -> Sequence[Run]:
        """All runs of the service, oldest first."""
        sql = f"SELECT {_RUN} FROM runs WHERE service = ? ORDER BY number"  # noqa: S608 - constants only
        return [_run(row) for row in self._db.rows(sql, str(service))]

    def records(self, run: str) -> Mapping[str, StepRecord]:
        """The latest record of each step, in the order the steps were begun."""
        latest: dict[str, StepRecord] = {}
        for record in self._records(run):
            latest[record.step] = record
        return latest

    def state(self, service: ServiceId) -> ServiceState:
        """Where the service stands."""
        return self._state(self.runs(service))

    def states(self) -> Mapping[ServiceId, ServiceState]:
        """Where every service with a run stands."""
        found: dict[ServiceId, list[Run]] = {}
        for row in self._db.rows(f"SELECT {_RUN} FROM runs ORDER BY number"):  # noqa: S608 - constants only
            run = _run(row)
            found.setdefault(run.service, []).append(run)
        return {service: self._state(runs) for service, runs in found.items()}

    def history(self, service: ServiceId) -> Sequence[JournalLine]:
        """Everything, oldest first."""
        lines = [line for run in self.runs(service) for line in self._lines(run)]
        return sorted(lines, key=lambda line: line.at)

    def _state(self, runs: Sequence[Run]) -> ServiceState:
        last = runs[-1] if runs else None
        steps = tuple(self.records(last.id).values()) if last else ()
        return ServiceState(standing=standing(last, steps), run=last, steps=steps)

    def _records(self, run: str) -> Iterator[StepRecord]:
        sql = "SELECT run, step, status, at, image, result, note FROM records WHERE run = ? ORDER BY number"
        for run_id, step, status, at, image, result, note in self._db.rows(sql, run):
            yield StepRecord(
                run=run_id,
                step=step,
                status=Status(status),
                at=at,
                image=json.loads(image),
                result=json.loads(result),
                note=note,
            )

    def _lines(self, run: Run) -> Iterator[JournalLine]:
        whose: Mapping[str, Json] = {"run": run.id, "direction": run.direction, "actor": run.actor, "host": run.host}
        yield JournalLine(at=run.started, step="", status="begun", **whose)
        for r in self._records(run.id):
            yield JournalLine(
                at=r.at, step=r.step, status=r.status, note=r.note, image=r.image, result=r.result, **whose
            )
        if run.ended:
            yield JournalLine(at=run.ended, step="", status=run.outcome, note=run.note, **whose)


def renew(database: Database, connection: sqlite3.Connection) -> None:
    """Puts off the expiry of the locks held here; part of every record's transaction, so that it fences as well.

    Raises:
        Locked: one of them was taken over by another runner: nothing more may be changed.
    """
    expires = (datetime.now(UTC) + EXPIRY).isoformat(timespec="seconds")
    renewed = connection.execute("UPDATE locks SET expires = ? WHERE owner = ?", (expires, database.owner)).rowcount
    if renewed != len(database.held):
        raise Locked("another runner took over a lock that had expired", remedy="look at migrate status")


def _end(connection: sqlite3.Connection, run: str, outcome: Outcome, note: str, at: str) -> None:
    sql = "UPDATE runs SET outcome = ?, note = iif(? = '', note, ?), ended = ? WHERE id = ? AND outcome = 'open'"
    if connection.execute(sql, (outcome, note, note, at, run)).rowcount != 1:
        raise StoreFault(f'run "{run}" was ended by another runner', remedy="look at migrate status")


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
