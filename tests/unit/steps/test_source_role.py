"""The step of a source role: what it takes for its own, what it completes, and what it leaves be."""

import json
from dataclasses import replace

import pytest

from migrator.model.errors import Drift, Rejected
from migrator.model.exits import Exit
from migrator.model.facts import SourceRole
from migrator.model.plan import PlannedStep, StepKind
from migrator.model.source_role import RUN_TAG, SERVICE_TAG
from migrator.steps.source_role import SourceRoleStep
from migrator.steps.step import Context, Failed, NotYet, Position, Settled
from tests.fakes.crossing import SOURCE, away
from tests.fakes.running import SERVICE, WAITS, Bench
from tests.fakes.world import FakeWorld

STEP = SourceRoleStep()
NOBODY = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"*"}]}'


@pytest.fixture
def bench() -> Bench:
    return Bench(away())


def planned(bench: Bench) -> PlannedStep:
    step = bench.plan.step(StepKind.SOURCE_ROLE)
    assert step is not None
    return step


def context(world: FakeWorld, **more: object) -> Context:
    return replace(
        Context(service=SERVICE, run="run-1", cluster=world, trust=world, waits=WAITS),
        **more,  # type: ignore[arg-type] # fields by name
    )


def role(bench: Bench, **differs: object) -> SourceRole:
    """As the walk `run-1` makes it."""
    made = planned(bench).after
    own = SourceRole(
        arn=SOURCE,
        id="AROA",
        trust=json.dumps(made["trust"]),
        policy=json.dumps(made["policy"]),
        tags={**made["tags"], RUN_TAG: "run-1"},
    )
    return replace(own, **differs)  # type: ignore[arg-type] # fields by name


@pytest.mark.parametrize(
    ("differs", "position", "said"),
    [
        ({}, Position.AFTER, ""),
        ({"policy": None}, Position.BEFORE, ""),
        ({"tags": {}}, Position.OTHER, "lacks its tags"),
        ({"tags": {SERVICE_TAG: "prod/shop/other", "managed-by": "irsa-migrator"}}, Position.OTHER, "lacks its tags"),
        ({"trust": NOBODY}, Position.OTHER, "changed the trust policy"),
        ({"policy": NOBODY}, Position.OTHER, "changed the permission"),
    ],
)
def test_there_only_what_is_ours_and_as_planned_counts(
    bench: Bench, differs: dict[str, object], position: Position, said: str
) -> None:
    bench.world.sources[SOURCE] = role(bench, **differs)
    reading = STEP.read(planned(bench), context(bench.world))
    assert reading.position is position
    assert said in reading.note


def test_what_another_run_of_ours_made_is_found(bench: Bench) -> None:
    bench.world.sources[SOURCE] = role(bench)
    assert STEP.read(planned(bench), context(bench.world)).ours
    assert not STEP.read(planned(bench), context(bench.world, run="run-2")).ours


def test_a_role_of_that_name_elsewhere_is_drift(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def elsewhere(self: FakeWorld, arn: str) -> SourceRole | None:
        del self
        raise Rejected(f'there is a role of that name at "{arn}x"', reason="other-path")

    monkeypatch.setattr(FakeWorld, "source_role", elsewhere)
    with pytest.raises(Drift, match="of that name"):
        bench.runner().apply(bench.plan, bench.document)
    assert bench.world.calls == []


def test_half_of_it_is_completed(bench: Bench) -> None:
    bench.world.sources[SOURCE] = role(bench, policy=None)
    STEP.apply(planned(bench), context(bench.world))
    assert bench.world.calls == ["permit"]
    assert isinstance(STEP.settled(planned(bench), context(bench.world)), Settled)


def test_a_reader_that_is_late_makes_no_second_role(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """CreateRole answers that it exists: the next look tells whose it is."""
    bench.world.sources[SOURCE] = role(bench)
    monkeypatch.setattr(FakeWorld, "source_role", lambda _self, _arn: None)
    STEP.apply(planned(bench), context(bench.world))
    assert bench.world.sources[SOURCE] == role(bench)
    answer = STEP.settled(planned(bench), context(bench.world))
    assert isinstance(answer, NotYet)
    assert not answer.again


def test_somebody_elses_role_is_never_given_a_permission(bench: Bench) -> None:
    bench.world.sources[SOURCE] = role(bench, tags={}, policy=None)
    with pytest.raises(Rejected, match="lacks its tags") as refused:
        STEP.apply(planned(bench), context(bench.world))
    assert refused.value.reason == "conflict"
    assert isinstance(STEP.settled(planned(bench), context(bench.world)), Failed)
    assert bench.world.calls == []


@pytest.mark.parametrize(
    ("differs", "hanging", "runs", "said"),
    [
        ({}, [], ["run-2"], "not made by the walk there"),
        ({"trust": NOBODY}, [], ["run-1"], "changed by somebody else"),
        ({"policy": NOBODY}, [], ["run-1"], "changed by somebody else"),
        ({}, ["policy theirs"], ["run-1"], "in use by somebody else (policy theirs)"),
    ],
)
def test_back_what_others_use_stays(
    bench: Bench, differs: dict[str, object], hanging: list[str], runs: list[str], said: str
) -> None:
    (back,) = (step for step in bench.plan.back if step.kind is StepKind.SOURCE_ROLE)
    bench.world.sources[SOURCE] = role(bench, **differs)
    bench.world.hanging[SOURCE] = hanging
    looking = context(bench.world, forward={"runs": runs})
    reading = STEP.read(back, looking)
    assert reading.position is Position.AFTER
    assert said in reading.note
    STEP.apply(back, looking)
    answer = STEP.settled(back, looking)
    assert isinstance(answer, Settled)
    assert said in answer.note
    assert bench.world.calls == []


def test_back_half_of_it_is_deleted_too(bench: Bench) -> None:
    (back,) = (step for step in bench.plan.back if step.kind is StepKind.SOURCE_ROLE)
    bench.world.sources[SOURCE] = role(bench, policy=None)
    looking = context(bench.world, forward={"runs": ["run-1"]})
    assert STEP.read(back, looking).position is Position.BEFORE
    STEP.apply(back, looking)
    assert bench.world.calls == ["delete-role"]
    assert isinstance(STEP.settled(back, looking), Settled)


def test_what_is_attached_at_the_last_moment_keeps_the_role(bench: Bench) -> None:
    """IAM refuses to delete it; the next look says why it stays."""
    (back,) = (step for step in bench.plan.back if step.kind is StepKind.SOURCE_ROLE)
    bench.world.sources[SOURCE] = role(bench)
    looking = context(bench.world, forward={"runs": ["run-1"]})
    bench.world.before_call = lambda _name: bench.world.hanging.update({SOURCE: ["policy theirs"]})
    STEP.apply(back, looking)
    assert SOURCE in bench.world.sources
    assert isinstance(STEP.settled(back, looking), Settled)


def test_a_role_made_in_its_place_at_the_last_moment_stays(bench: Bench) -> None:
    """The adapter deletes the one that was looked at, and no other; the next look says whose it is."""
    (back,) = (step for step in bench.plan.back if step.kind is StepKind.SOURCE_ROLE)
    bench.world.sources[SOURCE] = role(bench)
    theirs = role(bench, id="AROATHEIRS", tags={})
    looking = context(bench.world, forward={"runs": ["run-1"]})
    bench.world.before_call = lambda _name: bench.world.sources.update({SOURCE: theirs})
    STEP.apply(back, looking)
    assert bench.world.sources == {SOURCE: theirs}
    answer = STEP.settled(back, looking)
    assert isinstance(answer, Settled)
    assert "was not made by the walk there, and stays" in answer.note


def test_pods_that_get_another_role_than_the_target_fail_the_walk(bench: Bench) -> None:
    bench.world.answers = "other"

    def better(name: str) -> None:
        if name == "delete-association":
            bench.world.answers = "arn"

    bench.world.after_call = better
    result = bench.runner().apply(bench.plan, bench.document)
    assert result.exit is Exit.ROLLED_BACK
    assert bench.world.sources == {}
    assert bench.world.trust == away().trust


def test_a_source_role_deleted_by_others_is_drift_for_a_migrated_service(bench: Bench) -> None:
    bench.runner().apply(bench.plan, bench.document)
    bench.world.sources.clear()
    with pytest.raises(Drift):
        bench.runner().apply(bench.plan, bench.document)
