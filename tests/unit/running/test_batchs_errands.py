"""What a batch asks of a runner beside apply: another look, the end of a way back, a word before anything is done."""

from dataclasses import replace

import pytest

from migrator.model.errors import Blocked, Drift, MigrateError
from migrator.model.exits import Exit
from migrator.model.journal import Direction, Outcome, Run, Standing
from migrator.running import kept
from migrator.running.proven import key, unproven
from migrator.running.service import AUTOMATIC
from tests.fakes.parts import deployment
from tests.fakes.running import SERVICE, Bench
from tests.fakes.world import FakeWorld


def begun_back(bench: Bench, note: str) -> None:
    there = bench.journal.all_runs[-1]
    bench.journal.begin(
        Run(
            id="back",
            service=SERVICE,
            direction=Direction.BACK,
            outcome=Outcome.OPEN,
            plan=there.plan,
            actor="a",
            host="h",
            started=bench.clock.now(),
            cause=there.id,
            note=note,
        )
    )


@pytest.mark.parametrize(
    ("note", "ends"),
    [pytest.param("", Exit.DONE, id="[a person's]"), pytest.param(AUTOMATIC, Exit.ROLLED_BACK, id="[a failed step's]")],
)
def test_a_way_back_that_was_cut_off_is_finished(note: str, ends: Exit) -> None:
    bench = Bench(FakeWorld())
    bench.runner().apply(bench.plan, bench.document)
    begun_back(bench, note)

    result = bench.runner().go_back(SERVICE)

    assert result.exit is ends, result.message
    assert bench.world.injected() == "irsa"
    assert bench.journal.state(SERVICE).standing is Standing.ROLLED_BACK


def test_where_no_way_back_is_open_none_is_begun() -> None:
    bench = Bench(FakeWorld())
    bench.runner().apply(bench.plan, bench.document)
    bench.world.calls.clear()

    result = bench.runner().go_back(SERVICE)

    assert (result.exit, bench.world.calls) == (Exit.UNFINISHED, [])


def test_a_look_at_a_migrated_service_changes_nothing() -> None:
    bench = Bench(FakeWorld())
    bench.runner().apply(bench.plan, bench.document)
    bench.world.calls.clear()

    result = bench.runner().look(SERVICE)

    assert (result.exit, bench.world.calls) == (Exit.DONE, [])
    assert bench.journal.marks(key(SERVICE)) == {}  # its own run had proven it


def test_a_look_begins_nothing() -> None:
    bench = Bench(FakeWorld())
    assert bench.runner().look(SERVICE).exit is Exit.UNFINISHED
    assert (bench.world.calls, bench.journal.all_runs) == ([], [])


def test_a_look_finds_what_somebody_undid() -> None:
    bench = Bench(FakeWorld())
    bench.runner().apply(bench.plan, bench.document)
    bench.world.made = None
    with pytest.raises(Drift):
        bench.runner().look(SERVICE)


def test_the_first_pod_that_comes_later_proves_it_and_that_is_remembered() -> None:
    scaled_down = deployment(replicas=0)
    bench = Bench(FakeWorld(declared=[scaled_down]))
    assert bench.runner().apply(bench.plan, bench.document).exit is Exit.UNFINISHED
    assert unproven(bench.journal.state(SERVICE), {})
    assert bench.runner().look(SERVICE).exit is Exit.UNFINISHED
    assert bench.journal.marks(key(SERVICE)) == {}

    bench.world.scale(scaled_down, 1)

    assert bench.runner().look(SERVICE).exit is Exit.DONE
    assert not unproven(bench.journal.state(SERVICE), bench.journal.marks(key(SERVICE)))


def test_a_run_that_stays_open_on_purpose_is_marked() -> None:
    bench = Bench(FakeWorld(declared=[deployment(baked=True)]))
    with pytest.raises(Blocked):
        bench.runner().apply(bench.plan, bench.document, auto_rollback=False)

    run = bench.journal.open_run(SERVICE)
    assert run is not None
    assert kept.kept(run, bench.journal.marks(kept.MARK))
    assert not kept.kept(replace(run, id="another"), bench.journal.marks(kept.MARK))


def test_whoever_is_asked_once_the_lock_is_held_can_stop_it() -> None:
    bench = Bench(FakeWorld())

    def refuse(service: object) -> None:
        assert bench.locks.open == [f"service:{service}"]
        raise MigrateError("another was faster")

    with pytest.raises(MigrateError, match="another was faster"):
        replace(bench.runner(), at_lock=refuse).apply(bench.plan, bench.document)
    assert (bench.world.calls, bench.journal.all_runs, bench.locks.open) == ([], [], [])
