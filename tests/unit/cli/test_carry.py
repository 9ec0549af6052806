"""Apply and rollback over a fake world: what is shown, asked, done, and how it ends."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from migrator.cli import apply, rollback
from migrator.cli.again import Again
from migrator.cli.carry import Carrier, Errand
from migrator.cli.options import Common, Form, LogFormat
from migrator.cli.run import CutOff
from migrator.cli.stores import Memory
from migrator.cli.verify import expected
from migrator.model import errors
from migrator.model.events import Reporter
from migrator.model.exits import Exit
from migrator.model.facts import Association
from migrator.model.identity import Identity
from migrator.model.ids import ServiceId
from migrator.model.journal import Direction, Outcome, Run, ServiceState, Standing, Status, StepRecord
from migrator.model.plan import Edit, Finding, Plan, Severity
from migrator.model.ports import Interrupt, Journal
from migrator.render.contract import schema
from migrator.render.views.walk import Intended
from migrator.running.result import Result
from migrator.running.service import Runner
from migrator.store.plan_document import document_of
from tests.fakes.running import SERVICE, Bench
from tests.fakes.samples import BLOCK, sample_plan
from tests.fakes.world import ROLE_ARN, FakeWorld, deployment

COMMON = Common(
    fleet=Path("fleet.yaml"),
    plans=None,
    output=Form.TABLE,
    log_format=LogFormat.CONSOLE,
    verbose=False,
    quiet=False,
    debug=False,
)


def intend(plan: Plan, journal: Journal | None) -> Intended:
    return apply.intended(Again(plan=plan), journal)


@dataclass
class Crew:
    """One runner for all."""

    bench: Bench

    def runner(self, service: ServiceId) -> Runner:
        assert service.cluster == "prod"
        return self.bench.runner()


@dataclass
class Desk:
    """The wiring over a fake world."""

    bench: Bench = field(default_factory=lambda: Bench(FakeWorld(declared=[deployment()])))
    common: Common = COMMON

    @contextmanager
    def memory(self) -> Iterator[Memory | None]:
        yield Memory(self.bench.journal, self.bench.locks) if self.bench.journal.all_runs else None

    @contextmanager
    def crew(self, reporter: Reporter, interrupt: Interrupt, wake: threading.Event) -> Iterator[Crew]:
        assert interrupt() is None
        assert not wake.is_set()
        self.bench.reporter.tell = reporter.tell  # type: ignore[method-assign] # the bench's runner tells the edge
        yield Crew(self.bench)

    def apply(self, *plans: Plan, yes: bool = True, dry_run: bool = False) -> Exit:
        errand = Errand(
            command="apply",
            question="migrate",
            intend=intend,
            carry=lambda runner, plan: runner.apply(plan, self.bench.document),
        )
        return Carrier(self, errand, yes=yes, dry_run=dry_run).run(plans or [self.bench.plan])

    def rollback(self) -> Exit:
        errand = Errand(
            command="rollback",
            question="roll back",
            intend=rollback.intended,
            carry=lambda runner, plan: runner.rollback(plan.service),
        )
        return Carrier(self, errand, yes=True, dry_run=False).run([self.bench.plan])

    def carry(self, carry: Callable[[Runner, Plan], Result], *plans: Plan) -> Exit:
        errand = Errand(command="apply", question="migrate", intend=intend, carry=carry)
        return Carrier(self, errand, yes=True, dry_run=False).run(plans)


def results(text: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(text)
    Draft202012Validator(schema(data["command"])).validate(data)
    return data


def test_there_and_back(capsys: pytest.CaptureFixture[str]) -> None:
    desk = Desk()

    assert desk.apply() is Exit.DONE
    told = capsys.readouterr()
    assert "1. agent" in told.out
    assert f"{SERVICE}  exit 0: {Exit.DONE.meaning}" in told.out.splitlines()
    assert told.out.splitlines()[-1].split() == ["migrate", "rollback", "--service", str(SERVICE)]
    assert "prod/shop/orders: verify: done" in told.err
    assert desk.rollback() is Exit.DONE
    assert "rolled back" in capsys.readouterr().out


def test_json_is_one_document_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    desk = Desk(common=replace(COMMON, output=Form.JSON, quiet=True))

    assert desk.apply() is Exit.DONE
    told = capsys.readouterr()
    assert results(told.out)["results"][0]["exit"]["name"] == "done"
    assert told.err == ""


def test_a_failed_step_ends_with_7_and_a_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    desk = Desk(Bench(FakeWorld(declared=[deployment()], reality="none")), replace(COMMON, quiet=True))

    assert desk.apply() is Exit.ROLLED_BACK
    assert capsys.readouterr().err.startswith("migrate: prod/shop/orders: failed (restart: ")


def test_blocked_ones_are_left_alone_and_the_others_carried_out(capsys: pytest.CaptureFixture[str]) -> None:
    desk = Desk(common=replace(COMMON, output=Form.JSON))
    blocked = sample_plan(ServiceId("prod", "shop", "blocked"), findings=(BLOCK,))
    held = sample_plan(ServiceId("prod", "shop", "held"), edit=Edit(hold=True))

    assert desk.apply(blocked, desk.bench.plan, held) is Exit.BLOCKED
    ended = {one["service"]: one["exit"]["code"] for one in results(capsys.readouterr().out)["results"]}
    assert ended == {"prod/shop/blocked": 4, "prod/shop/held": 4, "prod/shop/orders": 0}


def test_a_dry_run_begins_nothing() -> None:
    desk = Desk()

    assert desk.apply(dry_run=True, yes=False) is Exit.DONE
    assert desk.bench.journal.all_runs == []
    assert desk.bench.world.calls == []


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


def test_nothing_of_ours_is_nothing_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert Desk().rollback() is Exit.DONE
    assert "nothing of ours is in place" in capsys.readouterr().out


A, B = sample_plan(ServiceId("prod", "a", "a")), sample_plan(ServiceId("prod", "b", "b"))
FAILING: dict[str, tuple[errors.MigrateError, Exit, int]] = {
    "[drift] the next one is tried": (errors.Drift("changed"), Exit.DRIFT, 0),
    "[locked] the next one is tried": (errors.Locked("held"), Exit.LOCKED, 0),
    "[environment] the next one is tried": (errors.EnvironmentFault("no route"), Exit.ERROR, 0),
    "[blocked] the next one is tried": (errors.Blocked("gate"), Exit.BLOCKED, 0),
    "[credentials] the next one is not begun": (errors.CredentialsExpired("expired"), Exit.UNFINISHED, 3),
    "[store] the next one is not begun": (errors.StoreFault("disk full"), Exit.ERROR, 3),
    "[SIGTERM] the next one is not begun": (errors.Interrupted(15), Exit.TERMINATED, 3),
    "[SIGINT] the next one is not begun": (errors.Interrupted(2), Exit.INTERRUPTED, 3),
}


@pytest.mark.parametrize(("error", "code", "next_one"), FAILING.values(), ids=FAILING.keys())
def test_an_error_is_a_result(
    error: errors.MigrateError, code: Exit, next_one: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def carry(_runner: Runner, plan: Plan) -> Result:
        if plan is A:
            raise error
        return Result(service=plan.service, exit=Exit.DONE, message="migrated")

    assert Desk(common=replace(COMMON, output=Form.JSON)).carry(carry, A, B) is code
    told = capsys.readouterr()
    assert [one["exit"]["code"] for one in results(told.out)["results"]] == [int(code), next_one]
    assert told.err.startswith(f"migrate: prod/a/a: {error.message}")


def test_ctrl_c_while_a_service_is_carried_out_says_that_the_command_resumes() -> None:
    def carry(_runner: Runner, _plan: Plan) -> Result:
        raise KeyboardInterrupt

    with pytest.raises(CutOff):
        Desk().carry(carry, A)


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


@pytest.mark.parametrize(
    ("answer", "prepared"),
    [pytest.param("n\n", [], id="[declined]"), pytest.param("y\n", ["prepared"], id="[agreed]")],
)
def test_nothing_is_prepared_before_it_was_agreed_to(
    answer: str, prepared: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    desk, done = Desk(common=replace(COMMON, quiet=True)), list[str]()
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    errand = Errand(
        command="apply",
        question="migrate",
        intend=intend,
        carry=lambda runner, plan: runner.apply(plan, desk.bench.document),
        prepare=lambda: done.append("prepared"),
    )

    Carrier(desk, errand, yes=False, dry_run=True).run([desk.bench.plan])
    assert done == []
    Carrier(desk, errand, yes=False, dry_run=False).run([desk.bench.plan])
    assert done == prepared
    assert ("nothing was changed" in capsys.readouterr().err.splitlines()[-1:][0]) is (not prepared)


def open_run() -> Run:
    forward, outcome = Direction.FORWARD, Outcome.OPEN
    return Run(id="r", service=SERVICE, direction=forward, outcome=outcome, plan={}, actor="", host="", started="")


def state(direction: Direction, outcome: Outcome) -> ServiceState:
    return ServiceState(standing=Standing.PLANNED, run=replace(open_run(), direction=direction, outcome=outcome))


RESTARTED = StepRecord(run="r", step="restart", status=Status.DONE, at="t")
EXPECTED: dict[str, tuple[ServiceState | None, Identity]] = {
    "[no journal]": (None, Identity.IRSA),
    "[never applied]": (ServiceState(standing=Standing.PLANNED), Identity.IRSA),
    "[migrated]": (state(Direction.FORWARD, Outcome.DONE), Identity.POD_IDENTITY),
    "[on the way there] no pod was replaced": (state(Direction.FORWARD, Outcome.OPEN), Identity.IRSA),
    "[on the way there] pods were replaced": (
        replace(state(Direction.FORWARD, Outcome.OPEN), steps=(RESTARTED,)),
        Identity.POD_IDENTITY,
    ),
    "[failed]": (state(Direction.FORWARD, Outcome.FAILED), Identity.IRSA),
    "[rolled back]": (state(Direction.BACK, Outcome.DONE), Identity.IRSA),
}


@pytest.mark.parametrize(("standing", "identity"), EXPECTED.values(), ids=EXPECTED.keys())
def test_what_verify_expects(standing: ServiceState | None, identity: Identity) -> None:
    assert expected(A, standing) is identity


def test_after_a_way_back_verify_expects_what_that_saw() -> None:
    """The association that was there before us stays, and Pod Identity with it."""
    bench = Bench(FakeWorld())
    theirs = Association(id="a-9", namespace="shop", service_account="orders", role_arn=ROLE_ARN)
    bench.world.made, bench.world._seen_association = theirs, True
    assert bench.runner().apply(bench.plan, bench.document).exit is Exit.DONE
    assert bench.runner().rollback(SERVICE).exit is Exit.DONE

    assert bench.world.made == theirs
    assert expected(bench.plan, bench.journal.state(SERVICE)) is Identity.POD_IDENTITY
