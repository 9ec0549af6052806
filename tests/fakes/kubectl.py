"""Finds a kubectl that is new enough for the checks with it."""

import functools
import json
import os
import shutil
import subprocess

import pytest

_NEEDED = 30  # since 1.30 it can speak websockets, which is what our servers speak for exec


@functools.cache
def kubectl_program() -> str:
    """Its path; without one the test is skipped, or fails where REQUIRE_KUBECTL is set, as the gate does."""
    program = shutil.which("kubectl")
    problem = "kubectl is not installed" if program is None else _too_old(program)
    if program is not None and not problem:
        return program
    said = f"{problem}; the checks with it were left out (needed: 1.{_NEEDED} or newer, see tests/tools/kubectl)"
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
