"""Whether a role that may be assumed today may be by a session with tags, and the patch where it may not."""

import json
from typing import Any

import pytest

from migrator.model.chains import Caller, hop, may, targets
from migrator.model.permissions import Permissions, Policy, boundary_lines, granting, lines
from migrator.model.trust.conditions import Sure
from migrator.model.trust.subject import Subject

HOME, AWAY = "111111111111", "222222222222"
CALLER = Caller(f"arn:aws:iam::{HOME}:role/apps/orders", "AROAORDERS", HOME, "aws")
SUBJECT = Subject(f"arn:aws:eks:eu-west-1:{HOME}:cluster/main", "shop", "orders")
TARGET = f"arn:aws:iam::{AWAY}:role/target"
BOTH = ["sts:AssumeRole", "sts:TagSession"]
YES, MAYBE, NO = Sure.YES, Sure.MAYBE, Sure.NO
EXTERNAL = {"StringEquals": {"sts:ExternalId": "x"}}
CLUSTER = {"StringEquals": {"aws:RequestTag/eks-cluster-arn": SUBJECT.cluster_arn}}
OTHER = {"StringEquals": {"aws:RequestTag/kubernetes-namespace": "other"}}


def allow(action: Any = BOTH, principal: Any = CALLER.arn, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": action, **more}


def deny(action: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Principal": "*", "Action": action, **more}


CASES: dict[str, tuple[list[dict[str, Any]], Sure, Sure]] = {
    "[both]": ([allow()], YES, YES),
    "[only assumed]": ([allow("sts:AssumeRole")], YES, NO),
    "[tagged by another statement]": ([allow("sts:AssumeRole"), allow("sts:TagSession")], YES, YES),
    "[any of sts]": ([allow("sts:*")], YES, YES),
    "[all but other things]": ([{**allow(), "Action": None, "NotAction": "iam:*"}], YES, YES),
    "[not the caller]": ([allow(principal=f"arn:aws:iam::{HOME}:role/orders")], NO, NO),
    "[by account]": ([allow(principal=HOME)], YES, YES),
    "[by its root]": ([allow("sts:AssumeRole", f"arn:aws:iam::{HOME}:root")], YES, NO),
    "[by id]": ([allow(principal=["AROAOTHER", "AROAORDERS"])], YES, YES),
    "[everybody]": ([allow(principal="*")], YES, YES),
    "[a service]": ([{**allow(), "Principal": {"Service": "ec2.amazonaws.com"}}], NO, NO),
    "[one session by name]": ([allow(principal=f"arn:aws:sts::{HOME}:assumed-role/orders/me")], MAYBE, MAYBE),
    "[all but others]": ([{**allow(), "Principal": None, "NotPrincipal": {"AWS": AWAY}}], YES, YES),
    "[all but it]": ([{**allow(), "Principal": None, "NotPrincipal": {"AWS": CALLER.arn}}], NO, NO),
    "[external id]": ([allow(Condition=EXTERNAL)], MAYBE, MAYBE),
    "[external id, untagged]": ([allow("sts:AssumeRole", Condition=EXTERNAL)], MAYBE, NO),
    "[tags denied]": ([allow(), deny("sts:TagSession")], YES, NO),
    "[other tags denied]": ([allow(), deny("sts:TagSession", Condition=OTHER)], YES, YES),
    "[all denied]": ([allow(), deny("sts:*")], NO, NO),
    "[only with tags]": ([allow(Condition=CLUSTER)], NO, NO),
    "[only without tags]": ([allow(Condition={"Null": {"aws:RequestTag/eks-cluster-arn": "true"}})], YES, NO),
}


@pytest.mark.parametrize(("statements", "assumes", "tagged"), CASES.values(), ids=CASES.keys())
def test_hop(statements: list[dict[str, Any]], assumes: Sure, tagged: Sure) -> None:
    found = hop(json.dumps({"Statement": statements}), AWAY, CALLER, SUBJECT)
    assert (found.assumes, found.tagged) == (assumes, tagged)


def test_the_patch_changes_the_actions_of_the_statement_that_lets_in_and_nothing_else() -> None:
    first, second = allow(principal=AWAY), allow("sts:AssumeRole", Sid="In", Condition=EXTERNAL)
    found = hop(json.dumps({"Statement": [first, second]}), AWAY, CALLER, SUBJECT)
    assert (found.label, json.loads(found.patch)) == ("In", {**second, "Action": BOTH})


OWN: dict[str, tuple[str, str, bool]] = {
    "[another account]": (AWAY, CALLER.arn, True),
    "[same account, named]": (HOME, CALLER.arn, False),
    "[same account, as a whole]": (HOME, HOME, True),
}


@pytest.mark.parametrize(("account", "principal", "own"), OWN.values(), ids=OWN.keys())
def test_whose_own_policies_have_the_last_word(account: str, principal: str, own: bool) -> None:
    document = json.dumps({"Statement": allow(principal=principal)})
    assert hop(document, account, CALLER, SUBJECT).own is own


def policy(*statements: dict[str, Any]) -> Policy:
    return Policy(name="go", document=json.dumps({"Statement": list(statements)}))


def may_do(resource: Any, action: Any = "sts:AssumeRole", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def test_targets_are_whole_arns_and_patterns_of_what_is_allowed() -> None:
    pattern = f"arn:aws:iam::{AWAY}:role/deploy-*"
    refused = {**may_do(f"{TARGET}-2"), "Effect": "Deny"}
    others = {"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::x"}
    mine = Permissions(policies=(policy(may_do([TARGET, pattern]), refused, may_do("*", "s3:*")), policy(others)))
    exact, patterns = targets(lines(mine))
    assert exact == {TARGET}
    assert patterns == {pattern: "policy go, statement 0", "*": "policy go, statement 0"}


MAY: dict[str, tuple[list[dict[str, Any]], Sure]] = {
    "[named]": ([may_do(TARGET)], YES),
    "[by pattern]": ([may_do("arn:aws:iam::*:role/t?rget", "sts:A*")], YES),
    "[another one]": ([may_do(f"{TARGET}-2")], NO),
    "[all but others]": ([{"Effect": "Allow", "NotAction": "s3:*", "NotResource": f"{TARGET}-2"}], YES),
    "[by variable]": ([may_do("arn:aws:iam::${aws:PrincipalTag/home}:role/target")], MAYBE),
    "[on condition]": ([may_do("*", Condition=EXTERNAL)], MAYBE),
    "[denied]": ([may_do("*"), {**may_do(TARGET), "Effect": "Deny"}], NO),
    "[perhaps denied]": ([may_do("*"), {**may_do(TARGET), "Effect": "Deny", "Condition": EXTERNAL}], MAYBE),
}


@pytest.mark.parametrize(("statements", "sure"), MAY.values(), ids=MAY.keys())
def test_what_the_callers_own_policies_say(statements: list[dict[str, Any]], sure: Sure) -> None:
    own = list(lines(Permissions(policies=(policy(*statements),))))
    assert may(own, "sts:AssumeRole", TARGET, CALLER, None) is sure
    found = granting(own, "sts:AssumeRole", TARGET)
    assert (found is None) is (sure is NO and statements[0]["Resource"] != "*")


def test_a_boundary_without_a_document_says_nothing() -> None:
    assert boundary_lines(Permissions()) is None
    assert boundary_lines(Permissions(boundary=Policy(name="b", document=""))) is None
    found = boundary_lines(Permissions(boundary=policy(may_do("*"))))
    assert found is not None
    assert [line.label for line in found] == ["policy go, statement 0"]
