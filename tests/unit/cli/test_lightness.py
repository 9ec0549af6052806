"""Starting is light: what `--help` and `--version` must not import."""

import subprocess
import sys

import pytest

HEAVY = (
    *("boto3", "botocore", "kubernetes", "structlog", "yaml", "rich", "jsonschema", "msgspec", "asyncio", "pydantic"),
    *("prometheus_client", "urllib3", "tenacity"),
)
PROGRAM = """
import sys
sys.argv = ["migrate", *{arguments!r}]
from migrator.entry import main
try:
    main()
finally:
    print("\\nLOADED " + ",".join(sorted(name for name in {heavy!r} if name in sys.modules)))
"""


def loaded(arguments: list[str], heavy: tuple[str, ...]) -> tuple[str, list[str]]:
    """What a fresh interpreter printed, and which of `heavy` it had imported at the end."""
    program = PROGRAM.format(arguments=arguments, heavy=heavy)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    printed, _, names = done.stdout.removesuffix("\n").rpartition("\nLOADED ")
    return printed, [name for name in names.split(",") if name]


@pytest.mark.parametrize("arguments", [["--help"], ["plan", "--help"], ["apply", "--help"], ["lab", "up", "--help"]])
def test_help_is_light(arguments: list[str]) -> None:
    printed, names = loaded(arguments, HEAVY)

    assert "Usage: migrate" in printed
    assert names == []


def test_version_does_not_even_import_typer() -> None:
    printed, names = loaded(["--version"], (*HEAVY, "typer", "pathlib", "dataclasses"))

    assert printed.startswith("migrate ")
    assert names == []


def test_explain_needs_no_cloud_library() -> None:
    printed, names = loaded(["explain", "drift"], ("boto3", "botocore", "kubernetes", "structlog", "rich", "asyncio"))

    assert printed.startswith("drift")
    assert names == []


def test_a_locale_without_arrows_stops_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "migrator", "explain", "drift"],
        capture_output=True,
        check=False,
        env={"PYTHONIOENCODING": "ascii", "PATH": ""},
    )

    assert (done.returncode, done.stderr) == (0, b"")


def test_python_m_migrator_is_migrate() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "migrator", "explain", "nothing-like-it"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert done.stderr.startswith('migrate: code "nothing-like-it" is not known')
