"""`migrate plan` over declared worlds: what becomes of the files, and of clusters that cannot be reached."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from migrator.cli.options import Form
from migrator.cli.output import Output
from migrator.cli.plan import complaints, ended, require_a_match, tell
from migrator.cli.select import Selectors
from migrator.model.errors import UsageError
from migrator.model.exits import Exit
from migrator.model.journal import Direction, Holder, Outcome, Run
from migrator.render.contract import schema
from migrator.render.screen import plain
from migrator.render.views import plan as view
from migrator.render.views.plan import Planning
from tests.fakes.carrying import COMMON
from tests.fakes.desks import Closed, Office
from tests.fakes.planning import ROLE, SERVICE, World, account


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path / "plans")


def changes(planning: Planning) -> dict[str, str]:
    return {str(one.plan.service): one.change for one in planning.planned}


def document(planning: Planning) -> dict[str, Any]:
    data = view.document(planning)
    Draft202012Validator(schema("plan")).validate(data)
    return data


def test_new_then_unchanged_then_changed(office: Office) -> None:
    assert changes(office.plan()) == {str(SERVICE): "new"}
    assert changes(office.plan()) == {str(SERVICE): "unchanged"}
    office.worlds["prod"] = World(accounts=(account(), account(name="worker")))
    assert changes(office.plan()) == {str(SERVICE): "changed", "prod/orders/worker": "new"}


def test_a_dry_run_tells_the_same_and_writes_nothing(office: Office) -> None:
    assert changes(office.plan(dry_run=True)) == {str(SERVICE): "new"}
    assert not office.folder.exists()
    office.plan()
    office.worlds["prod"] = World(accounts=(account(), account(name="worker")))
    before = office.plans.path(SERVICE).read_bytes()

    assert changes(office.plan(dry_run=True)) == {str(SERVICE): "changed", "prod/orders/worker": "new"}
    assert office.plans.path(SERVICE).read_bytes() == before


def test_a_cluster_that_cannot_be_reached_is_left_out_by_name(office: Office) -> None:
    planning = office.plan(Selectors())

    assert changes(planning) == {str(SERVICE): "new"}
    assert document(planning)["left_out"] == [
        {"cluster": "us", "why": 'reading cluster "us": no route to host'},
    ]
    last = list(plain(view.blocks(view.document(planning))))[-1]
    assert last == 'left out: cluster us: reading cluster "us": no route to host'


def test_a_cluster_is_named_once_and_those_with_the_same_trouble_are_told_of_together(office: Office) -> None:
    for alias in ("prod", "us"):
        office.worlds[alias] = Closed(doing=f'cluster "{alias}": listing pods')

    [complaint] = complaints(office.plan(Selectors()), Exit.ERROR)
    assert complaint.sentence == 'clusters "prod", "us" left out: listing pods: no route to host'


def test_exit_codes(office: Office) -> None:
    assert ended(office.plan()) is Exit.DONE
    assert ended(office.plan(Selectors())) is Exit.UNFINISHED
    assert ended(office.plan(Selectors(clusters=("us",)))) is Exit.ERROR


def test_a_service_that_went_is_gone_and_its_file_stays(office: Office) -> None:
    office.plan()
    office.worlds["prod"] = World(accounts=())
    planning = office.plan()

    assert (planning.gone, planning.moved) == ([SERVICE], [])
    assert office.plans.path(SERVICE).exists()
    assert f"gone: {SERVICE} (its plan file was kept)" in list(plain(view.blocks(document(planning))))


def run(outcome: Outcome, direction: Direction = Direction.FORWARD) -> Run:
    return Run(
        id=f"{direction}",
        service=SERVICE,
        direction=direction,
        outcome=outcome,
        plan={},
        actor="a",
        host="h",
        started="t",
    )


MOVED: dict[str, tuple[list[Run], bool]] = {
    "[migrated]": ([run(Outcome.DONE)], True),
    "[interrupted]": ([run(Outcome.OPEN)], True),
    "[rolled back] and gone since": ([run(Outcome.DONE), run(Outcome.DONE, Direction.BACK)], False),
}


@pytest.mark.parametrize(("runs", "moved"), MOVED.values(), ids=MOVED.keys())
def test_a_service_without_annotation_because_of_us_is_not_gone(
    office: Office, runs: list[Run], *, moved: bool
) -> None:
    office.plan()
    office.worlds["prod"] = World(accounts=())
    office.journal.all_runs = runs
    planning = office.plan()

    assert (planning.moved == [SERVICE]) is moved
    assert (planning.gone == [SERVICE]) is not moved


NOT_LOOKED_FOR: dict[str, Selectors] = {
    "[other cluster] not reached": Selectors(clusters=("us",)),
    "[namespace] not selected": Selectors(clusters=("prod",), namespaces=("other",)),
    "[role] nobody can tell": Selectors(clusters=("prod",), roles=("other",)),
}


@pytest.mark.parametrize("chosen", NOT_LOOKED_FOR.values(), ids=NOT_LOOKED_FOR.keys())
def test_what_was_not_looked_for_is_not_gone(office: Office, chosen: Selectors) -> None:
    office.plan()

    assert office.plan(chosen).gone == []


def test_a_plan_that_is_being_carried_out_is_left_alone(office: Office) -> None:
    office.plan()
    before = office.plans.path(SERVICE).read_bytes()
    office.worlds["prod"] = World(accounts=(account(), account(name="worker")))
    office.locks.holders = holders(f"service:{SERVICE}")  # type: ignore[method-assign] # a lock somebody else holds

    assert changes(office.plan())[str(SERVICE)] == "in-hand"
    assert office.plans.path(SERVICE).read_bytes() == before


def holders(key: str) -> Callable[[], list[Any]]:
    return lambda: [Holder(key=key, owner="o", host="h", pid=1, since="t", doing="apply", expires="t")]


def test_what_a_person_wrote_is_kept(office: Office) -> None:
    office.plan()
    plan = office.plans.read(SERVICE)
    path = office.plans.path(SERVICE)
    path.write_text(path.read_text(encoding="utf-8").replace("hold: false", "hold: true"), encoding="utf-8")
    planning = office.plan()

    assert changes(planning) == {str(SERVICE): "unchanged"}
    assert office.plans.read(SERVICE) == replace(plan, edit=replace(plan.edit, hold=True))
    assert document(planning)["summary"]["hold"] == 1


def test_selected_by_role(office: Office) -> None:
    assert changes(office.plan(Selectors(clusters=("prod",), roles=("orders-*",)))) == {str(SERVICE): "new"}
    assert changes(office.plan(Selectors(clusters=("prod",), roles=(f"{ROLE}x",)))) == {}


def test_no_cluster_selected_is_wrong_usage(office: Office) -> None:
    with pytest.raises(UsageError, match="no cluster") as caught:
        office.plan(Selectors(clusters=("nope",)))

    assert caught.value.remedy == 'it has "prod" (account 111111111111), "us" (account 222222222222)'


def test_the_table(office: Office) -> None:
    office.worlds["prod"] = World(trusts={}, accounts=(account(), account(name="worker")))
    lines = list(plain(view.blocks(document(office.plan()))))

    assert lines[0].split() == ["SERVICE", "ROLE", "VERDICT", "FINDINGS", "STEPS", "PLAN"]
    assert lines[1].split()[:4] == [str(SERVICE), "orders-api", "blocked", "role-missing"]
    assert lines[-2] == "2 services in 1 cluster: 0 ready, 0 attention, 2 blocked"


def into_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def test_a_file_that_is_nobodys_plan_is_not_gone(office: Office) -> None:
    office.plan()
    beside = office.plans.path(SERVICE).parent
    (beside / ".#orders-api.yaml").symlink_to("ann@desk.4711")
    (beside / "ü ö.yaml").touch()

    assert office.plan().gone == []


UNREADABLE: dict[str, tuple[Callable[[Path], object], str]] = {
    "[empty]": (lambda path: path.write_bytes(b""), "the file is empty; restore it, or delete it"),
    "[no YAML]": (lambda path: path.write_text("edit: [", encoding="utf-8"), "not valid YAML"),
    "[folder]": (into_a_folder, "Is a directory; move it away: a file belongs there"),
}


@pytest.mark.parametrize(("spoil", "said"), UNREADABLE.values(), ids=UNREADABLE.keys())
@pytest.mark.parametrize("dry_run", [False, True], ids=["[written]", "[dry run]"])
def test_one_unreadable_plan_file_stops_only_its_own_service(
    office: Office, spoil: Callable[[Path], object], said: str, *, dry_run: bool
) -> None:
    office.plan()
    spoil(office.plans.path(SERVICE))
    office.worlds["prod"] = World(accounts=(account(), account(name="worker")))
    planning = office.plan(dry_run=dry_run)

    assert changes(planning) == {"prod/orders/worker": "new"}
    assert (planning.gone, ended(planning)) == ([], Exit.USAGE)
    [unreadable] = document(planning)["unreadable"]
    assert unreadable["service"] == str(SERVICE)
    assert said in unreadable["problem"]
    assert [one.sentence for one in complaints(planning, Exit.USAGE)] == [
        f'"{SERVICE}" was not planned: {unreadable["problem"]}'
    ]
    assert list(plain(view.blocks(document(planning))))[-1] == f"not planned: {SERVICE}: {unreadable['problem']}"


def test_when_no_cluster_can_be_reached_the_reason_is_all_and_said_once(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    office.worlds["prod"] = Closed()
    planning = office.plan(Selectors())

    assert tell(planning, Output(COMMON)) is Exit.ERROR
    said = 'migrate: clusters "prod", "us" left out: reading cluster "us": no route to host\n'
    assert capsys.readouterr() == ("", said)
    assert tell(planning, Output(replace(COMMON, output=Form.JSON))) is Exit.ERROR
    told = capsys.readouterr()
    assert (len(json.loads(told.out)["left_out"]), told.err) == (2, said)


NOTHING_SELECTED = {
    "[namespace]": Selectors(clusters=("prod",), namespaces=("nope",)),
    "[role]": Selectors(clusters=("prod",), roles=("nope",)),
}


@pytest.mark.parametrize("chosen", NOTHING_SELECTED.values(), ids=NOTHING_SELECTED.keys())
def test_no_service_selected_is_wrong_usage(office: Office, chosen: Selectors) -> None:
    with pytest.raises(UsageError, match="no service"):
        require_a_match(office.plan(chosen), chosen)


def test_a_fleet_without_services_is_no_wrong_usage(office: Office) -> None:
    office.worlds["prod"] = World(accounts=())
    require_a_match(office.plan(), Selectors(clusters=("prod",)))


def test_services_of_a_cluster_that_was_left_out_may_still_match(office: Office) -> None:
    chosen = Selectors(namespaces=("nope",))
    require_a_match(office.plan(chosen), chosen)
