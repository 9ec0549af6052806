"""Events as lines, as a live picture and as JSON log lines."""

import io
import json
import logging
import re
from dataclasses import replace

import pytest
import structlog
from rich.console import Console

from migrator.model.events import AnyEvent, Noticed, RunEnded, RunStarted, StepMoved, StepWaits, WayBack
from migrator.model.journal import Direction, Status
from migrator.render import log
from migrator.render.lines import LineReporter, SilentReporter
from migrator.render.progress import LiveProgress
from tests.fakes.running import Collector
from tests.fakes.samples import ORDERS

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")

THERE = Direction.FORWARD


def moved(step: str, status: Status, note: str = "") -> StepMoved:
    return StepMoved(service=ORDERS, direction=THERE, run="r1", step=step, status=status, note=note)


def waits(reason: str, waited: float) -> StepWaits:
    return StepWaits(service=ORDERS, direction=THERE, step="restart", reason=reason, waited=waited, deadline=900.0)


STARTED = RunStarted(service=ORDERS, direction=THERE, run="r1", resumed=False, steps=("trust", "restart", "verify"))
STORY: tuple[AnyEvent, ...] = (
    STARTED,
    moved("trust", Status.STARTED),
    moved("trust", Status.DONE),
    moved("restart", Status.STARTED),
    waits("1 of 2 pods ready", 4.0),
    waits("1 of 2 pods ready", 6.0),
    waits("2 of 2 pods ready", 65.0),
    moved("restart", Status.FAILED, "crash loop"),
    WayBack(service=ORDERS, step="restart", reason="crash loop"),
    RunEnded(service=ORDERS, direction=THERE, run="r1", outcome="failed", note="restart: crash loop"),
    Noticed(what="a lock was taken over", data={"key": "role:x"}),
)


def test_lines() -> None:
    out = io.StringIO()
    reporter = LineReporter(out)
    for event in STORY:
        reporter.tell(event)

    assert out.getvalue().splitlines() == [
        "prod/shop/orders: beginning the way there, run r1: trust, restart, verify",
        "prod/shop/orders: trust: started",
        "prod/shop/orders: trust: done",
        "prod/shop/orders: restart: started",
        "prod/shop/orders: restart: 1 of 2 pods ready (4 s of at most 15 min 0 s)",
        "prod/shop/orders: restart: 2 of 2 pods ready (1 min 5 s of at most 15 min 0 s)",
        "prod/shop/orders: restart: failed (crash loop)",
        "prod/shop/orders: restart: crash loop; going the way back",
        "prod/shop/orders: way there ended: failed (restart: crash loop)",
        "a lock was taken over (key role:x)",
    ]


def test_a_line_is_one_line_without_secrets() -> None:
    out = io.StringIO()
    LineReporter(out).tell(moved("trust", Status.FAILED, "said:\nk8s-aws-v1.abcdef"))

    assert out.getvalue() == "prod/shop/orders: trust: failed (said: [hidden])\n"


def test_silence() -> None:
    for event in STORY:
        SilentReporter().tell(event)


class Picture:
    """A live display over a stream of its own, and a clock that the test moves."""

    def __init__(self, width: int = 80) -> None:
        self.now = 100.0
        self.out = io.StringIO()
        self.live = LiveProgress(self.out, clock=lambda: self.now, width=width)
        self._width = width

    def text(self) -> list[str]:
        console = Console(file=io.StringIO(), width=self._width, highlight=False, emoji=False)
        with console.capture() as capture:
            console.print(self.live.picture())
        return [line.rstrip() for line in capture.get().splitlines()]


def test_the_picture_shows_every_step_and_what_it_waits_for() -> None:
    picture = Picture()
    for event in STORY[:5]:
        picture.live.tell(event)
    picture.now += 7.5

    assert picture.text() == [
        "prod/shop/orders  way there",
        "  ✓ trust    done",
        "  ▸ restart  7 s  1 of 2 pods ready",
        "  · verify",
    ]


def test_the_picture_of_a_run_that_failed() -> None:
    picture = Picture()
    for event in STORY:
        picture.live.tell(event)

    assert picture.text() == [
        "prod/shop/orders  way there  failed: restart: crash loop",
        "  ✓ trust    done",
        "  ✗ restart  failed  crash loop",
        "  · verify",
    ]
    assert "restart: crash loop; going the way back" in picture.out.getvalue()
    assert "a lock was taken over" in picture.out.getvalue()


def test_the_way_back_is_a_list_of_its_own() -> None:
    picture = Picture()
    back = RunStarted(service=ORDERS, direction=Direction.BACK, run="r2", resumed=False, steps=("trust",))
    for event in (STARTED, back, moved("trust", Status.FOUND, "there before us")):
        picture.live.tell(event)

    assert picture.text()[-2:] == ["prod/shop/orders  way back", "  = trust  found so already  there before us"]


@pytest.mark.parametrize("width", [80, 160])
def test_the_display_ends_with_the_picture(width: int) -> None:
    picture = Picture(width)
    with picture.live:
        for event in STORY[:3]:
            picture.live.tell(event)

    assert "✓ trust    done" in _ESCAPES.sub("", picture.out.getvalue())


def test_events_for_a_service_nobody_announced_are_lines() -> None:
    picture = Picture()
    picture.live.tell(moved("trust", Status.DONE))

    assert picture.out.getvalue().strip().endswith("prod/shop/orders: trust: done\x1b[0m")


def json_lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(json_lines=True, level=logging.INFO, colour=False)
    reporter = log.LogReporter()
    for event in STORY:
        reporter.tell(event)

    lines = json_lines(capsys)
    assert [line["code"] for line in lines] == [type(event).__name__ for event in STORY]
    assert lines[3] | {"timestamp": ""} == {
        "event": "restart: started",
        "code": "StepMoved",
        "service": "prod/shop/orders",
        "run": "r1",
        "step": "restart",
        "direction": "forward",
        "status": "started",
        "note": "",
        "level": "info",
        "timestamp": "",
    }
    assert [line["level"] for line in lines if line["level"] == "error"] == ["error", "error"]


def test_every_log_line_names_what_is_worked_on(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(json_lines=True, level=logging.DEBUG, colour=False)
    reporter = log.BindingReporter(Collector())
    reporter.tell(STORY[0])
    reporter.tell(STORY[1])
    structlog.get_logger().info("asked", url="https://x/?X-Amz-Signature=abc")
    logging.getLogger("migrator.adapters").warning("slow: %s", 3)
    logging.getLogger("botocore").warning("not ours")
    reporter.tell(STORY[9])
    structlog.get_logger().info("after")

    asked, slow, after = json_lines(capsys)
    bound = {"service": "prod/shop/orders", "cluster": "prod", "run": "r1", "step": "trust"}
    assert bound.items() <= asked.items()
    assert bound.items() <= slow.items()
    assert asked["url"] == "https://x/?X-Amz-Signature=[hidden]"
    assert slow["event"] == "slow: 3"
    assert not bound.keys() & after.keys()


def test_console_lines_and_levels(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(json_lines=False, level=log.level_of(verbose=False, quiet=False, debug=False), colour=False)
    structlog.get_logger().info("unheard")
    structlog.get_logger().warning("heard", cluster="prod")

    text = capsys.readouterr().err
    assert "unheard" not in text
    assert "heard" in text
    assert "cluster=prod" in text
    assert "\x1b" not in text


LEVELS = {
    "[default]": ({}, logging.WARNING),
    "[verbose]": ({"verbose": True}, logging.INFO),
    "[quiet]": ({"quiet": True}, logging.ERROR),
    "[debug]": ({"debug": True, "quiet": True}, logging.DEBUG),
}


@pytest.mark.parametrize(("given", "level"), LEVELS.values(), ids=LEVELS.keys())
def test_levels(given: dict[str, bool], level: int) -> None:
    assert log.level_of(**{"verbose": False, "quiet": False, "debug": False, **given}) == level


def test_a_run_taken_up_again_shows_what_was_done_before() -> None:
    picture = Picture()
    statuses = {"trust": Status.FOUND, "restart": Status.STARTED}
    picture.live.tell(replace(STARTED, resumed=True, statuses=statuses))

    assert picture.text()[1:] == ["  = trust    found so already", "  ▸ restart", "  · verify"]
