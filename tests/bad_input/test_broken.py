"""Everything a user can get wrong ends in one sentence and the right code, and changes nothing."""

from pathlib import Path

import pytest

from migrator.model.exits import Exit
from tests.bad_input import arguments, fleets, plans, states, worlds
from tests.bad_input.shop import Case, migrate, opened, said

CASES: dict[str, Case] = {
    f"{kind} {tag}": case
    for kind, table in {
        "fleet": fleets.CASES,
        "plan": plans.CASES,
        "state": states.CASES,
        "world": worlds.CASES,
        "arguments": arguments.CASES,
    }.items()
    for tag, case in table.items()
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_one_sentence_and_nothing_changed(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shop, network = opened(tmp_path, monkeypatch)
    for name, value in case.variables.items():
        monkeypatch.setenv(name, value)
    case.breaking(shop)
    before = shop.snapshot()

    ended = migrate(monkeypatch, capsys, *case.command)

    assert ended.code == case.code, ended
    sentence = said(ended.err)
    assert sentence.startswith("migrate: ")
    assert [part for part in case.says if part not in sentence] == [], sentence
    assert "unexpected error" not in sentence
    assert "Traceback" not in ended.out + ended.err
    assert shop.snapshot() == before
    assert network.tried == []


VALID = ("status", "show cart", "history orders", "apply -s cart --dry-run", "rollback -s orders --dry-run")


@pytest.mark.parametrize("command", VALID)
def test_the_same_shop_unbroken_is_fine(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened(tmp_path, monkeypatch)

    ended = migrate(monkeypatch, capsys, *command.split())

    assert (ended.code, ended.err) == (Exit.DONE, "")


def test_the_table_is_long() -> None:
    assert len(CASES) >= 60
