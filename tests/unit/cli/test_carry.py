"""Apply and rollback over a fake world: what is shown, asked, done, and how it ends."""

import json
import os
import signal
import time
from dataclasses import replace
from io import StringIO

import pytest

from migrator.cli.carry import Carrier, Errand
from migrator.cli.options import Form, LogFormat
from migrator.cli.run import CutOff
from migrator.model import errors
from migrator.model.exits import Exit
from migrator.model.ids import ServiceId
from migrator.model.plan import Edit, Plan
from migrator.running.result import Result
from migrator.running.service import Runner
from tests.fakes.carrying import COMMON, Desk, intend, results
from tests.fakes.parts import deployment
from tests.fakes.running import SERVICE, Bench
from tests.fakes.samples import BLOCK, sample_plan
from tests.fakes.world import FakeWorld


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


def test_every_line_of_a_json_log_is_one_object_when_a_signal_comes_too(capfd: pytest.CaptureFixture[str]) -> None:
    def carry(_runner: Runner, plan: Plan) -> Result:
        os.kill(os.getpid(), signal.SIGTERM)
        raise errors.Interrupted(signal.SIGTERM)

    assert Desk(common=replace(COMMON, log_format=LogFormat.JSON)).carry(carry, A, B) is Exit.TERMINATED
    err = ""
    while "SIGTERM" not in err:  # a thread of its own says it
        time.sleep(0.01)
        err += capfd.readouterr().err
    lines = [json.loads(line) for line in err.splitlines()]
    assert sorted(line["event"] for line in lines) == ["error", "error", "signal"]
    assert all({"timestamp", "level"} <= line.keys() for line in lines)


def test_ctrl_c_while_a_service_is_carried_out_says_that_the_command_resumes() -> None:
    def carry(_runner: Runner, _plan: Plan) -> Result:
        raise KeyboardInterrupt

    with pytest.raises(CutOff):
        Desk().carry(carry, A)


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
