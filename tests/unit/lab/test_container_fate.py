"""What becomes of a container, judged by its command."""

from typing import Any

import pytest

from migrator.lab.nodes.fate import FOREVER, Fate, fate_of
from migrator.lab.nodes.lifecycle import restarts


@pytest.mark.parametrize(
    ("command", "policy", "fate"),
    [
        (None, "Always", FOREVER),
        (None, "Never", Fate(0.0, 0)),
        (["false"], "Always", Fate(0.0, 1)),
        (["/bin/true"], "Always", Fate(0.0, 0)),
        (["sleep", "3600"], "Always", FOREVER),
        (["sleep", "2"], "Never", Fate(2.0, 0)),
        (["sleep", "infinity"], "Never", FOREVER),
        (["sh", "-c", "exit 3"], "Always", Fate(0.0, 3)),
        (["sh", "-c", "sleep 2; exit 1"], "Always", Fate(2.0, 1)),
        (["/bin/sh", "-ec", "sleep 1 && exit 0"], "Never", Fate(1.0, 0)),
        (["sh", "-c", "while true; do sleep 5; done"], "Never", FOREVER),
        (["python", "app.py"], "Always", FOREVER),
        (["python", "app.py"], "OnFailure", Fate(0.0, 0)),
    ],
)
def test_fate(command: list[str] | None, policy: str, fate: Fate) -> None:
    container: dict[str, Any] = {"name": "main"}
    if command:
        container["command"] = command
    assert fate_of(container, policy) == fate


def test_command_and_arguments_belong_together() -> None:
    assert fate_of({"name": "main", "command": ["sh"], "args": ["-c", "exit 4"]}, "Always") == Fate(0.0, 4)


def test_restarts_come_ever_later() -> None:
    crash = Fate(0.0, 1)
    assert restarts(crash, 0.0, 1.0) == (1, 1.0)
    assert restarts(crash, 1.0, 1.0) == (2, 2.0)
    assert restarts(crash, 3.5, 1.0) == (3, 3.5)
