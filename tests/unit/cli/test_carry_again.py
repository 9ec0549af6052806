"""Apply and rollback of a service with a run already: one that is open, or one that is over."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from migrator.cli import apply
from migrator.cli.again import Again
from migrator.cli.options import Form, LogFormat
from migrator.model import errors
from migrator.model.exits import Exit
from migrator.model.journal import Outcome
from migrator.model.plan import Finding, Plan, Severity
from migrator.store.plan_document import document_of
from tests.fakes.carrying import COMMON, Desk, open_run, results
from tests.fakes.parts import deployment
from tests.fakes.running import SERVICE, Bench
from tests.fakes.samples import BLOCK
from tests.fakes.world import FakeWorld


def faulty(call: str) -> Callable[[str], None]:
    """A network that is lost before that change."""

    def lost(name: str) -> None:
        if name == call:
            raise errors.EnvironmentFault("no route")

    return lost


def well(_name: str) -> None:
    pass


def cut_off(world: FakeWorld, call: str) -> Desk:
    """A desk whose apply was cut off before that change: a run is open."""
    desk = Desk(Bench(world), replace(COMMON, quiet=True, output=Form.JSON))
    world.before_call = faulty(call)
    assert desk.apply() is Exit.ERROR
    world.before_call = well
    assert desk.bench.journal.open_run(SERVICE) is not None
    return desk


BLOCKING: dict[str, Callable[[Plan], Plan]] = {
    "[hold]": lambda plan: replace(plan, edit=replace(plan.edit, hold=True)),
    "[block]": lambda plan: replace(plan, findings=(BLOCK,)),
}


@pytest.mark.parametrize("blocking", BLOCKING.values(), ids=BLOCKING.keys())
def test_neither_hold_nor_block_keeps_an_automatic_way_back_from_its_end(
    blocking: Callable[[Plan], Plan], capsys: pytest.CaptureFixture[str]
) -> None:
    desk = cut_off(FakeWorld(declared=[deployment()], reality="none"), "add-annotation")
    capsys.readouterr()

    assert desk.apply(blocking(desk.bench.plan)) is Exit.ROLLED_BACK
    assert desk.bench.journal.open_run(SERVICE) is None
    intended = results(capsys.readouterr().out)["intended"][0]
    assert (intended["left_alone"], intended["steps"], intended["trust"]) == (None, [], None)
    assert intended["note"] == "its way back is not over; that comes first"


@pytest.mark.parametrize("blocking", BLOCKING.values(), ids=BLOCKING.keys())
def test_hold_and_block_keep_an_open_run_where_it_is(blocking: Callable[[Plan], Plan]) -> None:
    desk = cut_off(FakeWorld(declared=[deployment()]), "remove-annotation")
    desk.bench.world.calls.clear()

    assert desk.apply(blocking(desk.bench.plan)) is Exit.BLOCKED
    assert desk.bench.journal.open_run(SERVICE) is not None
    assert desk.bench.world.calls == []
    assert desk.apply() is Exit.DONE


@pytest.mark.parametrize("blocking", BLOCKING.values(), ids=BLOCKING.keys())
def test_without_an_open_run_hold_and_block_count_before_anybody_is_asked(blocking: Callable[[Plan], Plan]) -> None:
    desk = Desk(common=replace(COMMON, quiet=True))
    assert desk.apply() is Exit.DONE

    assert desk.apply(blocking(desk.bench.plan), yes=False) is Exit.BLOCKED


@pytest.mark.parametrize("call", ["install-agent", ""], ids=["[only the agent is ours]", "[nothing is ours]"])
def test_rollback_ends_an_open_run_that_changed_nothing_of_the_service(
    call: str, capsys: pytest.CaptureFixture[str]
) -> None:
    world = FakeWorld(declared=[deployment()])
    if call:
        desk = cut_off(world, call)
    else:
        desk = Desk(Bench(world), replace(COMMON, quiet=True, output=Form.JSON))
        desk.bench.journal.begin(replace(open_run(), plan=desk.bench.document))
    capsys.readouterr()

    assert desk.rollback() is Exit.DONE
    intended = results(capsys.readouterr().out)["intended"][0]
    assert (intended["left_alone"], intended["steps"]) == (None, [])
    assert intended["note"] == "nothing of ours is in place; the run that is open is ended"
    assert [run.outcome for run in desk.bench.journal.all_runs] == [Outcome.ABANDONED]


def test_a_note_is_shown_in_the_place_of_steps(capsys: pytest.CaptureFixture[str]) -> None:
    desk = Desk(common=replace(COMMON, quiet=True))
    desk.bench.journal.begin(replace(open_run(), plan=desk.bench.document))

    assert desk.rollback() is Exit.DONE
    assert capsys.readouterr().out.splitlines()[:2] == [
        "prod/shop/orders  role orders",
        "  nothing of ours is in place; the run that is open is ended",
    ]


def test_a_run_taken_up_again_tells_where_its_steps_stand(capsys: pytest.CaptureFixture[str]) -> None:
    desk = cut_off(FakeWorld(declared=[deployment()]), "remove-annotation")
    capsys.readouterr()
    desk.common = replace(COMMON, log_format=LogFormat.JSON)

    assert desk.apply() is Exit.DONE
    events = map(json.loads, capsys.readouterr().err.splitlines())
    started = next(event for event in events if event.get("code") == "RunStarted")
    assert started["statuses"] == {
        "agent": "done", "trust": "done", "association": "done", "annotation": "started",
    }  # fmt: skip


def test_what_was_migrated_by_the_same_plan_is_only_looked_at_and_nobody_is_asked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    desk = Desk(common=replace(COMMON, output=Form.JSON))
    assert desk.apply() is Exit.DONE
    capsys.readouterr()
    before = list(desk.bench.world.calls)

    assert desk.apply(yes=False) is Exit.DONE  # stdin is no terminal: a question would be wrong usage
    assert desk.bench.world.calls == before
    told = results(capsys.readouterr().out)
    assert (told["intended"][0]["steps"], told["intended"][0]["trust"]) == ([], None)
    assert told["intended"][0]["note"] == "migrated already by this very plan: it is only looked at again"
    assert "already migrated" in told["results"][0]["message"]


def test_what_blocked_a_plan_does_not_block_a_look_at_what_it_became() -> None:
    """An option took the block on when it was carried out; the same plan without it changes nothing any more."""
    desk = Desk()
    assert desk.apply() is Exit.DONE
    block = Finding(code="bare-pods", severity=Severity.BLOCK, object="Pod alone")
    carried = replace(desk.bench.plan, findings=(*desk.bench.plan.findings, block))
    desk.bench.journal.all_runs[-1] = replace(desk.bench.journal.all_runs[-1], plan=document_of(carried))

    assert apply.intended(Again(plan=carried), desk.bench.journal).looks
    fresh = apply.intended(Again(plan=carried), None)
    assert (fresh.exit, '"--recreate-bare-pods"' in fresh.left_alone) == (Exit.BLOCKED, True)


def test_another_plan_for_a_migrated_service_is_shown_and_asked_for() -> None:
    desk = Desk(common=replace(COMMON, quiet=True))
    assert desk.apply() is Exit.DONE
    facts = desk.bench.plan.facts

    with pytest.raises(errors.UsageError, match="no terminal"):
        desk.apply(replace(desk.bench.plan, facts={**facts, "workloads": []}), yes=False)


def test_an_edited_plan_of_a_migrated_service_is_only_looked_at() -> None:
    """The same rule as the runner's: what people may edit makes no other plan."""
    desk = Desk(common=replace(COMMON, quiet=True))
    assert desk.apply() is Exit.DONE
    desk.bench.world.calls.clear()

    assert desk.apply(replace(desk.bench.plan, edit=replace(desk.bench.plan.edit, wave=2)), yes=False) is Exit.DONE
    assert desk.bench.world.calls == []
