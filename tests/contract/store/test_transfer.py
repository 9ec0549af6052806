"""A whole state moves between stores of either kind, and nothing of it is lost."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from migrator.documents.errors import DocumentError
from migrator.model.errors import Locked, StoreFault
from migrator.model.fleet import SqliteState
from migrator.model.journal import Direction, Outcome, Status
from migrator.model.ports.running import Closing
from migrator.store import transfer
from tests.contract.store.conftest import Trouble
from tests.contract.store.samples import CART, LOCK, RUN, SERVICE, at, record, run
from tests.contract.store.stores import Opened, Side

Make = Callable[[], Side]
EMPTY = b'{"format": "irsa-migrator state", "version": 1, "runs": 0, "records": 0, "marks": 0}\n'
MARK = '{"kind": "mark", "key": "k", "data": 1, "at": "t"}'
RECORD = '{"kind": "record", "run": "r", "step": "s", "status": "done", "at": "t", "image": 1, "result": 1, "note": ""}'
RUN_LINE = (
    '{"kind": "run", "id": "r", "service": "a/b/c", "direction": "back", "outcome": "open", "plan": {}, "actor": "a",'
    ' "host": "h", "started": "t", "ended": "", "note": "", "cause": ""}'
)


@pytest.fixture
def stores(tmp_path: Path, table: Callable[..., Side]) -> dict[str, Make]:
    return {
        "sqlite": lambda: Side(SqliteState(tmp_path / f"{uuid4().hex}.db")),
        "dynamodb": table,
    }


def fill(side: Side) -> None:
    """Runs of every kind, records whose times are out of order, marks."""
    with side.opened() as store, store.at_work(RUN), store.at_work(run("c1", CART)):
        journal = store.journal
        journal.begin(replace(RUN, note="says \u2028 and \U0001f600"))
        for step, second in (("trust", 9), ("agent", 3), ("trust", 4)):
            journal.record(record(step, Status.DONE, second=second))
        journal.begin(
            replace(run("r2"), direction=Direction.BACK, cause="r1"),
            Closing(run="r1", outcome=Outcome.ABANDONED, note="given up"),
        )
        journal.begin(replace(run("c1", CART), plan={"z": 1, "a": "x" * 5000}))
        journal.record(record("trust", Status.FAILED, run="c1", second=2))
        journal.end("c1", Outcome.DONE, "", at(7))
        journal.mark("proven:b", [1, {"y": None}], at(1))
        journal.mark("proven:a", "é", at(2))


def exported(side: Side) -> bytes:
    target = io.BytesIO()
    with side.archive() as (archive, locks):
        transfer.write_out(archive, locks, target)
    return target.getvalue()


def imported(side: Side, path: Path) -> None:
    with side.archive() as (archive, locks):
        transfer.load(transfer.read_through(path), archive, locks)


def told(store: Opened) -> list[object]:
    journal = store.journal
    return [
        *([journal.runs(service), journal.history(service), journal.state(service)] for service in (SERVICE, CART)),
        *([list(journal.records(one).items())] for one in ("r1", "r2", "c1")),
        [journal.recent(step, at(2)) for step in ("trust", "agent")],
        journal.open_runs(),
        journal.ended(""),
        journal.states(),
        journal.marks(""),
    ]


@pytest.mark.parametrize("target", ["sqlite", "dynamodb"])
@pytest.mark.parametrize("source", ["sqlite", "dynamodb"])
def test_there_is_as_much_as_before_and_the_bytes_are_the_same(
    stores: dict[str, Make], tmp_path: Path, source: str, target: str
) -> None:
    old, new = stores[source](), stores[target]()
    fill(old)
    lines = exported(old)
    (tmp_path / "state.jsonl").write_bytes(lines)
    imported(new, tmp_path / "state.jsonl")

    assert exported(new) == lines
    assert json.loads(lines.splitlines()[0]) == {
        "format": "irsa-migrator state",
        "version": 1,
        "runs": 3,
        "records": 4,
        "marks": 2,
    }
    with old.opened() as before, new.opened() as after:
        assert told(before) == told(after)
    with new.opened() as store, store.at_work(RUN):  # and it goes on where it was
        store.journal.record(record("annotation", run="r2", second=8))
        store.journal.record(record("association", run="r2", second=1))
        store.journal.end("r2", Outcome.DONE, "", at(9))
        store.journal.begin(run("r3"))
        assert list(store.journal.records("r2")) == ["annotation", "association"]
        assert [one.id for one in store.journal.runs(SERVICE)] == ["r1", "r2", "r3"]
        assert store.journal.state(SERVICE).run == run("r3")


def test_nobody_may_be_at_work(side: Side, tmp_path: Path) -> None:
    with side.opened() as store, store.at_work(RUN):
        with pytest.raises(Locked, match=f'"{LOCK}" is held by process'):
            exported(side)
        (tmp_path / "empty").write_bytes(
            b'{"format": "irsa-migrator state", "version": 1, "runs": 0, "records": 0, "marks": 0}\n'
        )
        with pytest.raises(Locked):
            imported(side, tmp_path / "empty")


def test_only_an_empty_store_is_filled(side: Side, tmp_path: Path) -> None:
    fill(side)
    before = exported(side)
    (tmp_path / "state.jsonl").write_bytes(before)
    with pytest.raises(StoreFault, match="is not empty"):
        imported(side, tmp_path / "state.jsonl")
    assert exported(side) == before


def test_an_import_that_was_cut_off_goes_on(table: Callable[..., Side], tmp_path: Path, trouble: Trouble) -> None:
    old, new, path = table(), table(), tmp_path / "state.jsonl"
    fill(old)
    path.write_bytes(exported(old))
    trouble.refuse("BatchWriteItem", "ValidationException")
    with pytest.raises(StoreFault, match="refused"):
        imported(new, path)
    with pytest.raises(StoreFault, match=r"an import into the table .* was cut off"):
        new.table().check_whole()
    (tmp_path / "other.jsonl").write_bytes(EMPTY)
    with pytest.raises(StoreFault, match="an import of another file"):
        imported(new, tmp_path / "other.jsonl")
    trouble.refuse("Query", "ValidationException")  # on the way to the counts: all is written, and nothing is confirmed
    with pytest.raises(StoreFault):
        imported(new, path)
    imported(new, path)
    new.table().check_whole()
    assert exported(new) == path.read_bytes()


def test_an_export_during_which_somebody_was_at_work_is_no_export(table: Callable[..., Side]) -> None:
    side = table()
    fill(side)
    with (
        side.archive() as (archive, _locks),
        pytest.raises(Locked, match="somebody was at work"),
        archive.still(),
        side.opened() as store,
        store.at_work(RUN),
    ):
        store.journal.open_runs()


@pytest.mark.parametrize(
    ("header", "lines", "says"),
    [
        ('{"format": "x"}', [], ":1: it is no export"),
        ("", [], ":1: it is no line of JSON"),
        ("[]", [], ":1: it is no object"),
        ('{"format": "irsa-migrator state", "version": 9}', [], ":1: version: it has version 9"),
        ('{"format": "irsa-migrator state", "version": 1, "runs": true}', [], ":1: runs: True is not a whole number"),
        (None, [], "it promises 0 runs, 0 records, 1 marks, and holds 0 runs, 0 records, 0 marks"),
        (None, [MARK, MARK], ':3: mark "k" is there twice'),
        (None, [MARK[:-9]], ":2: it is no line of JSON; was it cut off?"),
        (None, ['{"kind": "lock"}'], ":2: kind: 'lock' is not one of run, record, mark"),
        (None, [MARK.replace('"t"', "7")], ":2: at: 7 is not a string"),
        (None, [MARK.replace("}", ', "x": 1}')], ":2: x: unknown field"),
        (None, [MARK.replace('"data": 1, ', "")], ":2: data: missing"),
        (
            None,
            [RUN_LINE.replace('"a/b/c"', '"a/b/c/d"')],
            ":2: service: 'a/b/c/d' is not a CLUSTER/NAMESPACE/SERVICEACC",
        ),
        (
            None,
            [RUN_LINE.replace('"open"', '"foo"')],
            ":2: outcome: 'foo' is not one of open, done, failed, abandoned; ",
        ),
        (
            None,
            [RUN_LINE.replace('"back"', '"up"')],
            ":2: direction: 'up' is not one of forward, back; take the file as",
        ),
        (
            None,
            [RECORD.replace('"done"', '"over"')],
            ":2: status: 'over' is not one of pending, started, done, found, ",
        ),
        (None, [RECORD], ':2: a record of run "r" does not follow its run'),
    ],
)
def test_a_file_that_is_no_whole_export_is_one_sentence(
    tmp_path: Path, header: str | None, lines: list[str], says: str
) -> None:
    path = tmp_path / "state.jsonl"
    first = '{"format": "irsa-migrator state", "version": 1, "runs": 0, "records": 0, "marks": 1}'
    path.write_text("\n".join([first if header is None else header, *lines]) + "\n", encoding="utf-8")
    with pytest.raises(DocumentError) as caught:
        transfer.read_through(path)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
