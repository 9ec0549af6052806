"""The whole content of a store as lines of JSON, so that it can be kept, or moved to a store of the other kind.

The first line says what follows: the format, and how many runs, records and marks. Then, service by service, its runs,
oldest first, each with its records in their order; then the marks. The same content gives the same bytes whatever the
store. Locks are not part of it: nobody may be at work.
"""

import hashlib
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import IO, Protocol

from migrator.documents.errors import DocumentError
from migrator.model.ids import ServiceId
from migrator.model.journal import Mark, Outcome, Run, StepRecord
from migrator.model.ports.running import Locks
from migrator.store.holders import held_by
from migrator.store.transfer_lines import FORMAT, VERSION, Entry, entry_of, header_of, kind_of, line_of

_IN_MEMORY = 8_000_000  # bytes; what is longer waits in a temporary file


class Whole(Protocol):
    """All that a journal knows."""

    def services(self) -> Sequence[ServiceId]: ...  # noqa: D102 - every service with a run, sorted
    def runs(self, service: ServiceId) -> Sequence[Run]: ...  # noqa: D102 - oldest first
    def all_records(self, run: str) -> Iterable[StepRecord]: ...  # noqa: D102 - in their order
    def marks(self, prefix: str) -> Mapping[str, Mark]: ...  # noqa: D102 - by key


class Archive(Protocol):
    """A store as a whole."""

    @property
    def journal(self) -> Whole:
        """What to read."""
        ...

    def still(self) -> AbstractContextManager[None]:
        """Reads in the block are of one moment.

        Raises:
            Locked: somebody was at work meanwhile, and the store cannot tell what was before.
        """
        ...

    def load(self, entries: Iterable[Entry], counts: "Counts", digest: str) -> None:
        """Writes all of it into the store, which must be empty, or hold a part of just this.

        Raises:
            StoreFault: it holds something else.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How much there is."""

    runs: int
    records: int
    marks: int


def write_out(archive: Archive, locks: Locks, target: IO[bytes]) -> Counts:
    """Writes the store's content.

    Raises:
        Locked: somebody is at work: what he does would be missing.
    """
    refuse_holders(locks)
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as body:
        with archive.still():
            counts = counted(_kept(everything(archive.journal), body))
        body.seek(0)
        header = {"format": FORMAT, "version": VERSION, "runs": counts.runs, "records": counts.records}
        target.write(json.dumps({**header, "marks": counts.marks}).encode() + b"\n")
        shutil.copyfileobj(body, target)
    return counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A file that was read through and found whole."""

    path: Path
    counts: Counts
    digest: str


def read_through(path: Path) -> Export:
    """What the file holds, by its own account and truly.

    Raises:
        DocumentError: the file is no export, or not a whole one.
    """
    with _opened(path) as file:
        promised = Counts(**header_of(path, file.readline()))
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    found = counted(_consistent(path, _entries(path)))
    if found != promised:
        raise DocumentError(path, f"it is not whole: it promises {_said(promised)}, and holds {_said(found)}", line=1)
    return Export(path=path, counts=found, digest=digest)


def load(export: Export, archive: Archive, locks: Locks) -> None:
    """Writes what the file holds into an empty store.

    Raises:
        Locked: somebody is at work in the store.
        StoreFault: the store is not empty.
    """
    refuse_holders(locks)
    archive.load(_entries(export.path), export.counts, export.digest)


def everything(journal: Whole) -> Iterator[Entry]:
    """The content in its order."""
    for service in journal.services():
        for run in journal.runs(service):
            yield run
            yield from journal.all_records(run.id)
    yield from journal.marks("").values()


def counted(entries: Iterable[Entry]) -> Counts:
    """How much that is; uses it up."""
    found = Counter(map(kind_of, entries))
    return Counts(runs=found["run"], records=found["record"], marks=found["mark"])


def refuse_holders(locks: Locks) -> None:
    """Nobody may be at work.

    Raises:
        Locked: somebody is.
    """
    for holder in locks.holders():
        raise held_by(holder)


def _kept(entries: Iterable[Entry], body: IO[bytes]) -> Iterator[Entry]:
    for entry in entries:
        body.write(line_of(entry))
        yield entry


def _said(counts: Counts) -> str:
    return f"{counts.runs} runs, {counts.records} records, {counts.marks} marks"


def _entries(path: Path) -> Iterator[Entry]:
    with _opened(path) as file:
        file.readline()
        for number, line in enumerate(file, start=2):
            yield entry_of(path, number, line)


def _consistent(path: Path, entries: Iterable[Entry]) -> Iterator[Entry]:
    """The entries, as long as a store of ours could have held them."""
    seen: set[str] = set()
    last = ""
    for number, entry in enumerate(entries, start=2):
        for name in _names(entry):
            if name in seen:
                raise DocumentError(path, f"{name} is there twice", line=number)
            seen.add(name)
        if isinstance(entry, Run):
            last = entry.id
        elif isinstance(entry, StepRecord) and entry.run != last:
            raise DocumentError(path, f'a record of run "{entry.run}" does not follow its run', line=number)
        yield entry


def _names(entry: Entry) -> Iterator[str]:
    """What there can only be one of."""
    if isinstance(entry, Run):
        yield f'run "{entry.id}"'
        if entry.outcome is Outcome.OPEN:
            yield f'an open run of "{entry.service}"'
    elif isinstance(entry, Mark):
        yield f'mark "{entry.key}"'


def _opened(path: Path) -> BufferedReader:
    try:
        return path.open("rb")
    except OSError as error:
        raise DocumentError(path, f"it cannot be read: {error.strerror}") from error
