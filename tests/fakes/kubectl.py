"""Finds a kubectl that is new enough for the checks with it."""

import functools
import json
import os
import shutil
import subprocess

import pytest

from migrator.lab.controlplane import programs

_NEEDED = 30  # since 1.30 it can speak websockets, which is what our servers speak for exec


@functools.cache
def kubectl_program() -> str:
    """Ours, if it has been built, or the user's; without one the test is skipped, or fails where the gate needs it."""
    program = str(programs.find(programs.KUBECTL) or shutil.which("kubectl") or "") or None
    problem = "kubectl is not installed" if program is None else _too_old(program)
    if program is not None and not problem:
        return program
    said = f"{problem}; its checks were left out: get it by .venv/bin/python -m migrator.lab.controlplane kubectl"
    if os.environ.get("REQUIRE_KUBECTL"):
        pytest.fail(said)
    pytest.skip(said)


def _too_old(program: str) -> str:
    said = subprocess.run(
        [program, "version", "--client", "-o", "json"], capture_output=True, text=True, timeout=60, check=True
    )
    version = json.loads(said.stdout)["clientVersion"]
    minor = int("".join(c for c in version["minor"] if c.isdigit()))
    return "" if minor >= _NEEDED else f"kubectl {version['gitVersion']} is too old"
