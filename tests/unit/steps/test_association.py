"""The association is ours only if we made it: whoever is faster keeps what is theirs."""

import pytest

from migrator.model.errors import Drift
from migrator.model.exits import Exit
from migrator.model.facts import Association
from tests.fakes.parts import ROLE_ARN
from tests.fakes.running import SERVICE, Bench
from tests.fakes.world import FakeWorld

THEIRS = Association(
    id="a-theirs", namespace="shop", service_account="orders", role_arn=ROLE_ARN, tags={"made-by": "terraform"}
)


def test_one_that_somebody_makes_between_look_and_call_is_never_deleted() -> None:
    bench = Bench(FakeWorld())

    def faster(call: str) -> None:
        if call == "create-association":
            bench.world.made = THEIRS

    bench.world.before_call = faster
    with pytest.raises(Drift, match="somebody else associated"):
        bench.runner().apply(bench.plan, bench.document)
    bench.world.before_call = lambda _call: None

    assert bench.runner().apply(bench.plan, bench.document).exit is Exit.DONE
    assert bench.statuses()["association"] == "found"
    assert bench.runner().rollback(SERVICE).exit is Exit.DONE
    assert bench.world.made == THEIRS


def test_one_that_takes_the_place_of_ours_during_the_gate_is_not_recorded_as_ours() -> None:
    bench = Bench(FakeWorld(probes_until_visible=3))
    probe = bench.world.probe

    def replaced(*pair: str) -> object:
        bench.world.made = THEIRS
        return probe(*pair)

    def made(call: str) -> None:
        if call == "create-association":
            bench.world.probe = replaced  # type: ignore[method-assign,assignment]  # somebody does it now

    bench.world.after_call = made

    assert bench.runner().apply(bench.plan, bench.document).exit is Exit.DONE
    records = [record for record in bench.journal.lines if record.step == "association"]
    assert records[-1].result == {"association": None}
    assert bench.runner().rollback(SERVICE).exit is Exit.DONE
    assert bench.world.made == THEIRS


def test_one_deleted_during_the_gate_is_made_anew_though_eks_still_knows_the_token() -> None:
    bench = Bench(FakeWorld(probes_until_visible=2))
    tokens: list[str] = []
    create, probe = bench.world.create_association, bench.world.probe

    def idempotent(**asked: object) -> Association:
        tokens.append(str(asked["token"]))
        if len(set(tokens)) < len(tokens):
            return THEIRS  # what the token made once, dead by now
        return create(**asked)  # type: ignore[arg-type]  # as it was called

    def deleted(*pair: str) -> object:
        if len(tokens) == 1:
            bench.world.made = None
        return probe(*pair)

    bench.world.create_association = idempotent  # type: ignore[method-assign]  # EKS with a memory
    bench.world.probe = deleted  # type: ignore[method-assign,assignment]  # somebody deletes it at the first look

    bench.runner().apply(bench.plan, bench.document, to=None)

    assert bench.world.made is not None
    assert len(tokens) == 2
