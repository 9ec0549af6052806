"""A run that is taken up looks again: at what it carried out before, and at the gate before a way in is taken away."""

from collections.abc import Callable

import pytest

from migrator.model import identity
from migrator.model.errors import Blocked, Drift
from migrator.model.exits import Exit
from migrator.model.facts import Addon, Association
from migrator.model.ids import ROLE_ARN_ANNOTATION
from migrator.model.journal import Standing
from migrator.model.plan import Edit, Order, StepKind
from migrator.running.result import Stranded
from tests.fakes.parts import IRSA_TRUST, ROLE_ARN
from tests.fakes.running import SERVICE, WAITS, Bench
from tests.fakes.world import FakeWorld

LAST = Order.ANNOTATION_LAST
FIRST = Order.ANNOTATION_FIRST


class Died(BaseException):
    """SIGKILL."""


def dissociate(world: FakeWorld) -> None:
    world.made, world._seen_association = None, False


def distrust(world: FakeWorld) -> None:
    world.trust = IRSA_TRUST


def annotate(world: FakeWorld) -> None:
    world.annotations[ROLE_ARN_ANNOTATION] = ROLE_ARN


def stopped(order: Order, to: StepKind) -> Bench:
    bench = Bench(FakeWorld(), edit=Edit(order=order))
    assert bench.runner().apply(bench.plan, bench.document, to=to).exit is Exit.UNFINISHED
    bench.world.calls.clear()
    return bench


def killed(bench: Bench, at: str, walk: Callable[[], object]) -> None:
    """The walk dies at that write."""

    def die(what: str) -> None:
        if what == at:
            raise Died

    bench.journal.on_write = die
    with pytest.raises(Died):
        walk()
    bench.journal.on_write = lambda _what: None
    bench.world.calls.clear()


@pytest.mark.parametrize(
    ("order", "to", "undo", "step"),
    [
        pytest.param(FIRST, StepKind.TRUST, distrust, "trust", id="[first] trust before the association"),
        pytest.param(FIRST, StepKind.ASSOCIATION, dissociate, "association", id="[first] before the annotation"),
        pytest.param(FIRST, StepKind.ASSOCIATION, distrust, "trust", id="[first] trust before the annotation"),
        pytest.param(FIRST, StepKind.ANNOTATION, dissociate, "association", id="[first] before the restart"),
        pytest.param(FIRST, StepKind.ANNOTATION, annotate, "annotation", id="[first] annotated before the restart"),
        pytest.param(FIRST, StepKind.RESTART, distrust, "trust", id="[first] trust before verify"),
        pytest.param(LAST, StepKind.ASSOCIATION, dissociate, "association", id="[last] before the restart"),
        pytest.param(LAST, StepKind.RESTART, distrust, "trust", id="[last] trust before verify"),
        pytest.param(LAST, StepKind.VERIFY, dissociate, "association", id="[last] before the annotation"),
        pytest.param(LAST, StepKind.VERIFY, distrust, "trust", id="[last] trust before the annotation"),
    ],
)
def test_what_somebody_undid_meanwhile_stops_the_run_before_its_next_change(
    order: Order, to: StepKind, undo: Callable[[FakeWorld], None], step: str
) -> None:
    bench = stopped(order, to)
    undo(bench.world)

    with pytest.raises(Drift) as caught:
        bench.runner().apply(bench.plan, bench.document)

    said = caught.value.sentence()
    assert said.startswith(f'step "{step}" of "{SERVICE}", carried out before: ')
    assert f"migrate apply --service {SERVICE} --from-drift" in said
    assert bench.world.calls == []
    assert bench.journal.open_run(SERVICE) is not None


def test_a_kill_between_the_proof_and_the_annotation_forgets_no_look() -> None:
    bench = Bench(FakeWorld(), edit=Edit(order=LAST))
    killed(bench, "annotation started", lambda: bench.runner().apply(bench.plan, bench.document))
    dissociate(bench.world)

    with pytest.raises(Drift, match="no longer as the run left it"):
        bench.runner().apply(bench.plan, bench.document)

    assert bench.world.annotations[ROLE_ARN_ANNOTATION] == ROLE_ARN


def test_the_way_back_keeps_the_association_when_somebody_took_the_annotation_off_again() -> None:
    bench = Bench(FakeWorld())
    bench.runner().apply(bench.plan, bench.document)
    killed(bench, "association started", lambda: bench.runner().rollback(SERVICE))
    del bench.world.annotations[ROLE_ARN_ANNOTATION]

    with pytest.raises(Drift) as caught:
        bench.runner().rollback(SERVICE)

    assert f'step "annotation" of the way back of "{SERVICE}", carried out before' in caught.value.sentence()
    assert (bench.world.calls, bench.world.made is None) == ([], False)
    annotate(bench.world)
    assert bench.runner().rollback(SERVICE).exit is Exit.DONE


def test_the_gate_is_waited_for_once_more_before_the_annotation_goes() -> None:
    bench = stopped(FIRST, StepKind.ASSOCIATION)
    bench.world._seen_association, bench.world._lag = False, 3
    lags: list[int] = []
    bench.world.before_call = lambda name: lags.append(bench.world._lag) if name == "remove-annotation" else None

    assert bench.runner().apply(bench.plan, bench.document).exit is Exit.DONE
    assert lags == [0]


def test_a_gate_that_does_not_pass_once_more_keeps_the_annotation_of_proven_pods() -> None:
    bench = stopped(LAST, StepKind.VERIFY)
    bench.world.blind = True

    for _twice in range(2):
        with pytest.raises(Blocked, match="the annotation was left in place"):
            bench.runner().apply(bench.plan, bench.document)
        assert (bench.world.calls, bench.journal.state(SERVICE).standing) == ([], Standing.FAILED)
    bench.world.blind = False
    assert bench.runner().apply(bench.plan, bench.document).exit is Exit.DONE


def test_a_gate_that_does_not_pass_once_more_goes_back_where_no_pod_is_proven() -> None:
    bench = stopped(FIRST, StepKind.ASSOCIATION)
    bench.world.refusal = "exceeded quota"
    bench.world.before_call = lambda name: setattr(bench.world, "refusal", "") if name == "delete-association" else None

    result = bench.runner().apply(bench.plan, bench.document)

    assert (result.exit, "exceeded quota" in result.message) == (Exit.ROLLED_BACK, True)
    assert "remove-annotation" not in bench.world.calls


def test_where_the_association_that_was_found_is_gone_by_now_the_way_back_leads_to_irsa() -> None:
    theirs = Association(id="a-9", namespace="shop", service_account="orders", role_arn=ROLE_ARN)
    bench = Bench(FakeWorld(made=theirs))
    assert bench.runner().apply(bench.plan, bench.document).exit is Exit.DONE
    dissociate(bench.world)

    assert bench.runner().rollback(SERVICE).exit is Exit.DONE
    assert {str(identity.of_pod(pod)) for pod in bench.world.live.values()} == {"irsa"}


def pause(world: FakeWorld) -> None:
    world.declared[0].paused = True


def resume(world: FakeWorld) -> None:
    world.declared[0].paused = False


def lock_out(world: FakeWorld) -> None:
    world.trust = world.trust.replace("system:serviceaccount:shop:orders", "system:serviceaccount:shop:x")


def let_in(world: FakeWorld) -> None:
    world.trust = world.trust.replace("system:serviceaccount:shop:x", "system:serviceaccount:shop:orders")


@pytest.mark.parametrize(
    ("spoil", "mend", "says"),
    [
        pytest.param(pause, resume, "is paused", id="[paused] Deployment"),
        pytest.param(lock_out, let_in, "no longer trusts", id="[irsa] closed"),
    ],
)
def test_the_automatic_way_back_stops_while_pod_identity_still_works(
    spoil: Callable[[FakeWorld], None], mend: Callable[[FakeWorld], None], says: str
) -> None:
    bench = Bench(FakeWorld())
    before = bench.world.snapshot()

    def under_way(name: str) -> None:
        if name == "restart orders":
            bench.world.answers = "other"  # verify fails
            spoil(bench.world)

    bench.world.after_call = under_way
    result = bench.runner().apply(bench.plan, bench.document)

    assert result.exit is Exit.STRANDED
    assert says in result.message
    assert "the association and the trust are kept; mend it, then: migrate rollback" in result.message
    assert (bench.world.made is None, bench.world.calls[-1]) == (False, "add-annotation")
    assert bench.journal.state(SERVICE).standing is Standing.STRANDED
    with pytest.raises(Stranded, match=says):
        bench.runner().rollback(SERVICE)

    bench.world.after_call, bench.world.answers = lambda _name: None, "arn"
    mend(bench.world)
    assert bench.runner().rollback(SERVICE).exit is Exit.DONE
    assert {**bench.world.snapshot(), "addon": None} == before


def test_an_agent_that_is_sick_for_long_fails_every_time() -> None:
    addon = Addon(name="eks-pod-identity-agent", status="ACTIVE", version="v1.3.10-eksbuild.2")
    bench = Bench(FakeWorld(addon=addon, looks_until_agent=10**6))

    for _twice in range(2):
        with pytest.raises(Blocked, match=f"gave up after {WAITS.agent:.0f} s"):
            bench.runner().apply(bench.plan, bench.document, auto_rollback=False)
