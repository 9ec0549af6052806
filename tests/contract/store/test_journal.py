"""What the Journal port promises, of both stores."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from migrator.model.errors import StoreFault
from migrator.model.ids import ServiceId
from migrator.model.journal import Direction, Mark, Outcome, Standing, Status
from migrator.model.ports.running import Closing
from tests.contract.store.samples import CART, RUN, SERVICE, at, record, run
from tests.contract.store.stores import Opened, Side


@pytest.fixture
def store(side: Side) -> Iterator[Opened]:
    with side.opened() as opened:
        yield opened


def test_nothing_was_ever_done(store: Opened) -> None:
    journal = store.journal
    assert (journal.open_run(SERVICE), journal.run("r1"), journal.runs(SERVICE)) == (None, None, [])
    assert (journal.records("r1"), journal.recent("trust", ""), journal.ended("")) == ({}, [], [])
    assert (journal.open_runs(), journal.states(), journal.history(SERVICE), journal.marks("")) == ([], {}, [], {})
    assert journal.state(SERVICE).standing is Standing.PLANNED


def test_what_is_written_reads_back_as_it_was(store: Opened) -> None:
    journal = store.journal
    with store.at_work(RUN):
        journal.begin(RUN)
        journal.record(record("trust"))
        journal.record(record("association", second=2))
        journal.record(record("trust", Status.DONE, second=3))

        assert (journal.open_run(SERVICE), journal.run("r1"), journal.runs(SERVICE)) == (RUN, RUN, [RUN])
        assert list(journal.records("r1").values()) == [
            record("trust", Status.DONE, second=3),
            record("association", second=2),
        ]
        journal.end("r1", Outcome.DONE, "well", at(9))
    over = replace(RUN, outcome=Outcome.DONE, note="well", ended=at(9))
    assert (journal.open_run(SERVICE), journal.run("r1")) == (None, over)
    assert journal.state(SERVICE).run == over
    assert journal.states()[SERVICE] == journal.state(SERVICE)
    assert journal.state(SERVICE).standing is Standing.MIGRATED
    lines = journal.history(SERVICE)
    assert [line.status for line in lines] == ["begun", "started", "started", "done", "done"]
    assert [line.step for line in lines] == ["", "trust", "association", "trust", ""]
    assert (lines[1].image, lines[-1].note) == ({"a": [1]}, "well")


def test_it_reads_back_in_another_process_as_well(side: Side) -> None:
    with side.opened() as store, store.at_work(RUN):
        store.journal.begin(RUN)
        store.journal.record(record("trust"))
        other = side.process("print(journal.open_run(SERVICE) == RUN, list(journal.records('r1')))")
        assert other.communicate()[0] == "True ['trust']\n"


def test_a_note_is_kept_where_the_end_brings_none(store: Opened) -> None:
    with store.at_work(RUN):
        store.journal.begin(replace(RUN, note="before"))
        store.journal.end("r1", Outcome.DONE, "", at(9))
    assert [one.note for one in store.journal.runs(SERVICE)] == ["before"]


def test_never_two_open_runs(store: Opened) -> None:
    journal = store.journal
    with store.at_work(RUN):
        journal.begin(RUN)
        with pytest.raises(StoreFault):
            journal.begin(run("r2"))
        journal.begin(run("r2", second=3), Closing(run="r1", outcome=Outcome.FAILED, note="drift"))
    assert [(one.id, one.outcome, one.note) for one in journal.runs(SERVICE)] == [
        ("r1", Outcome.FAILED, "drift"),
        ("r2", Outcome.OPEN, ""),
    ]
    assert [one.ended for one in journal.ended("")] == [at(3)]


def test_closing_a_run_that_is_over_changes_nothing(store: Opened) -> None:
    journal = store.journal
    with store.at_work(RUN):
        journal.begin(RUN)
        journal.end("r1", Outcome.DONE, "", at(1))
        with pytest.raises(StoreFault, match="ended by another runner"):
            journal.begin(run("r2"), Closing(run="r1", outcome=Outcome.FAILED, note=""))
        with pytest.raises(StoreFault, match="ended by another runner"):
            journal.end("r1", Outcome.FAILED, "", at(2))
    assert [(one.id, one.outcome) for one in journal.runs(SERVICE)] == [("r1", Outcome.DONE)]
    assert journal.open_run(SERVICE) is None


def test_the_same_id_is_not_used_twice(store: Opened) -> None:
    journal = store.journal
    with store.at_work(RUN), store.locks.held(f"service:{CART}", doing="apply"):
        journal.begin(RUN)
        with pytest.raises(StoreFault):
            journal.begin(run("r1", CART))
    assert (journal.runs(CART), journal.open_run(CART), journal.run("r1")) == ([], None, RUN)


def test_a_record_of_no_run_is_refused(store: Opened) -> None:
    with store.at_work(RUN), pytest.raises(StoreFault):
        store.journal.record(record("trust"))
    assert store.journal.recent("trust", "") == []


def test_runs_of_a_service_are_in_the_order_they_were_begun(store: Opened) -> None:
    for number in (3, 1, 2):  # whatever their clocks said
        with store.at_work(RUN):
            store.journal.begin(run(f"r{number}", second=number))
            store.journal.end(f"r{number}", Outcome.DONE, "", at(10 + number))
    assert [one.id for one in store.journal.runs(SERVICE)] == ["r3", "r1", "r2"]
    assert store.journal.state(SERVICE).run == store.journal.run("r2")


def test_records_are_in_their_order_whoever_wrote_them(side: Side) -> None:
    steps = [("agent", 9), ("trust", 5), ("agent", 1), ("association", 7)]  # by clocks that disagree
    with side.opened() as store, store.at_work(RUN):
        store.journal.begin(RUN)
    for step, second in steps:
        with side.opened() as store, store.at_work(RUN):
            store.journal.record(record(step, second=second))
    with side.opened() as store:
        assert list(store.journal.records("r1")) == ["agent", "trust", "association"]
        assert store.journal.records("r1")["agent"].at == at(1)


def test_recent_records_of_a_step_are_those_of_all_services(store: Opened) -> None:
    journal = store.journal
    with store.at_work(RUN), store.locks.held(f"service:{CART}", doing="apply"):
        journal.begin(RUN)
        journal.begin(run("r2", CART))
        for second, (name, step) in enumerate([("r1", "trust"), ("r1", "trust"), ("r2", "agent"), ("r2", "trust")]):
            journal.record(record(step, Status.DONE, run=name, second=second))

    assert journal.recent("trust", at(1)) == [
        record("trust", Status.DONE, run="r1", second=1),
        record("trust", Status.DONE, run="r2", second=3),
    ]
    assert [one.run for one in journal.recent("trust", "2025")] == ["r1", "r1", "r2"]
    assert journal.recent("trust", "2027") == []


def test_open_runs_and_ended_ones_are_those_of_all_services(store: Opened) -> None:
    journal = store.journal
    with store.at_work(RUN), store.locks.held(f"service:{CART}", doing="apply"):
        journal.begin(RUN)
        journal.begin(run("r2", CART))
        assert [one.id for one in journal.open_runs()] == ["r2", "r1"]
        journal.end("r1", Outcome.FAILED, "no", at(8))
        assert [one.id for one in journal.open_runs()] == ["r2"]
        journal.end("r2", Outcome.DONE, "", at(5))
    assert journal.open_runs() == []
    assert journal.ended(at(5)) == [
        replace(run("r2", CART), plan=None, outcome=Outcome.DONE, ended=at(5)),
        replace(RUN, plan=None, outcome=Outcome.FAILED, note="no", ended=at(8)),
    ]
    assert [one.id for one in journal.ended(at(6))] == ["r1"]
    assert journal.ended(at(9)) == []


@pytest.mark.parametrize(
    ("direction", "outcome", "standing"),
    [
        (Direction.FORWARD, Outcome.OPEN, Standing.INTERRUPTED),
        (Direction.FORWARD, Outcome.DONE, Standing.MIGRATED),
        (Direction.FORWARD, Outcome.FAILED, Standing.FAILED),
        (Direction.BACK, Outcome.DONE, Standing.ROLLED_BACK),
        (Direction.BACK, Outcome.FAILED, Standing.STRANDED),
    ],
)
def test_where_a_service_stands(store: Opened, direction: Direction, outcome: Outcome, standing: Standing) -> None:
    with store.at_work(RUN):
        store.journal.begin(replace(RUN, direction=direction))
        if outcome is not Outcome.OPEN:
            store.journal.end("r1", outcome, "", at(1))
    assert store.journal.state(SERVICE).standing is standing
    assert store.journal.states()[SERVICE].standing is standing


def test_the_last_mark_of_a_key_counts(store: Opened) -> None:
    journal = store.journal
    for number, key in enumerate(("proven:b", "proven:a", "other", "proven:b", "proven%", "")):
        journal.mark(key, {"n": number}, at(number))
    assert journal.marks("proven:") == {
        "proven:a": Mark(key="proven:a", data={"n": 1}, at=at(1)),
        "proven:b": Mark(key="proven:b", data={"n": 3}, at=at(3)),
    }
    assert list(journal.marks("proven:")) == ["proven:a", "proven:b"]
    assert list(journal.marks("")) == ["", "other", "proven%", "proven:a", "proven:b"]
    assert journal.marks("proven:b")["proven:b"].data == {"n": 3}


def test_large_plans_and_images(store: Opened) -> None:
    plan = {"steps": [{"name": f"step {number}", "text": "x" * 90} for number in range(20_000)]}
    image = {"document": "é" * 50_000}
    with store.at_work(RUN):
        store.journal.begin(replace(RUN, plan=plan))
        store.journal.record(replace(record("trust"), image=image, result="y" * 5000))
    assert store.journal.runs(SERVICE)[0].plan == plan
    found = store.journal.records("r1")["trust"]
    assert (found.image, found.result) == (image, "y" * 5000)


def test_many_services_at_once(store: Opened) -> None:
    services = [ServiceId("prod", "shop", f"s{number:03d}") for number in range(20)]

    def migrate(service: ServiceId) -> None:
        one = run(f"run-{service.name}", service)
        with store.at_work(one):
            store.journal.begin(one)
            store.journal.record(record("trust", Status.DONE, run=one.id))
            if service.name != "s007":
                store.journal.end(one.id, Outcome.DONE, "", at(2))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate, services))
    assert sorted(store.journal.states()) == services
    assert {len(state.steps) for state in store.journal.states().values()} == {1}
    assert len(store.journal.recent("trust", "")) == 20
    assert len(store.journal.ended("")) == 19
    assert [one.service.name for one in store.journal.open_runs()] == ["s007"]


def test_more_records_than_one_answer_holds(store: Opened) -> None:
    with store.at_work(RUN):
        store.journal.begin(RUN)
        for number in range(110):
            store.journal.record(
                replace(record(f"step {number}" if number % 2 else "trust"), result=os.urandom(8000).hex())
            )
    assert len(store.journal.records("r1")) == 56
    assert len(store.journal.recent("trust", "")) == 55
    assert len(store.journal.history(SERVICE)) == 111
