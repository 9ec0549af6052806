"""The examples under docs/examples, judged by cron's and systemd's own programs."""

import re
import subprocess
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from migrator.model.exits import Exit
from tests.schedulers.examples import CRONTAB, EXAMPLES, INSTALLED, ROOT, SERVICE, TIMER, program, table, unit

PAGE = ROOT / "docs" / "operations.md"


def ran(*command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


def checked(path: Path) -> subprocess.CompletedProcess[str]:
    """What Debian's crontab says of it; nothing is installed."""
    return ran(program("crontab", "cron"), "-n", str(path), folder=path.parent)


def test_cron_takes_the_table() -> None:
    found = checked(CRONTAB)

    assert (found.returncode, found.stderr) == (0, "The syntax of the crontab file was successfully checked.\n")


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("*/10 * * * * ", "*/99 * * * 8 "), ("*/10 * * * * ", "*/10 * * * "), ("; }\n", "; }")],
    ids=["[fields]", "[too few]", "[no newline at its end]"],
)
def test_cron_would_have_said_what_is_wrong(tmp_path: Path, right: str, wrong: str) -> None:
    text = CRONTAB.read_text(encoding="utf-8")
    assert right in text
    broken = tmp_path / "crontab"
    broken.write_text(text.replace(right, wrong), encoding="utf-8")

    assert checked(broken).returncode == 1


def test_the_command_means_to_cron_what_it_means_to_a_shell() -> None:
    command = table().command

    assert not re.search(r"(?<!\\)%", command)  # to cron, the end of the command
    assert ran("/bin/sh", "-n", "-c", command, folder=EXAMPLES).stderr == ""
    assert table().settings["SHELL"] == "/bin/sh"
    assert table().settings["PATH"].split(":")[0] == INSTALLED
    assert "$" not in "".join(table().settings.values())  # cron expands nothing


def units(folder: Path, service: str, timer: str) -> subprocess.CompletedProcess[str]:
    """What systemd says of the two, where there is a program of that name."""
    fake = folder / "migrate"
    fake.write_text("#!/bin/sh\n", encoding="utf-8")
    fake.chmod(0o755)
    for path, text in ((SERVICE, service.replace(f"{INSTALLED}/migrate", str(fake))), (TIMER, timer)):
        (folder / path.name).write_text(text, encoding="utf-8")
    names = [f"./{path.name}" for path in (SERVICE, TIMER)]
    return ran(program("systemd-analyze", "systemd"), "verify", "--man=no", *names, folder=folder)


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    found = units(tmp_path, SERVICE.read_text(encoding="utf-8"), TIMER.read_text(encoding="utf-8"))

    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


MISTAKES = {
    "[unknown key]": ("NoNewPrivileges=yes", "NoNewPriviliges=yes", "Unknown key"),
    "[no such code]": ("SuccessExitStatus=3", "SuccessExitStatus=three", "Failed to parse"),
    "[a time that is none]": ("*:0/10", "*:0/99", "Failed to parse calendar"),
    "[no such program]": ("/opt/migrate/bin/migrate", "/opt/none", "is not executable"),
}


@pytest.mark.parametrize(("right", "wrong", "says"), MISTAKES.values(), ids=MISTAKES.keys())
def test_systemd_would_have_said_what_is_wrong(tmp_path: Path, right: str, wrong: str, says: str) -> None:
    service, timer = (path.read_text(encoding="utf-8") for path in (SERVICE, TIMER))
    assert right in service + timer

    assert says in units(tmp_path, service.replace(right, wrong), timer.replace(right, wrong)).stderr


def test_the_timer_comes_every_ten_minutes() -> None:
    when = unit(TIMER)["Timer"]["OnCalendar"]
    found = ran(program("systemd-analyze", "systemd"), "calendar", "--iterations=4", when, folder=EXAMPLES)
    times = [
        datetime.strptime(told, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - only their distance counts
        for told in re.findall(r"(?:elapse|#\d): \w+ (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)", found.stdout)
    ]

    assert len(times) == 4, found.stdout + found.stderr
    assert {later - earlier for earlier, later in pairwise(times)} == {timedelta(minutes=10)}


def test_exit_codes_that_are_no_failure_are_none_to_either() -> None:
    service = unit(SERVICE)["Service"]
    fine = {int(code) for code in service["SuccessExitStatus"].split()}

    assert fine == {Exit.UNFINISHED, Exit.LOCKED, Exit.TERMINATED}
    assert re.findall(r"--exit-zero-for (\d+)", table().command) == [str(Exit.UNFINISHED), str(Exit.LOCKED)]


def test_nobody_runs_it_as_root() -> None:
    assert unit(SERVICE)["Service"]["User"] == "migrate"
    assert "crontab -u migrate" in CRONTAB.read_text(encoding="utf-8")


def test_the_page_shows_the_line_as_it_is() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert f"{table().when} {table().command}\n" in page
    assert f"`SuccessExitStatus={unit(SERVICE)['Service']['SuccessExitStatus']}`" in page
    assert all(f"(examples/{path.name})" in page for path in EXAMPLES.iterdir())
