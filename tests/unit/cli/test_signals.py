"""First signal: stop at the next checkpoint. Ctrl-C after that: at once."""

import os
import signal
import threading

import pytest

from migrator.cli.signals import Signals


def test_nothing_is_asked_for_at_first() -> None:
    assert Signals(threading.Event())() is None


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
