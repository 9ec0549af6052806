"""What is new, known and gone; and that new clusters get names which are theirs alone, and always the same."""

from collections.abc import Sequence
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.documents.yaml_file import checked, parse
from migrator.model.discovery import Listed, Place
from migrator.model.fleet import FleetCluster
from migrator.planning.discovery import aliases, compare
from migrator.store.fleet_file import schema
from migrator.store.fleet_merge import merged

A, B = "111111111111", "222222222222"
IRELAND, FRANKFURT = "eu-west-1", "eu-central-1"


def listed(name: str, account: str = A, region: str = IRELAND) -> Listed:
    return Listed(Place(account, region), name)


def entry(alias: str, name: str, account: str = A, region: str = IRELAND) -> FleetCluster:
    return FleetCluster(alias=alias, name=name, region=region, account=account)


ALIASES = {  # by case: taken, new, what they are called
    "a name of its own": ([], [listed("prod"), listed("test")], ["prod", "test"]),
    "two regions": ([], [listed("prod"), listed("prod", A, FRANKFURT)], ["prod-eu-west-1", "prod-eu-central-1"]),
    "two accounts": (
        [],
        [listed("prod"), listed("prod", B)],
        ["prod-111111111111-eu-west-1", "prod-222222222222-eu-west-1"],
    ),
    "two accounts and another region": (
        [],
        [listed("prod"), listed("prod", B), listed("prod", B, FRANKFURT)],
        ["prod-111111111111-eu-west-1", "prod-222222222222-eu-west-1", "prod-eu-central-1"],
    ),
    "taken": (["prod"], [listed("prod")], ["prod-eu-west-1"]),
    "taken in other letters": (["Prod", "PROD-eu-west-1"], [listed("prod")], ["prod-111111111111-eu-west-1"]),
    "all taken": (
        ["prod", "prod-eu-west-1", "prod-111111111111-eu-west-1"],
        [listed("prod")],
        ["prod-111111111111-eu-west-1-2"],
    ),
    "the name of another one": ([], [listed("prod-eu-west-1"), listed("prod"), listed("prod", A, FRANKFURT)], [
        "prod-eu-west-1",
        "prod-111111111111-eu-west-1",
        "prod-eu-central-1",
    ]),
}  # fmt: skip


@pytest.mark.parametrize("case", ALIASES)
def test_aliases(case: str) -> None:
    taken, new, expected = ALIASES[case]

    for order in permutations(new):
        called = aliases(order, taken)
        assert [called[one] for one in new] == expected


_NAMES = st.from_regex(r"\A[A-Ca-c][ab_-]{0,2}\Z") | st.just("x" * 100)
_LISTED = st.builds(listed, _NAMES, st.sampled_from([A, B]), st.sampled_from([IRELAND, FRANKFURT]))


@given(st.sets(_LISTED, min_size=1, max_size=12), st.sets(_NAMES, max_size=6))
def test_aliases_are_valid_and_nobody_elses(new: set[Listed], taken: set[str]) -> None:
    called = aliases(sorted(new), taken)

    path = Path("fleet.yaml")
    clusters = [entry(called[one], one.name, one.place.account, one.place.region) for one in sorted(new)]
    checked(parse(path, merged(path, None, clusters, [])), schema())
    lowered = [alias.casefold() for alias in called.values()]
    assert len(set(lowered)) == len(new)
    assert not set(lowered) & {alias.casefold() for alias in taken}


def states(
    clusters: Sequence[FleetCluster], found: Sequence[Listed], looked: Sequence[Place], names: Sequence[str] = ()
) -> dict[str, str]:
    return {one.cluster.alias: str(one.known) for one in compare(clusters, found, looked, names)}


def test_known_by_account_region_and_name_whatever_its_alias() -> None:
    assert states([entry("mine", "prod")], [listed("prod")], [Place(A, IRELAND)]) == {"mine": "known"}


def test_gone_only_where_was_looked_and_for_what() -> None:
    clusters = [entry("a", "prod"), entry("b", "prod", B), entry("c", "test")]

    assert states(clusters, [], [Place(A, IRELAND)], ["prod*"]) == {"a": "gone", "b": "known", "c": "known"}


def test_new_ones_come_last_and_in_order() -> None:
    found = [listed("z"), listed("a"), listed("a", B), listed("known")]

    assert list(states([entry("k", "known")], found, [Place(A, IRELAND), Place(B, IRELAND)])) == [
        "k",
        "a-111111111111-eu-west-1",
        "z",
        "a-222222222222-eu-west-1",
    ]
