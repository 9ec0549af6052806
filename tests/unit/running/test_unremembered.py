"""What a lost or another state file does not know: it is said, never taken for nothing."""

import pytest

from migrator.model.errors import Blocked, Drift
from migrator.model.exits import Exit
from migrator.model.facts import Association
from migrator.model.journal import Standing
from tests.fakes.parts import ROLE_ARN
from tests.fakes.running import SERVICE, Bench, MemoryJournal
from tests.fakes.world import FakeWorld


def migrated() -> Bench:
    bench = Bench(FakeWorld())
    assert bench.runner().apply(bench.plan, bench.document).exit is Exit.DONE
    return bench


def test_our_own_association_without_its_run_is_no_nothing() -> None:
    bench = migrated()
    bench.journal = MemoryJournal()
    calls = list(bench.world.calls)

    with pytest.raises(Blocked, match="by a run that this state file does not hold"):
        bench.runner().rollback(SERVICE)
    assert bench.world.calls == calls


def test_what_was_found_only_is_not_rolled_back() -> None:
    bench = Bench(FakeWorld())
    bench.world.made = Association(id="a-9", namespace="shop", service_account="orders", role_arn=ROLE_ARN)
    bench.runner().rollback(SERVICE)

    assert bench.journal.state(SERVICE).standing is Standing.PLANNED


def test_a_drift_is_told_by_the_journal() -> None:
    bench = Bench(FakeWorld())

    def changed(name: str) -> None:
        if name == "create-association":
            bench.world.annotations["eks.amazonaws.com/role-arn"] = f"{ROLE_ARN}-other"

    bench.world.after_call = changed
    with pytest.raises(Drift):
        bench.runner().apply(bench.plan, bench.document)
    assert bench.journal.state(SERVICE).standing is Standing.WAITING
    assert any(
        "drift: annotation" in record.note for record in bench.journal.records(bench.journal.all_runs[-1].id).values()
    )


def test_a_way_back_that_walked_itself_says_why_in_the_end() -> None:
    bench = Bench(FakeWorld(reality="none"))
    assert bench.runner().apply(bench.plan, bench.document).exit is Exit.ROLLED_BACK
    assert bench.journal.all_runs[-1].note.startswith("restart: ")
