"""What must hold of every merge, whatever stands in the document."""

import json
from functools import reduce
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from migrator.model.trust import Subject, allows, merge, merge_all, ours, remove, same_policy, size
from migrator.model.trust_document import as_list
from migrator.model.wildcards import matches

ARNS = st.sampled_from([f"arn:aws:eks:us-east-1:111111111111:cluster/{name}" for name in ("a", "b")])
NAMES = st.sampled_from(["app", "web", "job", "db"])
SUBJECTS = st.builds(Subject, ARNS, NAMES, NAMES)
TEXTS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=12)
VALUES = st.one_of(TEXTS, st.lists(TEXTS, max_size=3), st.booleans(), st.integers())
CONDITIONS = st.dictionaries(
    st.sampled_from(["StringEquals", "StringLike", "ForAnyValue:StringLike", "NumericLessThan", "Odd"]),
    st.dictionaries(
        st.sampled_from(["aws:RequestTag/kubernetes-namespace", "x:sub", "aws:SourceIp"]), VALUES, max_size=2
    ),
    max_size=2,
)
PRINCIPALS = st.one_of(
    st.just("*"), st.dictionaries(st.sampled_from(["AWS", "Service", "Federated"]), VALUES, min_size=1, max_size=2)
)
STATEMENTS = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Deny"]), "Principal": PRINCIPALS},
    optional={
        "Sid": st.one_of(TEXTS, st.just("IrsaMigratorabc")),
        "Action": st.one_of(st.just("sts:AssumeRole"), st.lists(TEXTS, max_size=2)),
        "Condition": CONDITIONS,
        "Extra": VALUES,
    },
)
FOREIGN = st.fixed_dictionaries(
    {"Statement": st.one_of(STATEMENTS, st.lists(STATEMENTS, max_size=3))},
    optional={"Version": st.sampled_from(["2012-10-17", "2008-10-17"]), "Id": TEXTS},
)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A document of others, into which some services may have been merged before."""
    text = json.dumps(draw(FOREIGN), indent=draw(st.sampled_from([None, 2])))
    return reduce(_merged, draw(st.lists(SUBJECTS, max_size=3)), text)


def _merged(document: str, subject: Subject) -> str:
    return merge(document, subject).document


@given(documents(), SUBJECTS)
def test_merging_twice_is_merging_once(document: str, subject: Subject) -> None:
    once = merge(document, subject).document

    assert merge(once, subject).document == once


@given(documents(), SUBJECTS, SUBJECTS)
def test_two_services_may_come_in_any_order(document: str, one: Subject, other: Subject) -> None:
    assert _merged(_merged(document, one), other) == _merged(_merged(document, other), one)


@given(documents(), st.lists(SUBJECTS, max_size=4))
def test_many_at_once_are_one_after_the_other(document: str, wanted: list[Subject]) -> None:
    assert merge_all(document, wanted).document == reduce(_merged, wanted, document)


@given(documents(), SUBJECTS)
def test_there_and_back_is_the_identity(document: str, subject: Subject) -> None:
    merged = merge(document, subject)
    back = remove(merged.document, subject, document)

    if merged.changed:
        assert back.document == document


@given(documents(), SUBJECTS, SUBJECTS)
def test_one_service_going_back_leaves_the_other(document: str, one: Subject, other: Subject) -> None:
    both = _merged(_merged(document, one), other)
    left = remove(both, one, document).document

    assert ours(left) == ours(both) - {one}
    assert one == other or allows(left, other) == allows(both, other)


@given(FOREIGN, SUBJECTS)
def test_statements_of_others_and_other_keys_stay(data: dict[str, Any], subject: Subject) -> None:
    merged = json.loads(merge(json.dumps(data), subject).document)
    foreign = [json.dumps(statement) for statement in as_list(data["Statement"])]

    assert [json.dumps(statement) for statement in as_list(merged["Statement"])][: len(foreign)] == foreign
    assert list(merged) == list(data)
    assert {**merged, "Statement": None} == {**data, "Statement": None}


@given(st.lists(SUBJECTS, max_size=6, unique=True), SUBJECTS)
def test_nobody_else_is_let_in(wanted: list[Subject], stranger: Subject) -> None:
    document = reduce(_merged, wanted, '{"Version":"2012-10-17","Statement":[]}')

    assert allows(document, stranger) == (stranger in wanted)
    assert ours(document) == frozenset(wanted)


@given(documents(), SUBJECTS)
def test_sids_stay_apart_and_plain(document: str, subject: Subject) -> None:
    given_sids = [s.get("Sid") for s in as_list(json.loads(document)["Statement"])]
    sids = [s.get("Sid") for s in as_list(json.loads(_merged(document, subject))["Statement"])]
    new = [sid for sid in sids if sid not in given_sids]

    assert all(sid.isalnum() and sids.count(sid) == 1 for sid in new)


@given(documents())
def test_size_counts_no_white_space(document: str) -> None:
    data = json.loads(document)

    assert size(document) == size(json.dumps(data, indent=4))
    assert size(document) == len([c for c in json.dumps(data, ensure_ascii=False) if not c.isspace()])


@given(documents())
def test_the_same_policy_is_the_same(document: str) -> None:
    data = json.loads(document)
    turned = {**data, "Statement": list(reversed(as_list(data["Statement"])))}

    assert same_policy(document, json.dumps(turned, indent=3))


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=8))
def test_patterns(pattern: str, text: str) -> None:
    assert matches(pattern, text) == _slowly(pattern, text)


def _slowly(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(_slowly(pattern[1:], text[start:]) for start in range(len(text) + 1))
    return bool(text) and pattern[0] in {"?", text[0]} and _slowly(pattern[1:], text[1:])
