"""Errors to lines and exit codes, as a table; the gravest of several codes; quiet ends."""

import json
from datetime import UTC, datetime

import pytest

from migrator.cli.run import CutOff, complaint, guarded, hint
from migrator.documents.errors import DocumentError
from migrator.model import errors
from migrator.model.exits import Exit, worst

ENDINGS: dict[str, tuple[BaseException, Exit, str]] = {
    "[usage]": (errors.UsageError("no such thing"), Exit.USAGE, "migrate: no such thing\n"),
    "[document]": (
        DocumentError("fleet.yaml", "3 is not a string", line=4, field="clusters[0].alias"),
        Exit.USAGE,
        "migrate: fleet.yaml:4: clusters[0].alias: 3 is not a string\n",
    ),
    "[environment]": (
        errors.EnvironmentFault("no route", doing="reading cluster prod", remedy="check the network"),
        Exit.ERROR,
        "migrate: reading cluster prod: no route; check the network\n",
    ),
    "[not permitted]": (errors.NotPermitted("iam:GetRole"), Exit.ERROR, "migrate: iam:GetRole\n"),
    "[rejected]": (errors.Rejected("no", reason="limit"), Exit.ERROR, "migrate: no\n"),
    "[credentials]": (errors.CredentialsExpired("expired"), Exit.UNFINISHED, "migrate: expired\n"),
    "[blocked]": (errors.Blocked("on hold"), Exit.BLOCKED, "migrate: on hold\n"),
    "[locked]": (errors.Locked("held by 7"), Exit.LOCKED, "migrate: held by 7\n"),
    "[drift]": (errors.Drift("changed"), Exit.DRIFT, "migrate: changed\n"),
    "[store]": (errors.StoreFault("disk full"), Exit.ERROR, "migrate: disk full\n"),
    "[SIGINT] at a checkpoint": (
        errors.Interrupted(2),
        Exit.INTERRUPTED,
        "migrate: interrupted at a checkpoint; the same command resumes\n",
    ),
    "[SIGTERM] at a checkpoint": (
        errors.Interrupted(15),
        Exit.TERMINATED,
        "migrate: interrupted at a checkpoint; the same command resumes\n",
    ),
    "[Ctrl-C] anywhere": (KeyboardInterrupt(), Exit.INTERRUPTED, "migrate: interrupted\n"),
    "[Ctrl-C] while services are carried out": (
        CutOff(),
        Exit.INTERRUPTED,
        "migrate: interrupted at once; the same command resumes\n",
    ),
    "[bug]": (
        KeyError("x"),
        Exit.ERROR,
        "migrate: unexpected error: KeyError: 'x'; run again with \"--debug\"\n",
    ),
    "[bug] over several lines, one line all the same": (
        ValueError("a\nb"),
        Exit.ERROR,
        'migrate: unexpected error: ValueError: a b; run again with "--debug"\n',
    ),
    "[secret] hidden": (
        errors.EnvironmentFault("token k8s-aws-v1.aHR0cHM6Ly9zdHM was refused"),
        Exit.ERROR,
        "migrate: token [hidden] was refused\n",
    ),
}


def raising(error: BaseException) -> Exit:
    raise error


@pytest.mark.parametrize(("error", "code", "said"), ENDINGS.values(), ids=ENDINGS.keys())
def test_one_line_and_a_code(error: BaseException, code: Exit, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(lambda: raising(error), debug=False, json_lines=False) is code
    assert capsys.readouterr() == ("", said)


@pytest.mark.parametrize(("error", "code", "said"), ENDINGS.values(), ids=ENDINGS.keys())
def test_the_same_as_a_json_line(
    error: BaseException, code: Exit, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert guarded(lambda: raising(error), debug=False, json_lines=True) is code

    line = json.loads(capsys.readouterr().err)
    assert datetime.fromisoformat(line["timestamp"]).tzinfo is UTC
    assert (line["level"], line["event"]) == ("error", "error")
    assert (line["exit"], line["code"]) == (int(code), complaint(error).code)
    assert line["message"] == said.removeprefix("migrate: ").rstrip("\n")


def test_debug_shows_the_traceback_before_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    guarded(lambda: raising(KeyError("x")), debug=True, json_lines=False)

    err = capsys.readouterr().err
    assert err.startswith("Traceback")
    assert err.splitlines()[-1].startswith("migrate: unexpected error")


def test_in_a_json_log_the_traceback_is_a_field(capsys: pytest.CaptureFixture[str]) -> None:
    guarded(lambda: raising(KeyError("x")), debug=True, json_lines=True)

    line = json.loads(capsys.readouterr().err)
    assert line["exception"].startswith("Traceback")


def test_a_hint_in_a_json_log_is_a_line_of_it() -> None:
    line = json.loads(hint("every window is closed", json_lines=True))

    assert datetime.fromisoformat(line.pop("timestamp")).tzinfo is UTC
    assert line == {"level": "warning", "event": "hint", "message": "every window is closed"}


def test_what_the_work_returns_is_returned() -> None:
    assert guarded(lambda: Exit.UNFINISHED, debug=False, json_lines=False) is Exit.UNFINISHED


WORST = {
    "[nothing]": ((), Exit.DONE),
    "[all well]": ((Exit.DONE, Exit.DONE), Exit.DONE),
    "[one unfinished]": ((Exit.DONE, Exit.UNFINISHED), Exit.UNFINISHED),
    "[blocked over unfinished]": ((Exit.UNFINISHED, Exit.BLOCKED), Exit.BLOCKED),
    "[rolled back over blocked]": ((Exit.BLOCKED, Exit.ROLLED_BACK, Exit.DONE), Exit.ROLLED_BACK),
    "[stranded over all]": (tuple(Exit), Exit.STRANDED),
    "[interrupted] ends the command": ((Exit.ROLLED_BACK, Exit.TERMINATED), Exit.TERMINATED),
}


@pytest.mark.parametrize(("codes", "expected"), WORST.values(), ids=WORST.keys())
def test_worst(codes: tuple[Exit, ...], expected: Exit) -> None:
    assert worst(codes) is expected


def test_every_code_but_done_has_its_gravity() -> None:
    assert [worst([code, Exit.DONE]) for code in Exit] == list(Exit)
