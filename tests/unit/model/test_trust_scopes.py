"""How narrow a statement of ours is, how several services share one, and what it takes over from IRSA."""

import json
from functools import reduce
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.model.trust import (
    QUOTA,
    Scope,
    Subject,
    allows,
    granted,
    merge,
    merge_all,
    ours,
    remove,
    size,
    standing,
    statement_for,
    subject_from,
)
from migrator.model.trust.boxes import boxes

ARNS = [f"arn:aws:eks:us-east-1:111111111111:cluster/{name}" for name in ("a", "b")]
UNTIL = (("DateLessThan", "aws:CurrentTime", ("2030-01-01T00:00:00Z",)),)
EMPTY = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"sts:SetSourceIdentity"}]}'
CELLS = st.sets(st.tuples(*[st.sampled_from("abc")] * 3), min_size=1, max_size=9)
SUBJECTS = st.builds(
    Subject,
    st.sampled_from(ARNS),
    st.sampled_from(["n", "m"]),
    st.sampled_from(["x", "y"]),
    st.sampled_from(Scope),
    st.sampled_from([(), UNTIL]),
)


def one(scope: Scope = Scope.SERVICE, *, arn: str = ARNS[0], namespace: str = "shop", name: str = "orders") -> Subject:
    return Subject(arn, namespace, name, scope)


def written(*wanted: Subject) -> list[dict[str, Any]]:
    """The statements of ours for these."""
    found: list[dict[str, Any]] = json.loads(merge_all(EMPTY, wanted).document)["Statement"][1:]
    return found


@given(CELLS)
def test_boxes_admit_exactly_who_was_asked_for_each_once(cells: set[tuple[str, ...]]) -> None:
    made = boxes(cells, lambda _box: 1)
    admitted = [cell for box in made for cell in product(*box)]
    assert sorted(admitted) == sorted(cells)


@given(st.lists(SUBJECTS, max_size=6), st.randoms())
def test_services_of_all_scopes_may_come_in_any_order(wanted: list[Subject], dice: Any) -> None:
    mixed = list(wanted)
    dice.shuffle(mixed)
    texts = {reduce(lambda text, subject: merge(text, subject).document, order, EMPTY) for order in (wanted, mixed)}
    assert texts == {merge_all(EMPTY, wanted).document}
    assert ours(texts.pop()) == {subject.share for subject in wanted}


@given(st.lists(SUBJECTS, min_size=1, max_size=6))
def test_the_first_form_is_back_when_the_last_share_is_gone(wanted: list[Subject]) -> None:
    """Whoever goes first: the image of the one who came first is enough."""
    spaced = json.dumps(json.loads(EMPTY), indent=1)
    now = merge_all(spaced, wanted).document
    for subject in wanted:
        now = remove(now, subject, None, (spaced,)).document
    assert now == spaced


@given(SUBJECTS)
def test_plans_and_journal_keep_all_of_it(subject: Subject) -> None:
    assert subject_from(json.loads(json.dumps(subject.plain()))) == subject


def test_a_narrow_subject_is_kept_as_it_always_was() -> None:
    assert one().plain() == {"cluster_arn": ARNS[0], "namespace": "shop", "name": "orders"}


def test_one_service_in_two_clusters_is_one_statement() -> None:
    (statement,) = written(one(), one(arn=ARNS[1]))
    assert statement["Condition"]["StringEquals"]["aws:RequestTag/eks-cluster-arn"] == ARNS


def test_pairs_that_nobody_asked_for_are_not_admitted() -> None:
    wanted = {one(namespace="a", name="x"), one(namespace="b", name="y")}
    document = merge_all(EMPTY, wanted).document
    assert len(json.loads(document)["Statement"]) == 3
    assert not allows(document, one(namespace="a", name="y"))
    crossed = {one(namespace=namespace, name=name) for namespace in "ab" for name in "xy"}
    assert len(written(*crossed)) == 1


@pytest.mark.parametrize(
    ("scope", "condition"),
    [
        (Scope.CLUSTER, {"StringEquals": {"aws:RequestTag/eks-cluster-arn": ARNS[0]}}),
        (Scope.NONE, None),
    ],
)
def test_a_wide_statement_asks_for_no_more(scope: Scope, condition: Any) -> None:
    statement = statement_for(one(scope))
    assert statement.get("Condition") == condition
    assert statement["Action"] == ["sts:AssumeRole", "sts:TagSession"]


def test_who_a_wide_statement_lets_in() -> None:
    clusters, everybody = (merge(EMPTY, one(scope)).document for scope in (Scope.CLUSTER, Scope.NONE))
    assert [allows(clusters, who) for who in (one(), one(name="other"), one(arn=ARNS[1]))] == [True, True, False]
    assert [allows(everybody, who) for who in (one(), one(arn=ARNS[1]))] == [True, True]


def test_another_services_wide_share_is_not_built_on() -> None:
    """It may go any time: a service that is to have its own gets it all the same."""
    document = merge(EMPTY, one(Scope.CLUSTER, name="other")).document
    assert (allows(document, one()), granted(document, one())) == (True, False)
    assert merge(document, one()).changed
    assert not merge(document, one(Scope.CLUSTER)).changed


def test_what_stands_is_the_narrowest_share() -> None:
    wide = merge(EMPTY, one(Scope.NONE)).document
    assert standing(EMPTY, one()) is None
    assert standing(wide, one()) == one(Scope.NONE)
    assert standing(merge(wide, one()).document, one()) == one()
    assert standing(merge(wide, one(Scope.CLUSTER)).document, one()) == one(Scope.CLUSTER)


def test_a_carried_condition_stands_in_the_statement_and_keeps_it_ours() -> None:
    subject = Subject(ARNS[0], "shop", "orders", Scope.SERVICE, UNTIL)
    document = merge(EMPTY, subject).document
    (statement,) = written(subject)
    assert statement["Condition"]["DateLessThan"] == {"aws:CurrentTime": "2030-01-01T00:00:00Z"}
    assert ours(document) == {subject}
    assert allows(document, one())
    assert granted(document, subject)
    assert remove(document, subject, EMPTY).document == EMPTY


@pytest.mark.parametrize("more", [{"StringLike": {"aws:SourceVpce": "x"}}, {"StringEquals": {"aws:SourceVpce": "x"}}])
def test_a_statement_with_any_other_condition_is_not_ours(more: dict[str, dict[str, str]]) -> None:
    statement = statement_for(one())
    for operator, keys in more.items():
        statement["Condition"] = {
            **statement["Condition"],
            operator: {**statement["Condition"].get(operator, {}), **keys},
        }
    assert ours(json.dumps({"Statement": [statement]})) == frozenset()


def test_wider_statements_leave_room() -> None:
    crowd = [(namespace, f"service-{number}") for number, namespace in enumerate("abcdefghij")]
    narrow, wide = (
        size(merge_all(EMPTY, [one(scope, namespace=n, name=s) for n, s in crowd]).document)
        for scope in (Scope.SERVICE, Scope.CLUSTER)
    )
    assert wide < QUOTA / 4
    assert narrow > QUOTA
