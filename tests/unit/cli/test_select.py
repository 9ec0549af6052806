"""`--service X` and the selectors, as tables."""

from collections.abc import Collection, Mapping

import pytest

from migrator.cli.select import Selectors, resolve, selectors
from migrator.model.errors import UsageError
from migrator.model.ids import ServiceId

A = ServiceId("prod", "shop", "orders")
B = ServiceId("prod", "shop", "checkout")
C = ServiceId("test", "shop", "orders")
D = ServiceId("prod", "books", "catalog")
E = ServiceId("prod", "books", "shelf-sa")
SERVICES = (D, E, B, A, C)
WORKLOADS: Mapping[ServiceId, Collection[str]] = {
    A: {"orders-api", "orders-worker"},
    B: {"checkout", "cart"},
    C: {"orders-test"},
    D: {"catalog", "shelf"},
    E: {"shelf", "cart"},
}

FOUND = {
    "[full id]": (["prod/shop/orders"], (A,)),
    "[namespace and name] only one cluster has it": (["books/catalog"], (D,)),
    "[name] of one ServiceAccount": (["checkout"], (B,)),
    "[workload] of one service": (["orders-worker"], (A,)),
    "[name and workload] of the same service are one": (["catalog"], (D,)),
    "[several] in the order asked for": (["catalog", "prod/shop/orders"], (D, A)),
    "[several] the same twice is once": (["checkout", "shop/checkout"], (B,)),
}

REFUSED = {
    "[ambiguous] a name in two clusters": (
        "orders",
        ['"orders" is ambiguous', '"prod/shop/orders", "test/shop/orders"', "whole id"],
    ),
    "[ambiguous] namespace and name in two clusters": ("shop/orders", ['"prod/shop/orders", "test/shop/orders"']),
    "[ambiguous] a workload of two services": ("shelf", ['"prod/books/catalog", "prod/books/shelf-sa"']),
    "[unknown] close to a name": ("chekout", ['"chekout" is not known', 'did you mean "checkout"?', "migrate status"]),
    "[unknown] close to a workload": ("orders-wroker", ['did you mean "orders-worker"']),
    "[unknown] close to an id": ("prod/shop/order", ['did you mean "prod/shop/orders"']),
    "[unknown] close to nothing": ("zzz", ['"zzz" is not known', '"migrate plan" finds new ones']),
    "[unknown] too many parts": ("a/b/c/d", ['"a/b/c/d" is not known']),
    "[unknown] empty": ("", ['"" is not known']),
}


@pytest.mark.parametrize(("wanted", "expected"), FOUND.values(), ids=FOUND.keys())
def test_found(wanted: list[str], expected: tuple[ServiceId, ...]) -> None:
    assert resolve(wanted, SERVICES, lambda: WORKLOADS) == expected


@pytest.mark.parametrize(("wanted", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(wanted: str, said: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        resolve([wanted], SERVICES, lambda: WORKLOADS)

    assert all(part in caught.value.sentence() for part in said), caught.value.sentence()


def test_without_plans_the_next_command_is_plan() -> None:
    with pytest.raises(UsageError, match="no plans yet") as caught:
        resolve(["orders"], (), dict)

    assert caught.value.remedy == 'run "migrate plan" first'


def test_plans_are_not_read_when_an_id_is_given() -> None:
    def reading() -> Mapping[ServiceId, Collection[str]]:
        raise AssertionError

    assert resolve(["prod/shop/orders", "books/catalog"], SERVICES, reading) == (A, D)


def test_a_long_list_of_candidates_is_cut() -> None:
    many = [ServiceId(f"c{number:02}", "shop", "orders") for number in range(25)]

    with pytest.raises(UsageError, match="and 15 more"):
        resolve(["orders"], many, dict)


ARN = "arn:aws:iam::111122223333:role/app/orders-role"
SELECTED = {
    "[all] no selector": (Selectors(), True),
    "[cluster] glob": (Selectors(clusters=("pr*",)), True),
    "[cluster] other": (Selectors(clusters=("test",)), False),
    "[cluster] one of several": (Selectors(clusters=("test", "prod")), True),
    "[account] exact": (Selectors(accounts=("111122223333",)), True),
    "[account] other": (Selectors(accounts=("9*",)), False),
    "[namespace] glob": (Selectors(namespaces=("sh?p",)), True),
    "[namespace] case matters": (Selectors(namespaces=("SHOP",)), False),
    "[role] name": (Selectors(roles=("orders-*",)), True),
    "[role] whole ARN": (Selectors(roles=("*:role/app/*",)), True),
    "[role] other": (Selectors(roles=("billing-*",)), False),
    "[joined] all must agree": (Selectors(clusters=("prod",), roles=("billing-*",)), False),
}


@pytest.mark.parametrize(("chosen", "expected"), SELECTED.values(), ids=SELECTED.keys())
def test_selectors(chosen: Selectors, *, expected: bool) -> None:
    assert (chosen.cluster("prod", "111122223333") and chosen.service(A, ARN)) is expected


def test_options_become_selectors() -> None:
    assert selectors(None, ["a"], [], ["r", "s"]) == Selectors(namespaces=("a",), roles=("r", "s"))
