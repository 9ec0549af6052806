"""What only a process of its own shows: raw bytes as arguments, pipes and devices, a journal in another's hands."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from migrator.model.exits import Exit
from tests.bad_input.shop import Shop, furnished, said

LIMIT = 60


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return furnished(tmp_path)


def migrate(shop: Shop, *arguments: str | bytes, stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    """Runs `migrate` in the shop's folder, where no cloud can be reached."""
    environment = {"PATH": os.environ["PATH"], "AWS_EC2_METADATA_DISABLED": "true", "HOME": str(shop.folder)}
    return subprocess.run(
        [sys.executable, "-m", "migrator", *arguments],
        cwd=shop.folder,
        env={**environment, "PYTHONPATH": str(Path(__file__).parents[2])},
        input=stdin,
        capture_output=True,
        timeout=LIMIT,
        check=False,
    )


ARGUMENTS: dict[str, tuple[tuple[str | bytes, ...], str]] = {
    "[bytes] that are no UTF-8": (("show", b"ca\xff\xfert"), "is not known"),
    "[bytes] in a file's name": (("status", "--fleet", b"\xff.yaml"), "no such file"),
    "[command] unknown": (("aply",), 'no such command "aply"'),
    "[deep] enough to use up the C stack": (("status", "--fleet", "deep.yaml"), "nested more than 100 levels deep"),
    "[deep] with dashes alone": (("status", "--fleet", "dashes.yaml"), "nested more than 100 levels deep"),
}


@pytest.mark.parametrize(("arguments", "says"), ARGUMENTS.values(), ids=ARGUMENTS.keys())
def test_wrong_usage(shop: Shop, arguments: tuple[str | bytes, ...], says: str) -> None:
    (shop.folder / "deep.yaml").write_text("x: " + "[" * 500_000, encoding="utf-8")
    (shop.folder / "dashes.yaml").write_text("- " * 500_000, encoding="utf-8")
    before = shop.snapshot()

    ended = migrate(shop, *arguments, stdin=b"y\n")

    assert (ended.returncode, ended.stdout) == (Exit.USAGE, b"")
    assert says in said(ended.stderr.decode())
    assert shop.snapshot() == before


def test_a_yes_that_comes_from_no_terminal_is_not_taken(shop: Shop) -> None:
    before = shop.snapshot()

    ended = migrate(shop, "apply", "--service", "cart", stdin=b"y\n")

    assert ended.returncode == Exit.USAGE
    assert "stdin is no terminal" in said(ended.stderr.decode())
    assert shop.snapshot() == before


def test_a_fleet_file_through_a_pipe_is_read(shop: Shop) -> None:
    text = shop.fleet.read_bytes().replace(b"state.db", f"{shop.state}".encode())
    text = text.replace(b"plans: plans", f"plans: {shop.folder / 'plans'}".encode())

    ended = migrate(shop, "show", "cart", "--fleet", "/dev/stdin", stdin=text)

    assert (ended.returncode, ended.stderr) == (Exit.DONE, b"")


def test_a_pipe_to_which_nobody_writes_is_not_waited_for(shop: Shop) -> None:
    pipe = shop.folder / "pipe.yaml"
    os.mkfifo(pipe)

    ended = migrate(shop, "status", "--fleet", str(pipe))

    assert ended.returncode == Exit.USAGE
    assert "the file is empty" in said(ended.stderr.decode())


def test_a_full_disk_is_one_sentence(shop: Shop) -> None:
    """The journal's folder takes no more: every write fails as on a full disk."""
    shop.fleet.write_text(shop.fleet.read_text(encoding="utf-8").replace("state.db", "/dev/full"), encoding="utf-8")

    ended = migrate(shop, "apply", "--service", "prod/shop/cart", "--yes")

    assert ended.returncode == Exit.ERROR
    assert 'the state file "/dev/full"' in said(ended.stderr.decode())


def test_a_journal_locked_by_another_program_can_still_be_read(shop: Shop) -> None:
    other = sqlite3.connect(shop.state, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    ended = migrate(shop, "status")
    other.close()

    assert (ended.returncode, ended.stderr) == (Exit.DONE, b"")


def test_a_write_ahead_log_of_rubbish_is_passed_over(shop: Shop) -> None:
    """SQLite trusts only what its checksums cover, so that nothing of it is taken for a record."""
    Path(f"{shop.state}-wal").write_bytes(b"\xa5" * 8192)

    ended = migrate(shop, "history", "prod/shop/orders", "--output", "json")

    assert (ended.returncode, ended.stderr) == (Exit.DONE, b"")
    assert ended.stdout.count(b'"step"') == 8


def test_no_credentials_is_one_sentence_per_cluster(shop: Shop) -> None:
    before = shop.snapshot()

    ended = migrate(shop, "plan")

    assert ended.returncode == Exit.ERROR
    assert [line for line in ended.stderr.decode().splitlines() if not line.startswith("migrate: cluster")] == []
    assert shop.snapshot() == before
