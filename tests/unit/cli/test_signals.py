"""First signal: stop at the next checkpoint. Ctrl-C after that: at once."""

import json
import os
import signal
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from migrator.cli.options import LogFormat
from migrator.cli.signals import Signals, saying
from migrator.render import writing
from tests.fakes.carrying import COMMON


def test_nothing_is_asked_for_at_first() -> None:
    assert Signals(threading.Event(), lambda _text: None)() is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_is_kept_told_and_wakes(number: signal.Signals) -> None:
    wake = threading.Event()
    said: list[str] = []
    with Signals(wake, said.append) as signals:
        os.kill(os.getpid(), number)
        wake.wait(5)

        assert signals() == number
    assert said == [
        f"{number.name}: stopping at the next checkpoint; Ctrl-C stops at once, and the same command resumes"
    ]


def test_in_a_json_log_it_is_a_line_of_its_own_that_comes_into_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    signals = Signals(threading.Event(), saying(replace(COMMON, log_format=LogFormat.JSON)))
    with writing._WRITING:  # somebody is in the middle of a line, as this very thread may be
        sys.stderr.write('{"event": ')
        signals.handle(signal.SIGTERM, None)
        time.sleep(0.05)
        sys.stderr.write('"a long one"}\n')
    err = ""
    while "SIGTERM" not in err:
        time.sleep(0.01)
        err += capsys.readouterr().err

    first, second = map(json.loads, err.splitlines())
    assert first == {"event": "a long one"}
    assert (second["event"], second["level"]) == ("signal", "warning")
    assert datetime.fromisoformat(second["timestamp"]).tzinfo is UTC
    assert second["message"].startswith("SIGTERM: stopping at the next checkpoint")


def test_ctrl_c_after_that_stops_at_once() -> None:
    signals = Signals(threading.Event(), lambda _text: None)
    signals.handle(signal.SIGTERM, None)

    with pytest.raises(KeyboardInterrupt):
        signals.handle(signal.SIGINT, None)


def test_a_second_sigterm_changes_nothing() -> None:
    signals = Signals(threading.Event(), lambda _text: None)
    signals.handle(signal.SIGINT, None)
    signals.handle(signal.SIGTERM, None)

    assert signals() == signal.SIGINT


def test_former_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with Signals(threading.Event(), lambda _text: None):
        assert signal.getsignal(signal.SIGTERM) != before[1]

    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
