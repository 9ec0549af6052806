"""The policy evaluator of the practice fleet, as a table: statement, caller and context in, verdict out."""

from __future__ import annotations

from typing import Any

import pytest

from migrator.lab.aws.conditions import arn_like, holds, known_operator, like, substitute
from migrator.lab.aws.policy import (
    Ask,
    Principal,
    Verdict,
    context_of,
    identity_verdict,
    trust_verdict,
)

ROLE = "arn:aws:iam::111122223333:role/team/web"
CALLER = Principal(
    "AWS",
    frozenset({ROLE, "arn:aws:sts::111122223333:assumed-role/web/s", "AROAEXAMPLE"}),
    "111122223333",
)
PODS = Principal("Service", frozenset({"pods.eks.amazonaws.com"}))
HOST = "oidc.eks.us-east-1.amazonaws.com/id/ABC"


def _trust(**statement: Any) -> dict[str, Any]:
    return {"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole"} | statement}


TRUST = [
    ("[trust] role arn", _trust(Principal={"AWS": ROLE}), CALLER, Verdict.ALLOWED),
    ("[trust] list of arns", _trust(Principal={"AWS": ["arn:aws:iam::1:role/x", ROLE]}), CALLER, Verdict.ALLOWED),
    ("[trust] path matters", _trust(Principal={"AWS": ROLE.replace("team/", "")}), CALLER, Verdict.SILENT),
    ("[trust] account root", _trust(Principal={"AWS": "arn:aws:iam::111122223333:root"}), CALLER, Verdict.BY_ACCOUNT),
    ("[trust] account id", _trust(Principal={"AWS": "111122223333"}), CALLER, Verdict.BY_ACCOUNT),
    ("[trust] another account", _trust(Principal={"AWS": "999999999999"}), CALLER, Verdict.SILENT),
    ("[trust] everybody", _trust(Principal="*"), CALLER, Verdict.ALLOWED),
    ("[trust] every AWS principal", _trust(Principal={"AWS": "*"}), CALLER, Verdict.ALLOWED),
    ("[trust] AWS star is no service", _trust(Principal={"AWS": "*"}), PODS, Verdict.SILENT),
    ("[trust] no statements", {"Statement": []}, CALLER, Verdict.SILENT),
    ("[trust] action star", _trust(Principal={"AWS": ROLE}, Action="*"), CALLER, Verdict.ALLOWED),
    ("[trust] action case", _trust(Principal={"AWS": ROLE}, Action="STS:assumerole"), CALLER, Verdict.ALLOWED),
    ("[trust] other action", _trust(Principal={"AWS": ROLE}, Action="sts:TagSession"), CALLER, Verdict.SILENT),
    ("[trust] NotAction", _trust(Principal={"AWS": ROLE}, Action=[], NotAction="sts:Tag*"), CALLER, Verdict.ALLOWED),
    (
        "[trust] service",
        _trust(Principal={"Service": ["ec2.amazonaws.com", "pods.eks.amazonaws.com"]}),
        PODS,
        Verdict.ALLOWED,
    ),
    ("[trust] NotPrincipal", _trust(NotPrincipal={"AWS": ROLE}), CALLER, Verdict.SILENT),
]


@pytest.mark.parametrize(("document", "principal", "expected"), [case[1:] for case in TRUST], ids=[c[0] for c in TRUST])
def test_trust(document: dict[str, Any], principal: Principal, expected: Verdict) -> None:
    assert trust_verdict(document, principal, Ask("sts:AssumeRole")) is expected


def test_deny_in_a_trust_wins_over_any_order() -> None:
    allow = _trust(Principal={"AWS": ROLE})["Statement"]
    deny = allow | {"Effect": "Deny"}
    for pair in ([allow, deny], [deny, allow]):
        assert trust_verdict({"Statement": pair}, CALLER, Ask("sts:AssumeRole")) is Verdict.DENIED


CONTEXT = context_of(
    {
        f"{HOST}:sub": "system:serviceaccount:shop:cart",
        f"{HOST}:aud": ["sts.amazonaws.com", "other"],
        "aws:PrincipalArn": ROLE,
        "aws:SourceIp": "10.1.2.3",
        "sts:ExternalId": "x",
        "n": "5",
        "d": "2026-11-23T10:00:00Z",
        "flag": "true",
    }
)
CONDITIONS = [
    ("[condition] none", None, True),
    ("[condition] equals", {"StringEquals": {f"{HOST}:sub": "system:serviceaccount:shop:cart"}}, True),
    ("[condition] list is or", {"StringEquals": {f"{HOST}:sub": ["x", "system:serviceaccount:shop:cart"]}}, True),
    ("[condition] keys are and", {"StringEquals": {"sts:ExternalId": "x", "aws:PrincipalArn": "y"}}, False),
    ("[condition] operators are and", {"StringEquals": {"sts:ExternalId": "x"}, "Null": {"n": "true"}}, False),
    ("[condition] key case", {"StringEquals": {"STS:externalid": "x"}}, True),
    ("[condition] value case", {"StringEquals": {"sts:ExternalId": "X"}}, False),
    ("[condition] ignore case", {"StringEqualsIgnoreCase": {"sts:ExternalId": "X"}}, True),
    ("[condition] no wildcard in equals", {"StringEquals": {f"{HOST}:sub": "system:*"}}, False),
    ("[condition] like", {"StringLike": {f"{HOST}:sub": "system:serviceaccount:shop:*"}}, True),
    ("[condition] like question mark", {"StringLike": {f"{HOST}:sub": "system:serviceaccount:sho?:cart"}}, True),
    ("[condition] not like", {"StringNotLike": {f"{HOST}:sub": "system:*"}}, False),
    ("[condition] missing key", {"StringEquals": {"none": "x"}}, False),
    ("[condition] missing key, negated", {"StringNotEquals": {"none": "x"}}, True),
    ("[condition] missing key, if exists", {"StringEqualsIfExists": {"none": "x"}}, True),
    ("[condition] if exists still compares", {"StringEqualsIfExists": {"sts:ExternalId": "y"}}, False),
    ("[condition] any value", {"ForAnyValue:StringEquals": {f"{HOST}:aud": "other"}}, True),
    ("[condition] all values", {"ForAllValues:StringEquals": {f"{HOST}:aud": "other"}}, False),
    ("[condition] all values of none", {"ForAllValues:StringEquals": {"none": "x"}}, True),
    ("[condition] any value of none", {"ForAnyValue:StringNotEquals": {"none": "x"}}, False),
    ("[condition] null", {"Null": {"none": "true", "n": "false"}}, True),
    ("[condition] arn", {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/team/*"}}, True),
    ("[condition] arn equals takes wildcards", {"ArnEquals": {"aws:PrincipalArn": "arn:*:iam::*:role/*"}}, True),
    ("[condition] arn parts do not run over", {"ArnLike": {"aws:PrincipalArn": "arn:*:role/*"}}, False),
    ("[condition] bool", {"Bool": {"flag": True}}, True),
    ("[condition] network", {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, True),
    ("[condition] not network", {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, False),
    ("[condition] number", {"NumericLessThan": {"n": "10"}}, True),
    ("[condition] date", {"DateGreaterThan": {"d": "2026-01-01T00:00:00Z"}}, True),
    ("[condition] unknown operator", {"StringSort": {"n": "5"}}, False),
    ("[condition] malformed", ["x"], False),
]


@pytest.mark.parametrize(("block", "expected"), [c[1:] for c in CONDITIONS], ids=[c[0] for c in CONDITIONS])
def test_conditions(block: Any, expected: bool) -> None:
    assert holds(block, CONTEXT) is expected


TABLE = "arn:aws:dynamodb:us-east-1:111122223333:table/orders"
ALLOW = {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}
IDENTITY = [
    ("[identity] nothing", [], Verdict.SILENT),
    ("[identity] allow", [ALLOW], Verdict.ALLOWED),
    ("[identity] resource", [ALLOW | {"Resource": "arn:aws:dynamodb:*:*:table/ord*"}], Verdict.ALLOWED),
    ("[identity] other resource", [ALLOW | {"Resource": "arn:aws:dynamodb:*:*:table/x"}], Verdict.SILENT),
    ("[identity] not resource", [{"Effect": "Allow", "Action": "*", "NotResource": TABLE}], Verdict.SILENT),
    ("[identity] not action", [{"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}], Verdict.ALLOWED),
    ("[identity] deny", [ALLOW, ALLOW | {"Effect": "Deny"}], Verdict.DENIED),
    ("[identity] condition", [ALLOW | {"Condition": {"StringEquals": {"n": "6"}}}], Verdict.SILENT),
    ("[identity] variable", [ALLOW | {"Resource": "arn:aws:dynamodb:*:*:table/${t}"}], Verdict.ALLOWED),
]


@pytest.mark.parametrize(("found", "expected"), [c[1:] for c in IDENTITY], ids=[c[0] for c in IDENTITY])
def test_identity(found: list[dict[str, Any]], expected: Verdict) -> None:
    ask = Ask("dynamodb:Scan", TABLE, context_of({"n": "5", "t": "orders"}))
    assert identity_verdict([{"Statement": found}], ask) is expected


def test_pieces() -> None:
    assert like("a*c?", "abbbcd")
    assert not like("a.c", "abc")
    assert arn_like("arn:aws:s3:::b/*", "arn:aws:s3:::b/k/l")
    assert substitute("${aws:PrincipalTag/team}/${*}", {"aws:principaltag/team": ("a",)}) == "a/*"
    assert known_operator("ForAnyValue:StringLikeIfExists")
    assert not known_operator("StringSort")
