"""Runs `tests/cases/trust.json`: what real-life trust policies say, and what a merge makes of them."""

import json
from pathlib import Path
from typing import Any

import pytest

from migrator.model.trust import Subject, TrustUnreadable, allows, irsa_match, merge, ours, remove, same_policy, size
from migrator.model.trust.document import as_list

ISSUER = "oidc.eks.us-east-1.amazonaws.com/id/ABCDEF0123456789"
ACCOUNT = "111111111111"
CLUSTER = f"arn:aws:eks:us-east-1:{ACCOUNT}:cluster/shop"
WORDS = {
    "PROVIDER": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}",
    "ISSUER": ISSUER,
    "issuer:": f"{ISSUER.upper()}:",
    "CLUSTER": CLUSTER,
}
SUBJECT = Subject(CLUSTER, "demo", "order-sa")

_FILE = Path(__file__).parents[2] / "cases" / "trust.json"
CASES: list[dict[str, Any]] = json.loads(_FILE.read_text(encoding="utf-8"))["cases"]


def document(case: dict[str, Any]) -> str:
    text = json.dumps(case["document"], indent=1)
    for word, meant in WORDS.items():
        text = text.replace(word, meant)
    return text


every_case = pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])


def test_there_are_enough_shapes() -> None:
    assert len(CASES) >= 40
    assert len({case["name"] for case in CASES}) == len(CASES)


@every_case
def test_irsa(case: dict[str, Any]) -> None:
    match = irsa_match(
        document(case), issuer_host=ISSUER, account=ACCOUNT, partition="aws", namespace="demo", name="order-sa"
    )

    assert match.kind == case["irsa"]
    assert bool(match.unsure) == case["name"].startswith("unsure")


@every_case
def test_pod_identity(case: dict[str, Any]) -> None:
    assert allows(document(case), SUBJECT) == case["allows"]


@every_case
def test_merge(case: dict[str, Any]) -> None:
    before = document(case)
    merged = merge(before, SUBJECT)

    assert merged.changed == case["merge"]["changed"]
    assert allows(merged.document, SUBJECT) == case["merge"]["allows"]
    assert merged.size == size(merged.document)
    again = merge(merged.document, SUBJECT)
    assert (again.document, again.changed) == (merged.document, False)


@every_case
def test_statements_of_others_stay_byte_for_byte(case: dict[str, Any]) -> None:
    before, merged = json.loads(document(case)), json.loads(merge(document(case), SUBJECT).document)
    foreign = [json.dumps(s) for s in as_list(before.get("Statement")) if "IrsaMigrator" not in str(s.get("Sid"))]

    kept = [json.dumps(s) for s in as_list(merged["Statement"])] if "Statement" in merged else []
    assert kept[: len(foreign)] == foreign
    assert [k for k in merged if k != "Statement"] == [k for k in before if k != "Statement"]


@every_case
def test_there_and_back_is_the_identity(case: dict[str, Any]) -> None:
    before = document(case)
    merged = merge(before, SUBJECT)
    back = remove(merged.document, SUBJECT, before) if merged.changed else remove(before, Subject(CLUSTER, "demo", "x"))

    assert back.document == before
    if merged.changed:
        assert SUBJECT not in ours(remove(merged.document, SUBJECT).document)


def test_a_foreign_edit_in_between_stays() -> None:
    before = document(CASES[0])
    merged = json.loads(merge(before, SUBJECT).document)
    merged["Statement"].append({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"})

    back = remove(json.dumps(merged), SUBJECT, before)

    assert not same_policy(back.document, before)
    assert [s["Principal"] for s in json.loads(back.document)["Statement"]] == [
        {"Federated": WORDS["PROVIDER"]},
        {"AWS": "*"},
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "cannot be read"),
        ("[]", "it is list, not an object"),
        ('{"Statement": "all"}', "a statement is not an object"),
        ('{"Statement": [], "Statement": []}', 'the key "Statement" is written twice'),
        ('{"Statement": [{"Condition": {"NumericEquals": {"a": NaN}}}]}', "NaN is no JSON number"),
    ],
)
def test_what_is_no_trust_policy_is_not_edited(text: str, said: str) -> None:
    with pytest.raises(TrustUnreadable, match=said):
        merge(text, SUBJECT)


def test_taking_out_the_last_statement_is_told() -> None:
    alone = merge('{"Version":"2012-10-17"}', SUBJECT)

    assert not remove(alone.document, Subject(CLUSTER, "demo", "other")).empty
    assert remove(alone.document, SUBJECT).empty
