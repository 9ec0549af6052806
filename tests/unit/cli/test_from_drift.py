"""`apply --from-drift` over a fake world: what is planned again, what is kept, and what becomes of it."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from migrator.cli.again import Again, plan_again, write
from migrator.cli.apply import intended
from migrator.cli.planning import run_planning
from migrator.cli.select import Selectors
from migrator.cli.stores import Memory
from migrator.model.errors import Blocked, Drift, EnvironmentFault
from migrator.model.exits import Exit
from migrator.model.facts import Cluster
from migrator.model.fleet import Fleet, FleetCluster, SqliteState
from migrator.model.ids import ROLE_ARN_ANNOTATION
from migrator.model.plan import Acceptance, Edit, Order, StepKind
from migrator.model.ports.planning import ClusterView, Roles
from migrator.running.result import Result
from migrator.store.plan_document import document_of
from migrator.store.plan_file import PlanFiles
from tests.fakes.parts import ROLE_ARN, deployment
from tests.fakes.running import SERVICE, Bench
from tests.fakes.shelf import Shelf
from tests.fakes.world import FakeWorld

THEIRS = "arn:aws:iam::111111111111:role/theirs"
PROD = FleetCluster(alias="prod", name="prod", region="eu-west-1", account="111111111111")
BOTH = pytest.mark.parametrize("order", Order, ids=lambda order: f"[{order}]")

OF_OTHERS = {StepKind.ADDON, StepKind.SOURCE_ROLE, StepKind.TARGET_TRUST}
"""Steps of services of another make than the one planned here."""


@dataclass
class Desk:
    """The wiring over a bench whose plans stand in a folder."""

    folder: Path
    bench: Bench = field(default_factory=lambda: Bench(FakeWorld(declared=[deployment()])))
    resources: Shelf = field(default_factory=Shelf)

    @property
    def fleet(self) -> Fleet:
        return Fleet(file=self.folder / "f", state=SqliteState(self.folder / "s"), plans=self.folder, clusters=(PROD,))

    @property
    def plans(self) -> PlanFiles:
        return PlanFiles(self.folder)

    def planning_roles(self, expected: Iterable[str]) -> Roles:
        assert set(expected) <= {ROLE_ARN, THEIRS}
        return self.bench.world

    def view(self, alias: str) -> ClusterView:
        assert alias == "prod"
        return self.bench.world

    @contextmanager
    def memory(self) -> Iterator[Memory | None]:
        yield Memory(self.bench.journal, self.bench.locks)

    def plan(self) -> str:
        """What `migrate plan` makes of the service's file, or that it moved."""
        planning = run_planning(self, Selectors(), self.fleet.clusters, dry_run=False)
        return planning.planned[0].change if planning.planned else "moved" if planning.moved else "gone"

    def again(self) -> Again:
        with self.memory() as memory:
            (one,) = plan_again(self, [SERVICE], memory)
            return one

    def apply(self, one: Again, to: StepKind | None = None) -> Result:
        write(self, [one])
        return self.bench.runner().apply(one.plan, document_of(one.plan), to=to, anew=one.anew)

    def apply_file(self, to: StepKind | None = None) -> Result:
        return self.apply(Again(plan=self.plans.read(SERVICE)), to)

    def from_drift(self) -> Result:
        return self.apply(self.again())


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path / "plans")
    assert made.plan() == "new"
    return made


def edit(desk: Desk, fields: Edit) -> None:
    """What a person writes into the plan file."""
    path = desk.plans.path(SERVICE)
    text = path.read_text()
    path.write_text(text.replace("order: annotation-first", f"order: {fields.order}"))
    assert desk.plans.read(SERVICE).edit == fields


def test_what_drifted_before_the_first_change_is_planned_again_and_carried_out(desk: Desk) -> None:
    desk.bench.world.uid = "anew"
    with pytest.raises(Drift):
        desk.apply_file()

    one = desk.again()
    write(desk, [one])

    assert [(c.field, c.before, c.after) for c in one.changes] == [
        ("facts.service_account.uid", "sa-uid", "anew"),
        ("annotation.on.uid", "sa-uid", "anew"),
    ]
    assert desk.plans.read(SERVICE) == one.plan
    assert desk.apply(one).exit is Exit.DONE


def test_planning_again_writes_nothing_before_it_is_agreed_to(desk: Desk) -> None:
    desk.bench.world.uid = "anew"
    before = desk.plans.path(SERVICE).read_bytes()

    assert desk.again().changes
    assert desk.plans.path(SERVICE).read_bytes() == before


@BOTH
@pytest.mark.parametrize(
    "to", [kind for kind in StepKind if kind not in {*OF_OTHERS, StepKind.VERIFY}], ids=lambda kind: f"[{kind}]"
)
def test_where_nothing_drifted_the_open_run_goes_on(desk: Desk, order: Order, to: StepKind) -> None:
    edit(desk, Edit(order=order))
    if desk.apply_file(to).exit is Exit.DONE:
        assert (order, to) == (Order.ANNOTATION_LAST, StepKind.ANNOTATION)
        return
    before = desk.plans.path(SERVICE).read_bytes()

    one = desk.again()

    assert (one.anew, one.changes, desk.plans.path(SERVICE).read_bytes()) == (False, (), before)
    assert desk.plan() == "in-hand"
    assert desk.plans.path(SERVICE).read_bytes() == before
    assert desk.apply(one).exit is Exit.DONE
    assert desk.bench.world.calls.count("restart orders") == 1
    assert len(desk.bench.journal.all_runs) == 1


def test_what_is_migrated_and_still_so_is_only_looked_at(desk: Desk) -> None:
    desk.apply_file()
    calls = list(desk.bench.world.calls)

    assert "already migrated" in desk.from_drift().message
    assert (desk.bench.world.calls, desk.plan()) == (calls, "moved")


def association_gone(world: FakeWorld) -> None:
    world.made, world._seen_association = None, False


def annotation_back(world: FakeWorld) -> None:
    world.annotations[ROLE_ARN_ANNOTATION] = ROLE_ARN


def trust_gone(world: FakeWorld) -> None:
    world.trust = FakeWorld().trust


def all_undone(world: FakeWorld) -> None:
    for undo in (association_gone, annotation_back, trust_gone):
        undo(world)


UNDONE = [association_gone, annotation_back, trust_gone, all_undone]


@BOTH
@pytest.mark.parametrize("undo", UNDONE)
def test_what_somebody_undid_of_a_migrated_service_is_made_again(
    desk: Desk, order: Order, undo: Callable[[FakeWorld], None]
) -> None:
    before = desk.bench.world.snapshot()
    edit(desk, Edit(order=order))
    desk.apply_file()
    there = desk.bench.world.snapshot()
    undo(desk.bench.world)
    with pytest.raises(Drift, match=r"no longer|does not exist") as caught:
        desk.apply_file()
    assert "--from-drift" in caught.value.sentence()

    assert desk.from_drift().exit is Exit.DONE

    assert desk.bench.world.snapshot() == there
    assert desk.plans.read(SERVICE).edit.order is order
    assert desk.bench.runner().rollback(SERVICE).exit is Exit.DONE
    assert {**desk.bench.world.snapshot(), "addon": None} == before


@pytest.mark.parametrize("undo", [association_gone, all_undone])
def test_what_somebody_undid_of_an_open_run_is_made_again(desk: Desk, undo: Callable[[FakeWorld], None]) -> None:
    before = desk.bench.world.snapshot()
    desk.apply_file(StepKind.ANNOTATION)
    undo(desk.bench.world)

    one = desk.again()

    assert one.anew
    assert desk.apply(one).exit is Exit.DONE
    assert [str(run.outcome) for run in desk.bench.journal.all_runs] == ["failed", "done"]
    assert desk.bench.runner().rollback(SERVICE).exit is Exit.DONE
    assert {**desk.bench.world.snapshot(), "addon": None} == before


def test_plan_writes_a_new_plan_for_an_open_run_that_the_world_has_left(desk: Desk) -> None:
    desk.apply_file(StepKind.ANNOTATION)
    association_gone(desk.bench.world)

    assert desk.plan() == "changed"
    assert desk.apply_file().exit is Exit.DONE


def test_a_new_plan_that_is_blocked_blocks(desk: Desk) -> None:
    desk.bench.world.annotations[ROLE_ARN_ANNOTATION] = THEIRS

    one = desk.again()

    shown = intended(one, desk.bench.journal)
    assert (shown.exit, "blocked by role-missing" in shown.left_alone) == (Exit.BLOCKED, True)
    assert any(change.field.startswith("findings.role-missing") for change in shown.changes)
    with pytest.raises(Blocked, match="role-missing"):
        desk.apply(one)
    assert desk.bench.world.calls == []


def test_a_service_that_cannot_be_planned_says_so_and_keeps_its_plan(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = desk.plans.path(SERVICE).read_bytes()
    desk.bench.world.annotations.pop(ROLE_ARN_ANNOTATION)
    shown = intended(desk.again(), desk.bench.journal)
    assert (shown.exit, "cannot be planned again: it has no ServiceAccount" in shown.left_alone) == (Exit.BLOCKED, True)

    def closed(_self: FakeWorld) -> Cluster:
        raise EnvironmentFault("no route to host")

    monkeypatch.setattr(FakeWorld, "cluster", closed)
    shown = intended(desk.again(), desk.bench.journal)
    assert (shown.exit, "no route to host" in shown.left_alone) == (Exit.ERROR, True)
    assert desk.plans.path(SERVICE).read_bytes() == before


def test_a_plan_file_that_cannot_be_used_is_written_anew(desk: Desk) -> None:
    path = desk.plans.path(SERVICE)
    whole = path.read_text()
    path.write_text(whole.replace("sa-uid", "forged"))

    one = desk.again()
    write(desk, [one])

    assert (one.plan, path.read_text()) == (desk.bench.plan, whole)


def test_what_a_person_wrote_is_kept(desk: Desk) -> None:
    path = desk.plans.path(SERVICE)
    path.write_text(path.read_text().replace("accept: []", "accept: [{code: bare-pods, reason: mine}]"))
    desk.bench.world.uid = "anew"

    one = desk.again()
    write(desk, [one])

    assert one.plan.edit.accept == (Acceptance(code="bare-pods", reason="mine"),)
    assert desk.plans.read(SERVICE).edit.accept == (Acceptance(code="bare-pods", reason="mine"),)


def test_a_way_back_that_was_cut_off_comes_first(desk: Desk) -> None:
    desk.bench.world.reality = "none"
    desk.bench.world.after_call = lambda name: setattr(
        desk.bench, "signal", 15 if name == "delete-association" else desk.bench.signal
    )
    with pytest.raises(Exception, match="interrupted"):
        desk.apply_file()
    desk.bench.signal, desk.bench.world.after_call = None, lambda _name: None
    before = desk.plans.path(SERVICE).read_bytes()

    one = desk.again()

    assert desk.plan() == "in-hand"
    assert (one.changes, desk.plans.path(SERVICE).read_bytes()) == ((), before)
    assert desk.apply(one).exit is Exit.ROLLED_BACK


def test_a_plan_made_anew_that_equals_the_one_carried_out_is_shown_and_asked_for(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "plans", Bench(FakeWorld(daemonset=True)))
    desk.plan()
    desk.apply_file()
    all_undone(desk.bench.world)
    one = desk.again()

    assert not intended(one, desk.bench.journal).looks
    assert intended(replace(one, anew=False), desk.bench.journal).looks
