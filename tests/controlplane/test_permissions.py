"""The roles of the docs page are what `migrate` asks of a cluster, no less and no more; what is missing is named.

The sweep takes one verb of one resource away at a time: whatever the page grants is tested by that alone.
"""

from collections.abc import Iterator

import pytest
import yaml

from migrator.model.exits import Exit
from tests.controlplane import tier
from tests.controlplane.role import FINDINGS, GRANTED, LOGS, NEEDED, USER, VARIABLES, Triple
from tests.controlplane.tour import MAIN, PLAIN, Tour, named, open_tour
from tests.lab.conftest import invariants_hold

__all__ = ["invariants_hold"]  # a fixture of these tests too
PLANES = ("practice", pytest.param("real", marks=getattr(pytest.mark, tier.MARK)))
ON_A_REAL_ONE = pytest.mark.parametrize("tour", PLANES[1:], indirect=True, scope="module")
"""The sweep asks an API server a hundred times to refuse; ours refuses in the same words, says its contract suite."""
UNSEEN = Triple("", "pods/exec", "create")  # asked for along with `get`; no call tells of it
ARGO = frozenset(one for one in GRANTED if one.group == "argoproj.io")
READING = frozenset(one for one in NEEDED if one.verb in {"get", "list"} and one.resource != "pods/exec")


@pytest.fixture(scope="module", params=PLANES)
def tour(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tour]:
    with open_tour(tmp_path_factory.mktemp("permissions"), request.param) as opened:
        opened.go()
        yield opened


@pytest.fixture(autouse=True)
def at_home(tour: Tour, request: pytest.FixtureRequest) -> None:
    """All begin with every service on IRSA, but for the sweep, which leaves them where they are for the next rule."""
    if request.node.get_closest_marker("slow") is None:
        tour.home()


def test_the_commands_ask_for_what_is_granted_and_for_nothing_else(tour: Tour) -> None:
    asked = {triple for done in tour.done for triple in done.asked}

    assert asked == GRANTED - {UNSEEN}


def test_a_cluster_without_argo_rollouts_needs_no_line_for_them(tour: Tour) -> None:
    assert ARGO
    tour.operators[PLAIN].granted(GRANTED - ARGO)
    web = ("--service", f"{PLAIN}/web/web")
    for words in (
        ("plan", "--cluster", PLAIN),
        ("apply", *web, "--yes"),
        ("verify", *web),
        ("rollback", *web, "--yes"),
    ):
        tour.fleet.migrate(*words, "--quiet").ok()


def test_reading_is_enough_for_commands_that_change_nothing(tour: Tour) -> None:
    commands = (("plan", "--cluster", MAIN), ("show", "main/shop/job"), ("verify", *named("job")))
    with tour.operator.granted(READING):
        for words in commands:
            tour.fleet.migrate(*words, "--quiet").ok()
        before = tour.changes()
        ran = tour.fleet.migrate("apply", *named("job"), "--yes", "--quiet").ended(Exit.ERROR)

    assert 'create "pods" in namespace "shop" is not permitted' in ran.err
    assert tour.changes() == before


def test_plans_tell_what_they_were_not_permitted_to_see(tour: Tour) -> None:
    with tour.operator.granted(GRANTED - FINDINGS):
        ran = tour.fleet.migrate("plan", "--cluster", MAIN, "--quiet", "--dry-run", "--output", "json").ok()

    said = [one["object"] for one in ran.data["services"][0]["findings"] if one["code"] == "not-read"]
    assert sorted(said) == sorted(_by_group(FINDINGS))
    assert all("not-read" in {one["code"] for one in service["findings"]} for service in ran.data["services"])


def test_with_every_permission_nothing_is_left_unread(tour: Tour) -> None:
    ran = tour.fleet.migrate("plan", "--quiet", "--dry-run", "--output", "json").ok()

    assert "not-read" not in {one["code"] for service in ran.data["services"] for one in service["findings"]}


def _by_group(asked: frozenset[Triple]) -> list[str]:
    groups: dict[str, list[str]] = {}
    for one in sorted(asked):
        groups.setdefault(one.group or "v1", []).append(one.resource)
    return [f"{', '.join(resources)} of {group}" for group, resources in groups.items()]


def test_other_clusters_are_planned_while_one_may_not_be_read(tour: Tour) -> None:
    with tour.operator.granted(GRANTED - {Triple("", "nodes", "list")}):
        ran = tour.fleet.migrate("plan", "--quiet", "--output", "json").ended(Exit.UNFINISHED)

    assert [one["cluster"] for one in ran.data["left_out"]] == [MAIN]
    assert [one["service"] for one in ran.data["services"]] == [f"{PLAIN}/web/web"]


@pytest.mark.parametrize("triple", sorted(VARIABLES), ids=str)
def test_plans_tell_which_variables_they_were_not_permitted_to_look_at(tour: Tour, triple: Triple) -> None:
    def not_read() -> list[str]:
        told = tour.fleet.migrate("plan", "--cluster", MAIN, "--dry-run", "--quiet", "--output", "json").ok().data
        found = (finding for one in told["services"] for finding in one["findings"])
        return [finding["says"] for finding in found if finding["code"] == "not-read"]

    assert not not_read()
    with tour.operator.granted(GRANTED - {triple}):
        said = not_read()
    assert said
    assert all(f'{triple.verb} "{triple.what}"' in one for one in said)


def test_verify_tells_which_logs_it_was_not_permitted_to_read(tour: Tour) -> None:
    web = ("--service", f"{PLAIN}/web/web")
    tour.operators[PLAIN].grant(GRANTED)
    tour.fleet.migrate("apply", *web, "--yes", "--quiet").ok()
    with tour.operators[PLAIN].granted(GRANTED - LOGS):
        ran = tour.fleet.migrate("verify", *web, "--quiet").ok()
    tour.fleet.migrate("rollback", *web, "--yes", "--quiet").ok()

    assert 'log not read: get "pods/log" in namespace "web" is not permitted; add to the operator\'s role' in ran.out


@pytest.mark.slow
@ON_A_REAL_ONE
@pytest.mark.parametrize("triple", sorted(NEEDED), ids=str)
def test_a_rule_that_is_missing_is_named_and_nothing_is_lost(tour: Tour, triple: Triple) -> None:
    before = tour.changes()
    deed, ran = tour.refused(triple)

    ran.ended(Exit.ERROR)
    [said] = ran.err.splitlines()
    assert f'{triple.verb} "{triple.what}"' in said
    assert f'cluster "{MAIN}"' in said
    assert "in namespace" in said or "at the cluster scope" in said or triple.path
    assert USER in said or triple == UNSEEN
    assert yaml.safe_load(said.rpartition("add to the operator's role: ")[2]) == triple.rule
    if tour.changes() > before:
        tour.carried_out(deed)
    else:
        tour.owed.add(deed)


@pytest.mark.slow
@ON_A_REAL_ONE
def test_what_was_refused_ends_well_with_the_whole_role(tour: Tour) -> None:
    for deed in sorted(tour.owed, key=str):
        tour.made_ready(deed)
        tour.carried_out(deed)

    assert not tour.owed
