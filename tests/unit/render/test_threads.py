"""Several services at once in one process: every line is whole, and says which of them it is about."""

import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from typing import Any

import pytest
import structlog
from structlog.contextvars import get_contextvars

from migrator.model.events import AnyEvent, Noticed, RunEnded, RunStarted, StepMoved, StepWaits, WayBack
from migrator.model.ids import ServiceId
from migrator.model.journal import Direction, Status
from migrator.render import log
from migrator.render.lines import LineReporter
from tests.fakes.running import Collector

AT_ONCE = 4
STEPS = ("trust", "association", "restart")


class Slow(StringIO):
    """A stream that takes a character at a time and lets every other thread go first."""

    def write(self, text: str) -> int:
        for character in text:
            super().write(character)
            time.sleep(0)
        return len(text)


@contextmanager
def logging_to(stream: Slow) -> Iterator[None]:
    """JSON lines go there, and threads change places as often as they can."""
    log.configure(json_lines=True, level=logging.DEBUG, colour=False)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with redirect_stderr(stream):
            yield
    finally:
        sys.setswitchinterval(before)


def service(number: int) -> ServiceId:
    return ServiceId(f"cluster-{number}", "shop", f"service-{number}")


def at_once(work: Callable[[int], None]) -> None:
    """`work` in four threads that begin together; each step of theirs waits for the others, so that they interleave."""
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        for done in [pool.submit(work, number) for number in range(AT_ONCE)]:
            done.result(timeout=30)


def story(number: int, turn: int) -> Iterator[AnyEvent]:
    own, run = service(number), f"run-{number}-{turn}"
    there = Direction.FORWARD
    yield RunStarted(service=own, direction=there, run=run, resumed=False, steps=STEPS)
    for step in STEPS:
        yield StepMoved(service=own, direction=there, run=run, step=step, status=Status.STARTED)
        yield StepWaits(service=own, direction=there, step=step, reason=f"waits {turn}", waited=1.0, deadline=9.0)
    yield WayBack(service=own, step="restart", reason="crash loop")
    yield RunEnded(service=own, direction=there, run=run, outcome="failed")


def test_every_json_line_is_about_the_service_of_its_thread() -> None:
    stderr = Slow()
    reporter = log.BindingReporter(log.LogReporter())
    step = threading.Barrier(AT_ONCE)

    def work(number: int) -> None:
        for turn in range(3):
            with log.turn(service(number), batch="b1"):
                structlog.get_logger().info("before", thread=number, expected=["", ""])
                for event in story(number, turn):
                    step.wait(timeout=30)
                    reporter.tell(event)
                    now = ["", ""] if isinstance(event, RunEnded) else [f"run-{number}-{turn}", _step(event)]
                    structlog.get_logger().debug("asked", thread=number, expected=now)
                    logging.getLogger("migrator.adapters").warning("%s", json.dumps({"thread": number, "was": now}))

    with logging_to(stderr):
        at_once(work)
    lines = [json.loads(line) for line in stderr.getvalue().splitlines()]

    assert len(lines) == AT_ONCE * 3 * (1 + 9 * 3)
    for line in lines:
        number = _thread(line)
        assert (line["service"], line["cluster"]) == (str(service(number)), f"cluster-{number}"), line
        assert line["batch"] == "b1"
        assert [line.get("run", ""), line.get("step", "")] == _expected(line), line


def _step(event: AnyEvent) -> str:
    return str(getattr(event, "step", ""))


def _thread(line: dict[str, Any]) -> int:
    if "thread" in line:
        return int(line["thread"])
    if line["event"].startswith("{"):
        return int(json.loads(line["event"])["thread"])
    return int(str(line["service"])[-1])


def _expected(line: dict[str, Any]) -> list[str]:
    """What its thread was at when it was written."""
    if "expected" in line:
        return list(line["expected"])
    if line["event"].startswith("{"):
        return list(json.loads(line["event"])["was"])
    assert line["run"].startswith(f"run-{_thread(line)}-")
    assert ("step" in line) == (line["code"] != "RunStarted")  # the end of a run tells at which step it was
    return [line["run"], line.get("step", "")]


def test_plain_lines_are_whole() -> None:
    out = Slow()
    reporter = LineReporter(out)

    def work(number: int) -> None:
        for turn in range(5):
            for event in story(number, turn):
                reporter.tell(event)

    at_once(work)
    lines = out.getvalue().splitlines()

    assert len(lines) == AT_ONCE * 5 * 9
    assert all(line.startswith("cluster-") and line.count("cluster-") == 1 for line in lines)


def test_a_wait_is_news_once_for_each_service() -> None:
    out = StringIO()
    reporter = LineReporter(out)

    def work(number: int) -> None:
        for _ in range(50):
            reporter.tell(
                StepWaits(
                    service=service(number),
                    direction=Direction.FORWARD,
                    step="restart",
                    reason="1 of 2",
                    waited=1.0,
                    deadline=9.0,
                )
            )

    at_once(work)

    assert len(out.getvalue().splitlines()) == AT_ONCE


def test_a_run_that_stopped_without_a_word_leaves_nothing_bound() -> None:
    reporter = log.BindingReporter(Collector())
    first, second = service(1), service(2)
    reporter.tell(StepMoved(service=first, direction=Direction.FORWARD, run="r1", step="verify", status=Status.STARTED))
    reporter.tell(RunStarted(service=first, direction=Direction.BACK, run="r2", resumed=False, steps=("annotation",)))
    assert get_contextvars() == {"service": str(first), "cluster": "cluster-1", "run": "r2"}

    reporter.tell(StepMoved(service=first, direction=Direction.BACK, run="r2", step="trust", status=Status.STARTED))
    reporter.tell(WayBack(service=second, step="trust", reason="x"))
    assert get_contextvars() == {"service": str(second), "cluster": "cluster-2", "step": "trust"}
    reporter.tell(RunEnded(service=second, direction=Direction.BACK, run="r3", outcome="done"))
    assert get_contextvars() == {}


def test_a_turn_ends_clean_whatever_happens_in_it() -> None:
    reporter = log.BindingReporter(Collector())
    own = service(1)
    moved = StepMoved(service=own, direction=Direction.FORWARD, run="r1", step="verify", status=Status.STARTED)

    seen: list[dict[str, Any]] = []

    def cut_off() -> None:
        with log.turn(own, batch="b1"):
            reporter.tell(Noticed(what="something", data={}))
            seen.append(get_contextvars())
            reporter.tell(moved)
            raise ValueError("cut off")

    with pytest.raises(ValueError, match="cut off"):
        cut_off()
    assert seen == [{"service": str(own), "cluster": "cluster-1", "batch": "b1"}]
    assert get_contextvars() == {}


def test_a_thread_that_does_nothing_else_says_so_to_its_end() -> None:
    reporter = log.BindingReporter(Collector())

    def work(number: int) -> None:
        log.begin(service(number), worker="desk:7")
        for event in story(number, 0):
            reporter.tell(event)
        named = {"service": str(service(number)), "cluster": f"cluster-{number}", "worker": "desk:7"}
        assert get_contextvars() == named

    at_once(work)

    assert get_contextvars() == {}


def test_between_two_runs_of_a_turn_the_service_stays_bound() -> None:
    reporter = log.BindingReporter(Collector())
    own = service(1)
    with log.turn(own):
        for event in story(1, 0):
            reporter.tell(event)

        assert get_contextvars() == {"service": str(own), "cluster": "cluster-1"}
