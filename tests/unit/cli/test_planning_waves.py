"""`migrate plan --wave`: what a plan file says of its wave decides what is planned again."""

from pathlib import Path

import pytest

from migrator.cli.plan import ended, require_a_match
from migrator.cli.select import Selectors
from migrator.model.errors import UsageError
from migrator.model.exits import Exit
from migrator.model.ids import ServiceId
from tests.fakes.desks import Office
from tests.fakes.planning import SERVICE, World, account
from tests.unit.cli.test_planning import changes

WORKER = ServiceId("prod", "orders", "worker")
SECOND = Selectors(clusters=("prod",), waves=(2,))


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Two services with plan files, one of them in wave 2."""
    made = Office(tmp_path / "plans", {"prod": World(accounts=(account(), account(name="worker")))})
    made.plan()
    path = made.plans.path(WORKER)
    path.write_text(path.read_text(encoding="utf-8").replace("wave: null", "wave: 2"), encoding="utf-8")
    return made


def test_only_services_of_the_wave_are_planned(office: Office) -> None:
    assert changes(office.plan(SECOND)) == {str(WORKER): "unchanged"}
    assert changes(office.plan(Selectors(clusters=("prod",), waves=(1, 2)))) == {str(WORKER): "unchanged"}


def test_a_service_without_a_plan_file_is_in_no_wave(office: Office) -> None:
    office.plans.path(WORKER).unlink()

    assert changes(office.plan(SECOND)) == {}


def test_only_services_of_the_wave_are_missed(office: Office) -> None:
    office.worlds["prod"] = World(accounts=())

    assert office.plan(SECOND).gone == [WORKER]


def test_a_file_that_does_not_tell_its_wave_is_named(office: Office) -> None:
    office.plans.path(SERVICE).write_text("edit: [", encoding="utf-8")
    planning = office.plan(SECOND)

    assert changes(planning) == {str(WORKER): "unchanged"}
    assert ([one.service for one in planning.unread], ended(planning)) == ([SERVICE], Exit.USAGE)


def test_a_wave_without_services_is_wrong_usage(office: Office) -> None:
    nobodys = Selectors(clusters=("prod",), waves=(7,))

    with pytest.raises(UsageError, match="no service"):
        require_a_match(office.plan(nobodys), nobodys)
