"""What must hold of every merge, whatever stands in the document.

Byte for byte means: written without white space between its tokens, in its own order of keys, with a scalar or a list
where it had one. IAM's readers hand the document over parsed, so that nothing finer could be kept.
"""

import json
from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from migrator.model.trust import (
    Subject,
    allows,
    merge,
    merge_all,
    ours,
    remove,
    same_policy,
    size,
    statement_for,
)
from migrator.model.trust.document import as_list, minified
from migrator.model.wildcards import matches

ARNS = st.sampled_from([f"arn:aws:eks:us-east-1:111111111111:cluster/{name}" for name in ("a", "b")])
NAMES = st.sampled_from(["app", "web", "job", "db"])
SUBJECTS = st.one_of(
    st.builds(Subject, ARNS, NAMES, NAMES),
    st.builds(Subject, ARNS, NAMES, NAMES, path=st.sampled_from(["/", "/eks/"]), tagged=st.booleans()),
)
TEXTS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF) | st.sampled_from("\t\n\r"), max_size=6)
NUMBERS = st.sampled_from([0, -1, 2**53 + 1, 0.5, 1e22, 5e-324])
VALUES = st.one_of(TEXTS, st.lists(TEXTS, max_size=2), st.booleans(), NUMBERS, st.none())
OPERATORS = st.sampled_from(
    ["StringEquals", "StringLike", "stringequalsifexists", "ForAnyValue:StringLike", "NumericLessThan", "Null", "Odd"]
)
KEYS = st.sampled_from(["aws:RequestTag/kubernetes-namespace", "x:sub", "x:aud", "aws:SourceIp", "aws:SourceArn"])
CONDITIONS = st.dictionaries(OPERATORS, st.dictionaries(KEYS, VALUES, max_size=2), max_size=2)
KINDS = st.sampled_from(["AWS", "Service", "Federated", "CanonicalUser"])
PRINCIPALS = st.one_of(
    st.sampled_from(["*", {"AWS": "*"}, {"Service": "pods.eks.amazonaws.com"}]),
    st.dictionaries(KINDS, VALUES, min_size=1, max_size=2),
)
ACTIONS = st.sampled_from(["sts:AssumeRole", ["sts:TagSession", "STS:assumerole"], [], "*", ["é", "é"]])
EFFECTS = st.sampled_from(["Allow", "Deny"])
SHAPES = st.one_of(
    st.fixed_dictionaries(
        {"Effect": EFFECTS, "Principal": PRINCIPALS, "Action": ACTIONS}, optional={"Condition": CONDITIONS}
    ),
    st.fixed_dictionaries(
        {"Sid": TEXTS | st.sampled_from(["IrsaMigratorabc", "IrsaMigrator"]), "NotPrincipal": PRINCIPALS},
        optional={"Effect": EFFECTS, "NotAction": ACTIONS, "Condition": CONDITIONS, "Extra": VALUES},
    ),
    st.builds(lambda subject, note: {**statement_for(subject), "Note": note}, SUBJECTS, VALUES),  # nearly like ours
)
ORDERS = st.sampled_from([list, sorted, reversed])


def _ordered(made: dict[str, Any], order: Callable[[dict[str, Any]], Iterable[str]]) -> dict[str, Any]:
    return {key: made[key] for key in order(made)}


STATEMENTS: st.SearchStrategy[dict[str, Any]] = st.builds(_ordered, SHAPES, ORDERS)
LISTS = st.lists(STATEMENTS, max_size=3) | st.builds(lambda one: [one, one], STATEMENTS)
FOREIGN: st.SearchStrategy[dict[str, Any]] = st.builds(
    _ordered,
    st.fixed_dictionaries(
        {"Statement": STATEMENTS | LISTS},
        optional={"Version": st.sampled_from(["2012-10-17", "2008-10-17"]), "Id": TEXTS},
    ),
    ORDERS,
)
FORMS: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {},
        {"indent": 2},
        {"indent": "\t"},
        {"ensure_ascii": False},
        {"separators": (",", ":")},
        {"separators": (" ,", " : ")},
    ]
)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A document of others in any spelling, into which some services may have been merged before."""
    text = json.dumps(draw(FOREIGN), **draw(FORMS))
    return reduce(_merged, draw(st.lists(SUBJECTS, max_size=3)), text)


def theirs(document: str) -> tuple[list[str], str]:
    """Byte for byte: what is not ours, statement by statement, and everything around the statements."""
    data = json.loads(document)
    kept = [one for one in as_list(data["Statement"]) if not ours(json.dumps({"Statement": one}))]
    return [minified(one) for one in kept], minified({**data, "Statement": None})


relaxed = settings(suppress_health_check=[HealthCheck.too_slow])


def _merged(document: str, subject: Subject) -> str:
    return merge(document, subject).document


@relaxed
@given(documents(), SUBJECTS)
def test_merging_twice_is_merging_once(document: str, subject: Subject) -> None:
    once = merge(document, subject).document

    assert merge(once, subject).document == once


@relaxed
@given(documents(), SUBJECTS, SUBJECTS)
def test_two_services_may_come_in_any_order(document: str, one: Subject, other: Subject) -> None:
    assert _merged(_merged(document, one), other) == _merged(_merged(document, other), one)


@relaxed
@given(documents(), st.lists(SUBJECTS, max_size=4))
def test_many_at_once_are_one_after_the_other(document: str, wanted: list[Subject]) -> None:
    assert merge_all(document, wanted).document == reduce(_merged, wanted, document)


@relaxed
@given(documents(), SUBJECTS)
def test_there_and_back_is_the_identity(document: str, subject: Subject) -> None:
    merged = merge(document, subject)
    back = remove(merged.document, subject, document)

    if merged.changed:
        assert back.document == document


@relaxed
@given(documents(), SUBJECTS, SUBJECTS)
def test_one_service_going_back_leaves_the_other(document: str, one: Subject, other: Subject) -> None:
    both = _merged(_merged(document, one), other)
    left = remove(both, one, document).document

    assert ours(left) == ours(both) - {one}
    assert one == other or allows(left, other) == allows(both, other)


@relaxed
@given(FOREIGN, FORMS, SUBJECTS)
def test_statements_of_others_and_other_keys_stay(data: dict[str, Any], form: dict[str, Any], subject: Subject) -> None:
    merged = merge(json.dumps(data, **form), subject).document

    assert theirs(merged) == theirs(json.dumps(data))
    foreign_first = [minified(one) for one in as_list(json.loads(merged)["Statement"])]
    assert foreign_first[: len(as_list(data["Statement"]))] == [minified(one) for one in as_list(data["Statement"])]


@relaxed
@given(documents(), st.lists(st.tuples(SUBJECTS, st.booleans()), max_size=8))
def test_services_come_and_go_in_any_order(document: str, moves: list[tuple[Subject, bool]]) -> None:
    """Each with the before-image of its own way there, as the journal keeps it."""
    now, images = document, dict[Subject, str]()
    for subject, there in moves:
        if there and merge(now, subject).changed:
            images[subject] = now
            now = merge(now, subject).document
        elif not there and subject in images:
            now = remove(now, subject, images.pop(subject)).document

    assert theirs(now) == theirs(document)
    assert ours(now) == ours(document) | images.keys()
    assert images or same_policy(now, document)


@relaxed
@given(documents(), st.lists(SUBJECTS, max_size=4, unique=True))
def test_last_there_first_back_gives_every_text_back(document: str, wanted: list[Subject]) -> None:
    texts = [document]
    for subject in wanted:
        texts.append(_merged(texts[-1], subject))
    for subject in reversed(wanted):
        now, image = texts.pop(), texts[-1]
        assert (remove(now, subject, image).document if now != image else now) == image


@relaxed
@given(documents(), SUBJECTS, STATEMENTS, st.data())
def test_an_edit_in_between_stays_byte_for_byte(
    document: str, subject: Subject, added: dict[str, Any], data: st.DataObject
) -> None:
    merged = merge(document, subject)
    assume(merged.changed)
    edited = json.loads(merged.document)
    edited["Statement"].insert(data.draw(st.integers(0, len(edited["Statement"]))), added)
    if data.draw(st.booleans()):
        edited["Id"] = "theirs"
    text = json.dumps(edited)

    back = remove(text, subject, document)

    assert theirs(back.document) == theirs(text)
    assert ours(back.document) == ours(text) - {subject}


@relaxed
@given(documents(), SUBJECTS)
def test_an_edit_of_form_alone_is_an_edit(document: str, subject: Subject) -> None:
    merged = merge(document, subject)
    assume(merged.changed)
    turned = {key: json.loads(merged.document)[key] for key in reversed(json.loads(merged.document))}

    assert theirs(remove(json.dumps(turned), subject, document).document) == theirs(json.dumps(turned))


@relaxed
@given(st.lists(SUBJECTS, max_size=6, unique=True), SUBJECTS)
def test_nobody_else_is_let_in(wanted: list[Subject], stranger: Subject) -> None:
    document = reduce(_merged, wanted, '{"Version":"2012-10-17","Statement":[]}')

    assert allows(document, stranger) == (stranger in wanted)
    assert ours(document) == frozenset(wanted)


@relaxed
@given(documents(), SUBJECTS)
def test_sids_stay_apart_and_plain(document: str, subject: Subject) -> None:
    given_sids = [s.get("Sid") for s in as_list(json.loads(document)["Statement"])]
    sids = [s.get("Sid") for s in as_list(json.loads(_merged(document, subject))["Statement"])]
    new = [sid for sid in sids if sid not in given_sids]

    assert all(sid.isalnum() and sids.count(sid) == 1 for sid in new)


@relaxed
@given(documents())
def test_size_counts_no_white_space(document: str) -> None:
    data = json.loads(document)

    assert size(document) == size(json.dumps(data, indent=4))
    assert size(document) == len([c for c in json.dumps(data, ensure_ascii=False) if c not in " \t\r\n"])


@relaxed
@given(documents(), SUBJECTS)
def test_the_size_told_is_the_size_written(document: str, subject: Subject) -> None:
    merged = merge(document, subject)
    removed = remove(merged.document, subject, document)

    assert (merged.size, removed.size) == (size(merged.document), size(removed.document))


@relaxed
@given(documents())
def test_the_same_policy_is_the_same(document: str) -> None:
    data = json.loads(document)
    turned = {**data, "Statement": list(reversed(as_list(data["Statement"])))}

    assert same_policy(document, json.dumps(turned, indent=3))


@relaxed
@given(st.text("ab*?", max_size=8), st.text("ab", max_size=8))
def test_patterns(pattern: str, text: str) -> None:
    assert matches(pattern, text) == _slowly(pattern, text)


def _slowly(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(_slowly(pattern[1:], text[start:]) for start in range(len(text) + 1))
    return bool(text) and pattern[0] in {"?", text[0]} and _slowly(pattern[1:], text[1:])
