"""What is broken is named; what stands beside it and is sound goes on."""

from pathlib import Path

import pytest

from migrator.model.exits import Exit
from migrator.model.ids import ServiceId
from migrator.store.plan_file import PlanFiles
from tests.bad_input.shop import CART, Shop, migrate, opened, said
from tests.fakes.samples import sample_plan

LONG = ServiceId("prod", "shop", "a" * 253)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    shop, _network = opened(tmp_path, monkeypatch)
    return shop


def test_a_plan_whose_name_tells_no_service_stops_nobody_else(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.plan(LONG).write_bytes(b"format: [")

    assert migrate(monkeypatch, capsys, "show", str(CART)).code == Exit.DONE
    status = migrate(monkeypatch, capsys, "status")
    assert status.code == Exit.USAGE
    assert "unreadable: " in status.out
    assert "3 services" in status.out
    shown = migrate(monkeypatch, capsys, "show", str(LONG))
    assert shown.code == Exit.USAGE
    assert f"{shop.plan(LONG)}:1: not valid YAML" in said(shown.err)


def test_a_plan_whose_name_tells_no_service_is_read_like_any_other(shop: Shop) -> None:
    files = PlanFiles(shop.folder / "plans")
    files.write(sample_plan(LONG))

    assert LONG in files.services()
    assert files.strays() == ()


def test_one_broken_plan_leaves_the_others_to_status(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.plan().write_bytes(b"\xff")

    status = migrate(monkeypatch, capsys, "status")

    assert (status.code, status.err) == (Exit.USAGE, "")
    assert "cart.yaml: not a text file in UTF-8 (byte 0)" in status.out
    assert "prod/shop/orders" in status.out
    assert migrate(monkeypatch, capsys, "show", "prod/shop/orders").code == Exit.DONE


def test_a_rollback_needs_neither_the_broken_plan_file_nor_its_fleet_entry(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.plan().write_bytes(b"\xff")

    ended = migrate(monkeypatch, capsys, "rollback", "--service", str(CART), "--dry-run")

    assert (ended.code, ended.err) == (Exit.DONE, "")


def test_windows_line_ends_and_a_byte_order_mark_change_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = migrate(monkeypatch, capsys, "show", str(CART), "--output", "json").out
    for path in (shop.fleet, shop.plan()):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))

    assert migrate(monkeypatch, capsys, "show", str(CART), "--output", "json").out == before


def test_json_lines_carry_the_same_sentence_as_text(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = migrate(monkeypatch, capsys, "plann").err
    monkeypatch.setenv("MIGRATE_LOG_FORMAT", "json")

    as_json = migrate(monkeypatch, capsys, "plann").err

    assert as_json.startswith("{")
    assert said(as_json) == text.rstrip("\n")
