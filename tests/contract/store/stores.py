"""The two stores as the suite opens them, in this process and in others, and what only the suite may do to them."""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from migrator.adapters.aws.sessions import AwsSessions
from migrator.adapters.retry import Retry
from migrator.lab.aws.ports import LAB_SECRET, lab_access_key
from migrator.model.fleet import Account, DynamoState, Fleet, SqliteState, State
from migrator.model.journal import Run
from migrator.model.ports.running import Journal, Locks
from migrator.store.database import Database
from migrator.store.dynamo.archive import DynamoArchive
from migrator.store.dynamo.journal import DynamoJournal
from migrator.store.dynamo.lease import LEASES
from migrator.store.dynamo.locks import DynamoLocks
from migrator.store.dynamo.making import Maker
from migrator.store.dynamo.table import Table, key
from migrator.store.dynamo.values import text
from migrator.store.sqlite import SqliteJournal
from migrator.store.sqlite_archive import SqliteArchive
from migrator.store.sqlite_locks import SqliteLocks
from migrator.store.transfer import Archive

ACCOUNT, OTHER, REGION = "111122223333", "444455556666", "us-east-1"
RETRY = Retry(first=0.01, longest=0.05, deadline=10)


@dataclass(frozen=True)
class Opened:
    """A store in use."""

    journal: Journal
    locks: Locks

    @contextmanager
    def at_work(self, run: Run) -> Iterator[None]:
        """The run's service is locked meanwhile, without which nothing may be written."""
        with self.locks.held(f"service:{run.service}", doing="apply"):
            yield


@dataclass(frozen=True)
class Side:
    """One kind of store, made anew for a test. `length` is that of a DynamoDB lease."""

    state: State
    length: float = 60.0

    @property
    def leases(self) -> bool:
        """Whether its locks run out by time alone."""
        return isinstance(self.state, DynamoState)

    @contextmanager
    def opened(self) -> Iterator[Opened]:
        """The store, open for writing."""
        if isinstance(self.state, SqliteState):
            database = Database(self.state.path)
            yield Opened(SqliteJournal(database), SqliteLocks(database, "tester"))
            database.close()
            return
        table = self.table()
        table.check()
        locks = DynamoLocks(table, "tester", length=self.length)
        yield Opened(DynamoJournal(table, locks), locks)
        locks.close()

    @contextmanager
    def archive(self) -> Iterator[tuple[Archive, Locks]]:
        """The store as a whole."""
        if isinstance(self.state, SqliteState):
            database = Database(self.state.path)
            yield SqliteArchive(database), SqliteLocks(database, "tester")
            database.close()
            return
        table = self.table()
        locks = DynamoLocks(table, "tester", length=self.length)
        yield DynamoArchive(table, locks), locks
        locks.close()

    def table(self) -> Table:
        """The table of a DynamoDB store."""
        assert isinstance(self.state, DynamoState)
        return Table(sessions().dynamodb(self.state.account, self.state.region), sessions(), self.state)

    def steal(self, lock: str) -> None:
        """Somebody else has taken the lock over, as if it had run out."""
        if isinstance(self.state, SqliteState):
            database = Database(self.state.path)
            with database.transaction() as connection:
                connection.execute("UPDATE locks SET owner = 'somebody else' WHERE key = ?", (lock,))
            database.close()
            return
        table = self.table()
        item = table.get(LEASES, lock)
        assert item is not None
        token = {"N": str(int(item["token"]["N"]) + 1)}
        table.put({**item, **key((LEASES, lock)), "owner": text("somebody else"), "token": token})

    def process(self, body: str, *arguments: str) -> "subprocess.Popen[str]":
        """Another process that does `body` over the same store, as `journal`, `locks` and `arguments`."""
        kind = "sqlite" if isinstance(self.state, SqliteState) else "dynamodb"
        where = str(self.state.path) if isinstance(self.state, SqliteState) else self.state.table
        spec = json.dumps([kind, where, self.length])
        program = _PROGRAM + textwrap.indent(textwrap.dedent(body), "    ")
        command = [sys.executable, "-c", program, spec, *arguments]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)


_PROGRAM = """
import os, signal, sys, time
from tests.contract.store.samples import *
from tests.contract.store.stores import side
arguments = sys.argv[2:]
with side(sys.argv[1]).opened() as opened:
    journal, locks = opened.journal, opened.locks
"""


def side(spec: str) -> Side:
    """The store that another process has described."""
    kind, where, length = json.loads(spec)
    if kind == "sqlite":
        return Side(SqliteState(Path(where)))
    return Side(DynamoState(table=where, region=REGION, account=ACCOUNT), length)


def made(table: str, length: float = 60.0) -> Side:
    """A DynamoDB store that is new."""
    found = Side(DynamoState(table=table, region=REGION, account=ACCOUNT), length)
    for deed in Maker(found.table(), lambda _seconds: None).missing():
        deed.do()
    return found


@cache
def sessions(**accounts: str) -> AwsSessions:
    """AWS as the program reaches it; `accounts` are roles to take on in them."""
    entries = [Account(id=ACCOUNT, profile="home"), Account(id=OTHER, profile="away")]
    entries += [Account(id=one, profile="home", role=role) for one, role in accounts.items()]
    here = Path()
    fleet = Fleet(file=here, state=SqliteState(here), plans=here, clusters=(), accounts=tuple(entries))
    return AwsSessions(fleet, retry=RETRY)


def environment(endpoint: str, folder: Path) -> Mapping[str, str]:
    """What leads the AWS configuration to the practice fleet's front."""
    profiles = [
        f"[profile {name}]\nregion = {REGION}\nendpoint_url = {endpoint}\n"
        f"aws_access_key_id = {lab_access_key(account)}\naws_secret_access_key = {LAB_SECRET}\n"
        for name, account in (("home", ACCOUNT), ("away", OTHER))
    ]
    (folder / "config").write_text("\n".join(profiles), encoding="utf-8")
    return {
        "AWS_CONFIG_FILE": str(folder / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }


Sides = Callable[..., Side]
Json = Any
