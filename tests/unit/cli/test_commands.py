"""Every command has help with an example and takes the common options."""

from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from migrator import __version__
from migrator.cli import lab
from migrator.cli.app import app

COMMON = ("--fleet", "--plans", "--output", "--log-format", "--verbose", "--quiet", "--debug")
EXPECTED = {
    *("plan", "show", "explain", "apply", "rollback", "verify", "batch", "status", "history"),
    *("fleet discover", "store init", "store describe", "store export", "store import"),
    *("lab up", "lab status", "lab down"),
}


def commands(group: Any, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*prefix, name))
        else:
            yield " ".join((*prefix, name)), command


ALL = dict(commands(typer.main.get_command(app)))


def test_the_commands_there_are() -> None:
    assert set(ALL) == EXPECTED


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_help_has_an_example_and_the_common_options(name: str) -> None:
    result = CliRunner().invoke(app, [*name.split(), "--help"])

    assert result.exit_code == 0
    assert f"Example:\n    migrate {name}" in result.output
    assert all(option in result.output for option in COMMON)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_every_parameter_is_explained(name: str) -> None:
    silent = [parameter.name for parameter in ALL[name].params if not getattr(parameter, "help", None)]

    assert silent == []


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_common_options_are_environment_variables_too(name: str) -> None:
    shared = {option: parameter for parameter in ALL[name].params for option in parameter.opts if option in COMMON}

    assert {option: parameter.envvar for option, parameter in shared.items()} == {
        option: f"MIGRATE_{option.removeprefix('--').replace('-', '_').upper()}" for option in COMMON
    }


def test_version() -> None:
    result = CliRunner().invoke(app, ["--version"])

    assert (result.exit_code, result.output) == (0, f"migrate {__version__}\n")


WRONG = {
    "[unknown command]": ["plann"],
    "[unknown option]": ["plan", "--nope"],
    "[wrong form]": ["plan", "--output", "xml"],
    "[missing service]": ["apply"],
    "[missing argument]": ["show"],
    "[no fleet file]": ["status", "--fleet", "/nonexistent/fleet.yaml"],
    "[unknown code]": ["explain", "no-such-code"],
}


@pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG.keys())
def test_wrong_usage_is_2_without_a_traceback(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, arguments)

    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_lab_without_its_extra_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "NEEDS", ("moto", "nothing_of_that_name"))
    result = CliRunner().invoke(app, ["lab", "status"])

    assert result.exit_code == 1
    assert result.stderr == (
        'migrate: the practice fleet needs nothing_of_that_name, not installed here; pip install "irsa-migrator[lab]"\n'
    )
