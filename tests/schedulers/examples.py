"""The examples for cron and systemd, and the programs that can tell whether they are right."""

import configparser
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "examples"
CRONTAB = EXAMPLES / "crontab"
SERVICE = EXAMPLES / "migrate-batch.service"
TIMER = EXAMPLES / "migrate-batch.timer"
INSTALLED = "/opt/migrate/bin"
REQUIRED = "REQUIRE_SCHEDULERS"

_SETTING = re.compile(r"(?P<name>\w+)=(?P<value>.*)")
_JOB = re.compile(r"(?P<when>(?:\S+\s+){5})(?P<command>.*)")


@dataclass(frozen=True)
class Table:
    """A crontab: what it sets, and its one job."""

    settings: Mapping[str, str]
    when: str
    command: str


def table() -> Table:
    """The example, as crontab(5) has it."""
    lines = [line for line in CRONTAB.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    settings = {found["name"]: found["value"] for line in lines if (found := _SETTING.fullmatch(line))}
    (job,) = [found for line in lines if not _SETTING.fullmatch(line) and (found := _JOB.fullmatch(line))]
    return Table(settings, job["when"].strip(), job["command"])


def unit(path: Path) -> configparser.ConfigParser:
    """A unit file whose keys are all set once."""
    parsed = configparser.ConfigParser(delimiters="=", comment_prefixes="#", interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment, method-assign] # keys keep their capitals
    parsed.read(path, encoding="utf-8")
    return parsed


def program(name: str, package: str) -> str:
    """Where it is; without it the test is left out, or fails where the gate needs it."""
    found = shutil.which(name)
    if found is not None:
        return found
    said = f'there is no {name} here, so the examples for it were left out; on Debian: apt-get install "{package}"'
    if os.environ.get(REQUIRED):
        pytest.fail(said)
    pytest.skip(said)
