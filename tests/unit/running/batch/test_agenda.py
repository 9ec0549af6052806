"""What a batch makes of one service, told from its plan and its newest run."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from migrator.model.errors import RecordFault
from migrator.model.journal import Direction, Mark, Outcome, Run, ServiceState, Status, StepRecord
from migrator.model.plan import Plan, Verdict
from migrator.running import kept
from migrator.running.batch.agenda import Agenda, Errand, Known, Left, Task
from migrator.running.proven import key
from migrator.running.service import AUTOMATIC, REPLACED
from migrator.store.plan_document import document_of, plan_of
from migrator.store.standing import standing
from tests.fakes.nights import plan

NOW = datetime(2026, 1, 2, tzinfo=UTC)
PLAN = plan("a")
SERVICE = PLAN.service


def run(direction: Direction = Direction.FORWARD, outcome: Outcome = Outcome.DONE, **more: Any) -> Run:
    given = {
        "plan": document_of(PLAN),
        "note": "",
        "ended": "" if outcome is Outcome.OPEN else "2026-01-01T00:00:00+00:00",
    }
    return Run(
        id="r",
        service=SERVICE,
        direction=direction,
        outcome=outcome,
        actor="cron",
        host="here",
        started="2026-01-01T00:00:00+00:00",
        **{**given, **more},
    )


def record(step: str, status: Status, note: str = "", **more: Any) -> StepRecord:
    return StepRecord(run="r", step=step, status=status, at="2026-01-01T00:00:00+00:00", note=note, **more)


def known(state: tuple[Run, tuple[StepRecord, ...]] | None = None, own: Plan | None = PLAN, **more: Any) -> Known:
    states = {}
    if state is not None:
        states[SERVICE] = ServiceState(standing=standing(*state), run=state[0], steps=state[1])
    given = {"soak": 0.0, "marks": {}, "unreadable": frozenset() if own else frozenset({SERVICE})}
    return Known(plans={SERVICE: own} if own else {}, states=states, now=NOW, plan_of=plan_of, **{**given, **more})


PROOF = record("verify", Status.DONE, result={"containers": ["app"]})
NO_PROOF = record("verify", Status.DONE, result={"containers": []})
OPEN = run(outcome=Outcome.OPEN)
FAILED = run(outcome=Outcome.FAILED)
BACK = run(Direction.BACK, note="verify: no pods")
STAYS = {kept.key(SERVICE): Mark(key=kept.key(SERVICE), data={"run": "r"}, at="")}
OTHER = replace(PLAN, facts={**PLAN.facts, "agent": {"addon": "v2"}})

CASES: dict[str, tuple[Known, Errand | Left | None]] = {
    "[new]": (known(), Errand.BEGIN),
    "[new, plan unreadable]": (known(own=None), Left.UNREADABLE),
    "[migrated and proven]": (known((run(), (PROOF,))), None),
    "[migrated, plan file gone]": (known((run(), (PROOF,)), own=None, unreadable=frozenset()), None),
    "[migrated, no pod yet]": (known((run(), (NO_PROOF,))), Errand.LOOK),
    "[proven by a later look]": (
        known((run(), (NO_PROOF,)), marks={key(SERVICE): Mark(key=key(SERVICE), data={"run": "r"}, at="")}),
        None,
    ),
    "[an earlier run's proof]": (
        known((run(), (NO_PROOF,)), marks={key(SERVICE): Mark(key=key(SERVICE), data={"run": "old"}, at="")}),
        Errand.LOOK,
    ),
    "[in its soak]": (known((run(), (PROOF,)), soak=2 * 86400.0), Errand.LOOK),
    "[soak over]": (known((run(), (PROOF,)), soak=3600.0), None),
    "[cut off before its first step]": (known((OPEN, ())), Errand.RESUME),
    "[cut off in a step]": (known((OPEN, (record("trust", Status.STARTED),))), Errand.RESUME),
    "[waits for its owner's rollout]": (
        known((OPEN, (record("restart", Status.STARTED, "waits for its owner"),))),
        Errand.RESUME,
    ),
    "[cut off, its plan file gone]": (known((OPEN, ()), own=None, unreadable=frozenset()), Errand.RESUME),
    "[cut off, its plan file unreadable]": (known((OPEN, ()), own=None), Left.UNREADABLE),
    "[cut off, on hold since]": (known((OPEN, ()), plan("a", hold=True)), Left.HOLD),
    "[stopped where a person said]": (
        known((OPEN, (record("restart", Status.PENDING, 'stopped before it, as asked: --to "annotation"'),))),
        Left.STOPPED,
    ),
    "[drift]": (known((OPEN, (record("trust", Status.PENDING, "drift: the role is another"),))), Left.DRIFT),
    "[drift, planned anew]": (
        known((OPEN, (record("trust", Status.PENDING, "drift: the role is another"),)), OTHER),
        Errand.BEGIN,
    ),
    "[cut off, planned anew with a warning that nobody took on]": (
        known((OPEN, ()), replace(OTHER, verdict=Verdict.ATTENTION)),
        Left.ATTENTION,
    ),
    "[failed and stayed]": (known((OPEN, (record("verify", Status.FAILED, "no pods"),)), marks=STAYS), Left.FAILED),
    "[failed, and cut off before its way back]": (
        known((OPEN, (record("verify", Status.FAILED, "no pods"),))),
        Errand.RESUME,
    ),
    "[failed and stayed, to be tried again]": (
        known((OPEN, (record("verify", Status.FAILED, "no pods"),)), marks=STAYS, retry_failed=True),
        Errand.RESUME,
    ),
    "[failed before anything changed]": (known((FAILED, ())), Left.FAILED),
    "[replaced, and never begun again]": (known((replace(FAILED, note=REPLACED), ()), OTHER), Errand.BEGIN),
    "[failed and rolled back]": (known((BACK, ())), Left.FAILED),
    "[failed, to be tried again]": (known((BACK, ()), retry_failed=True), Errand.BEGIN),
    "[failed, to be tried again, on hold]": (known((BACK, ()), plan("a", hold=True), retry_failed=True), Left.HOLD),
    "[failed, on hold since: a person has seen it]": (known((BACK, ()), plan("a", hold=True)), Left.HOLD),
    "[failed, planned anew]": (known((BACK, ()), OTHER), Errand.BEGIN),
    "[failed, plan gone]": (known((BACK, ()), own=None, unreadable=frozenset()), None),
    "[taken back by a person]": (known((run(Direction.BACK), ()), retry_failed=True), Left.ROLLED_BACK),
    "[taken back by a person, planned anew]": (known((run(Direction.BACK), ()), OTHER), Errand.BEGIN),
    "[a way back cut off]": (known((run(Direction.BACK, Outcome.OPEN), ())), Errand.RETURN),
    "[a way back cut off, on hold]": (
        known((run(Direction.BACK, Outcome.OPEN), ()), plan("a", hold=True)),
        Errand.RETURN,
    ),
    "[stranded]": (
        known((run(Direction.BACK, Outcome.OPEN, note=AUTOMATIC), (record("restart", Status.FAILED),))),
        Errand.RETURN,
    ),
}


@pytest.mark.parametrize(("what", "expected"), CASES.values(), ids=CASES.keys())
def test_what_is_to_be_done(what: Known, expected: Errand | Left | None) -> None:
    found = what.errand(SERVICE)
    assert (found.errand if isinstance(found, Task) else found) == expected


def test_only_what_is_selected_and_each_service_once() -> None:
    plans = {one.service: one for one in (plan("x/a"), plan("x/b"), plan("y/a"))}
    made = Agenda.of(replace(known(), plans=plans), lambda service, _plan: service.cluster == "x")

    assert [task.service.name for task in made.queue()] == ["a", "b"]
    made.put(plan("x/a").service, Left.LATER)
    assert (len(made.tasks), list(made.left.values())) == (1, [Left.LATER])
    made.put(plan("x/a").service, None)
    assert (len(made.tasks), made.left) == (1, {})


def test_a_run_whose_plan_nobody_can_read_concerns_no_other_service() -> None:
    def refuse(document: object) -> Plan:
        raise RecordFault(f"a run carries no plan: {document}")

    other = plan("b")
    what = known((replace(OPEN, plan={}), ()), other, unreadable=frozenset())
    made = Agenda.of(replace(what, plans={other.service: other}, plan_of=refuse), lambda _service, _plan: True)

    assert (made.left, list(made.tasks)) == ({SERVICE: Left.UNREADABLE}, [other.service])
