"""What an unattended run tells: the document fits its schema, and the table says first what counts."""

import sys
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from migrator.model.exits import Exit
from migrator.model.journal import Standing
from migrator.render.contract import schema
from migrator.render.screen import draw, plain
from migrator.render.views import batch
from migrator.render.words import LEFT, REASONS
from tests.fakes.batches import ended, left, summary


def document(**differs: Any) -> dict[str, Any]:
    made = batch.document(summary(**differs))
    Draft202012Validator(schema("batch")).validate(made)
    return made


def text(**differs: Any) -> list[str]:
    return list(plain(batch.blocks(document(**differs))))


def test_a_night_in_which_most_went_well() -> None:
    assert text() == [
        "batch run b1: exit 3: not finished: more to do in a later run (window or budget ended, verification pending)",
        "  2026-01-01 22:00:00 to 2026-01-02 04:00:30 UTC, 6 h 0 min, by ops@desk:7",
        "  it ended because the window closed",
        "",
        "  this run   1 failed and rolled back, 1 done",
        "  left       12 in a cluster whose breaker is open, 40 for a later run",
        "  the fleet  52 planned, 2100 migrated, 1 rolled-back",
        "",
        "cluster stage: its breaker is open, nothing is started there",
        "  3 failures in a row, the last: gate: gave up",
        "  next  mend the cause, then: migrate batch --close-breaker stage",
        "",
        "prod/shop/orders  exit 7: failed, and rolled back",
        "  failed (gate) and rolled back: 2 pods on irsa",
        "  next  migrate history prod/shop/orders",
        "        migrate apply --service prod/shop/orders",
    ]


def test_who_waits_for_a_person_is_named_with_what_to_do() -> None:
    waiting = [left(f"s{number:02}", "blocked") for number in range(10)]
    stopped = left("mail", "stopped", cluster_waits=True)
    said = text(for_a_person=(*waiting, stopped, left("web", "hold", cluster_waits=True)))
    begin = said.index("left for a person")

    assert said[begin : begin + 6] == [
        "left for a person",
        "  prod/shop/mail: stopped where a person said; the rest of its cluster waits for it",
        "    migrate apply --service prod/shop/mail",
        "  prod/shop/web: on hold; the rest of its cluster waits for it",
        "  prod/shop/s00: blocked by a finding",
        "    migrate show prod/shop/s00",
    ]
    assert "  and 2 more: migrate batch --plan-only" in said


def test_a_night_without_work() -> None:
    said = text(services=(), left={}, breakers={}, standings={}, reason="done", exit=Exit.DONE)

    assert said[2:] == [
        "  it ended because everything was looked at, and nothing more can be done now",
        "",
        "  this run   no service was begun",
        "  left       nothing",
        "  the fleet  no service",
    ]


def test_the_gravest_comes_first_and_what_is_done_is_only_counted() -> None:
    services = tuple(ended(code.label, code, f"it is {code.label}") for code in Exit)
    said = text(services=services, breakers={})
    told = [line for line in said if line.startswith("prod/shop/")]

    assert [line.split("  ")[0].removeprefix("prod/shop/") for line in told] == [
        *("stranded", "rolled-back", "drift", "blocked", "error"),
        *("usage", "unfinished", "locked", "interrupted", "terminated"),
    ]
    assert document(services=services)["summary"] == {"services": 11, **{code.label: 1 for code in Exit}}


@pytest.mark.parametrize("code", [code for code in Exit if code is not Exit.DONE])
def test_everything_that_is_told_says_what_to_do(code: Exit) -> None:
    said = text(services=(ended("orders", code, "something happened"),), breakers={})

    assert [line for line in said if line.startswith("  next  ")]


@pytest.mark.parametrize("code", [Exit.INTERRUPTED, Exit.TERMINATED])
def test_whatever_the_signal_was_what_it_interrupted_is_counted(code: Exit) -> None:
    assert "  this run   2 interrupted" in text(services=(ended("a", code), ended("b", code)))


def test_what_a_message_itself_proposes_is_what_to_do() -> None:
    stopped = ended(
        "orders", Exit.BLOCKED, "a way back was cut off; finish it: migrate rollback --service prod/shop/orders"
    )

    assert document(services=(stopped,))["services"][0]["next"] == ["migrate rollback --service prod/shop/orders"]


def test_nothing_is_to_be_typed_for_what_is_done() -> None:
    done = ended("orders", message="migrated; look with migrate verify")

    assert document(services=(done,))["services"][0]["next"] == []


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_is_in_the_schema_and_in_words(reason: str) -> None:
    assert f"  it ended because {REASONS[reason]}" in text(reason=reason)


@pytest.mark.parametrize("reason", LEFT)
def test_what_is_left_is_in_words(reason: str) -> None:
    assert f"  left       3 {LEFT[reason]}" in text(left={reason: 3})
    assert reason in schema("batch")["properties"]["left"]["description"].replace(",", "").split()


def test_a_reason_nobody_has_words_for_is_told_as_it_is() -> None:
    assert "  left       3 soaking" in text(left={"soaking": 3})


def test_every_standing_is_there() -> None:
    assert list(document()["standings"]) == [str(one) for one in Standing]


def test_a_thousand_services_are_drawn_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    services = tuple(ended(f"s{number:04}", Exit.ROLLED_BACK, "failed " * 30) for number in range(1000))
    draw(batch.blocks(document(services=services)), sys.stdout, colour=True, width=80)

    assert capsys.readouterr().out.count("exit 7") == 1000
