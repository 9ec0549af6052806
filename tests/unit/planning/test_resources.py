"""Statements of a bucket's or a key's policy: which of them say something else to the service after the move."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.model.facts import Unread
from migrator.model.fleet import Policy as FleetPolicy
from migrator.model.permissions import Permissions, Policy
from migrator.model.plan import Finding
from migrator.model.resource_policies import ResourcePolicies, ResourcePolicy
from migrator.planning.planner import PlanSettings
from migrator.planning.resources import Resources, resources
from tests.fakes.planning import ACCOUNT, CLUSTER, ISSUER, ROLE, SUBJECT, World, association

AWAY = "222222222222"
BUCKET = "arn:aws:s3:::orders"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"
SUB, PROVIDED, USER = f"{ISSUER}:sub", "aws:FederatedProvider", "aws:userid"
ID = "AROA-orders-api"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/orders-api/app"
Statement = dict[str, Any]


def allow(condition: Any = None, principal: Any = ROLE, action: Any = "s3:GetObject", **more: Any) -> Statement:
    made = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": action, "Resource": f"{BUCKET}/*", **more}
    return made if condition is None else {**made, "Condition": condition}


def deny(condition: Any = None, **more: Any) -> Statement:
    return {**allow(condition, "*", "s3:*"), "Effect": "Deny", **more}


def equals(key: str, *values: str, operator: str = "StringEquals") -> Any:
    return {operator: {key: list(values)}}


def policy(*statements: Statement, account: str = ACCOUNT, **more: Any) -> ResourcePolicy:
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    made = ResourcePolicy(arn=BUCKET, kind="S3 bucket", account=account, document=document)
    return replace(made, **more)


def owning(action: str = "s3:*", resource: str = "*", **more: Any) -> World:
    body = {"Effect": "Allow", "Action": action, "Resource": resource, **more}
    return World(granted={ROLE: Permissions(policies=(Policy(name="own", document=json.dumps({"Statement": body})),))})


def told(world: World, *policies: ResourcePolicy) -> list[Finding]:
    settings = PlanSettings(resources=resources(ResourcePolicies(found=policies)))
    (plan,) = world.plans(settings)
    return [finding for finding in plan.findings if finding.code.startswith("resource-")]


def codes(world: World, *policies: ResourcePolicy) -> list[str]:
    return [finding.code for finding in told(world, *policies)]


BARE, RICH = World(), owning()

ALLOWS: dict[str, tuple[Statement, list[str]]] = {
    "[subject]": (allow(equals(SUB, SUBJECT)), ["resource-oidc-key"]),
    "[subject, among others]": (allow(equals(SUB, "x", SUBJECT)), ["resource-oidc-key"]),
    "[subject, by pattern]": (allow(equals(SUB, "*:orders:*", operator="StringLike")), ["resource-oidc-key"]),
    "[subject, in any case]": (
        allow(equals(SUB, SUBJECT.upper(), operator="StringEqualsIgnoreCase")),
        ["resource-oidc-key"],
    ),
    "[subject, for any value]": (
        allow(equals(SUB, SUBJECT, operator="ForAnyValue:StringEquals")),
        ["resource-oidc-key"],
    ),
    "[subject, if there is one]": (allow(equals(SUB, SUBJECT, operator="StringEqualsIfExists")), []),
    "[subject, for all values]": (allow(equals(SUB, SUBJECT, operator="ForAllValues:StringEquals")), []),
    "[key in other letters]": (allow(equals(SUB.upper(), SUBJECT)), ["resource-oidc-key"]),
    "[audience]": (allow(equals(f"{ISSUER}:aud", "sts.amazonaws.com")), ["resource-oidc-key"]),
    "[another audience]": (allow(equals(f"{ISSUER}:aud", "vault")), []),
    "[another subject]": (allow(equals(SUB, SUBJECT + "2")), []),
    "[another issuer]": (allow(equals("token.actions.githubusercontent.com:sub", SUBJECT)), []),
    "[provider]": (allow(equals(PROVIDED, PROVIDER)), ["resource-oidc-key"]),
    "[provider, by ARN]": (
        allow({"ArnLike": {PROVIDED: f"arn:aws:iam::{ACCOUNT}:oidc-provider/*"}}),
        ["resource-oidc-key"],
    ),
    "[another provider]": (allow(equals(PROVIDED, PROVIDER.replace(ACCOUNT, AWAY))), []),
    "[some provider]": (allow({"Null": {PROVIDED: "false"}}), ["resource-oidc-key"]),
    "[no provider]": (allow({"Null": {PROVIDED: "true"}}), ["resource-oidc-guard"]),
    "[all but the subject]": (allow(equals(SUB, SUBJECT, operator="StringNotEquals")), ["resource-oidc-guard"]),
    "[all but another subject]": (allow(equals(SUB, "x", operator="StringNotEquals")), []),
    "[claim in the resource]": (allow(Resource=f"{BUCKET}/${{{SUB}}}/*"), ["resource-oidc-key"]),
    "[claim in one of the resources]": (allow(Resource=[f"{BUCKET}/${{{SUB}}}/*", BUCKET]), ["resource-oidc-key"]),
    "[claim in a value]": (allow(equals("s3:prefix", f"${{{SUB}}}/", operator="StringLike")), ["resource-oidc-key"]),
    "[claim in a value, if there is a key]": (
        allow(equals("s3:prefix", f"${{{SUB}}}/", operator="StringLikeIfExists")),
        [],
    ),
    "[claim with a default]": (allow(equals("s3:prefix", f"${{{SUB}, 'all'}}/", operator="StringLike")), []),
    "[everybody with the provider]": (allow(equals(PROVIDED, PROVIDER), "*"), ["resource-oidc-key"]),
    "[another role with the provider]": (allow(equals(PROVIDED, PROVIDER), ROLE + "2"), []),
    "[the account with the provider]": (allow(equals(PROVIDED, PROVIDER), ACCOUNT), []),  # its own policies decide
    "[user id]": (allow(equals(USER, f"{ID}:app")), ["resource-session-name"]),
    "[user id, by pattern]": (allow(equals(USER, "*:app-*", operator="StringLike")), ["resource-session-name"]),
    "[user id, any name]": (allow(equals(USER, f"{ID}:*", operator="StringLike")), []),
    "[user id, names of EKS]": (allow(equals(USER, f"{ID}:eks-*", operator="StringLike")), []),
    "[user id of another role]": (allow(equals(USER, "AROA-other:app")), []),
    "[session]": (allow(principal=SESSION), ["resource-session-name"]),
    "[session of another role]": (allow(principal=SESSION.replace("api", "web")), []),
    "[session and role]": (allow(principal=[SESSION, ROLE]), []),
    "[role]": (allow(), []),
    "[role, with other conditions]": (
        allow({"StringEquals": {"aws:SourceVpce": "vpce-1"}, "ArnLike": {"aws:PrincipalArn": ROLE}}),
        [],
    ),
    "[tag]": (allow(equals("aws:PrincipalTag/kubernetes-namespace", "orders")), []),  # made ready for the move
    "[no tag]": (allow({"Null": {"aws:PrincipalTag/kubernetes-namespace": "true"}}), ["resource-session-tag"]),
}


@pytest.mark.parametrize(("statement", "expected"), ALLOWS.values(), ids=ALLOWS.keys())
def test_an_allow_without_which_the_role_has_nothing(statement: Statement, expected: list[str]) -> None:
    assert codes(BARE, policy(statement)) == expected


@pytest.mark.parametrize(("statement", "expected"), ALLOWS.values(), ids=ALLOWS.keys())
def test_an_allow_beside_what_the_roles_own_policies_allow_is_never_missed(
    statement: Statement, expected: list[str]
) -> None:
    opened = [code for code in expected if code == "resource-oidc-guard"]
    assert codes(RICH, policy(statement)) == opened


DENIES: dict[str, tuple[Statement, list[str]]] = {
    "[subject]": (deny(equals(SUB, SUBJECT)), ["resource-oidc-guard"]),
    "[whoever has a subject]": (deny({"Null": {SUB: "false"}}), ["resource-oidc-guard"]),
    "[whoever has none]": (deny({"Null": {SUB: "true"}}), ["resource-oidc-deny"]),
    "[a path of the subject]": (deny(Resource=f"{BUCKET}/${{{SUB}}}/*"), ["resource-oidc-guard"]),
    "[prefixes, one of the subject]": (
        deny(equals("s3:prefix", "all", f"${{{SUB}}}/", operator="StringLike")),
        ["resource-oidc-guard"],
    ),
    "[all but the subject]": (deny(equals(SUB, SUBJECT, operator="StringNotLike")), ["resource-oidc-deny"]),
    "[all but the provider]": (deny(equals(PROVIDED, PROVIDER, operator="StringNotEquals")), ["resource-oidc-deny"]),
    "[all but the provider, if there is one]": (
        deny(equals(PROVIDED, PROVIDER, operator="StringNotEqualsIfExists")),
        ["resource-oidc-deny"],
    ),
    "[all but another subject]": (deny(equals(SUB, "x", operator="StringNotEquals")), []),
    "[all but the subject and the role]": (
        deny({**equals(SUB, SUBJECT, operator="StringNotEquals"), "ArnNotEquals": {"aws:PrincipalArn": ROLE}}),
        [],
    ),
    "[all but a prefix of the subject]": (
        deny(equals("s3:prefix", f"${{{SUB}}}/", operator="StringNotLike")),
        ["resource-oidc-deny"],
    ),
    "[all but a session's name]": (
        deny(equals(USER, f"{ID}:app", operator="StringNotEquals")),
        ["resource-session-name"],
    ),
    "[all but the role's sessions]": (deny(equals(USER, f"{ID}:*", "AIDA1", operator="StringNotLike")), []),
    "[all but another role's sessions]": (deny(equals(USER, "AROA-other:*", operator="StringNotLike")), []),
    "[a session's name]": (deny(equals(USER, f"{ID}:app")), ["resource-session-guard"]),
    "[a session]": (deny(Principal={"AWS": SESSION}), ["resource-session-guard"]),
    "[all but a session]": (
        {**deny(), "Principal": None, "NotPrincipal": {"AWS": [ACCOUNT, ROLE, SESSION]}},
        ["resource-session-name"],
    ),
    "[all but the role]": ({**deny(), "Principal": None, "NotPrincipal": {"AWS": [ACCOUNT, ROLE]}}, []),
    "[whoever has a tag]": (
        deny({"Null": {"aws:PrincipalTag/kubernetes-pod-name": "false"}}),
        ["resource-session-tag"],
    ),
    "[whoever has another tag]": (deny(equals("aws:PrincipalTag/kubernetes-namespace", "x")), []),
    "[whoever has no tag]": (
        deny({"Null": {"aws:PrincipalTag/kubernetes-pod-name": "true"}}),
        ["resource-session-tag"],
    ),
    "[without TLS]": (deny({"Bool": {"aws:SecureTransport": "false"}}), []),
}


@pytest.mark.parametrize(("statement", "expected"), DENIES.values(), ids=DENIES.keys())
def test_a_deny_on_what_the_role_may_reach(statement: Statement, expected: list[str]) -> None:
    made = {key: value for key, value in statement.items() if value is not None}
    assert codes(RICH, policy(made)) == expected
    assert codes(BARE, policy(made, allow())) == expected
    assert codes(BARE, policy(made)) == []


def test_a_deny_on_what_the_roles_own_policies_do_not_speak_of() -> None:
    guarded = policy(deny(equals(SUB, SUBJECT), Action="s3:DeleteObject"))
    assert codes(owning("s3:Get*"), guarded) == []
    assert codes(owning(resource="arn:aws:s3:::other/*"), guarded) == []
    assert codes(owning("s3:D*", "arn:aws:s3:::ord*/a"), guarded) == ["resource-oidc-guard"]
    assert codes(World(granted={ROLE: Permissions(unread=(Unread(what="x", why="y"),))}), guarded) == [
        "resource-oidc-guard"
    ]


def test_what_the_account_may_do_is_not_what_the_role_may_do() -> None:
    guard, account = deny(equals(SUB, SUBJECT), Action="s3:DeleteObject"), allow(principal=ACCOUNT, action="s3:*")
    assert codes(owning("s3:GetObject"), policy(guard, account)) == []
    assert codes(owning("s3:DeleteObject"), policy(guard, account)) == ["resource-oidc-guard"]


def test_own_policies_that_allow_a_part_are_not_enough() -> None:
    by_subject = policy(allow(equals(SUB, SUBJECT)))
    assert codes(owning(resource=f"{BUCKET}/a/*"), by_subject) == ["resource-oidc-key"]
    assert codes(owning(Condition=equals("aws:SourceVpce", "vpce-1")), by_subject) == ["resource-oidc-key"]
    assert codes(owning(resource=f"{BUCKET}/${{aws:PrincipalTag/team}}/*"), by_subject) == ["resource-oidc-key"]
    assert codes(owning(resource=f"{BUCKET}/*"), by_subject) == []


def test_tags_of_a_role_that_could_not_be_read_may_have_any_value() -> None:
    condition = equals("aws:PrincipalTag/kubernetes-namespace", "x", operator="StringNotEquals")
    unread = World(granted={ROLE: Permissions(unread=(Unread(what="x", why="y"),))})
    assert codes(unread, policy(deny(condition))) == ["resource-session-tag"]
    assert codes(RICH, policy(deny(condition))) == []


def test_a_deny_that_holds_anyway_takes_nothing_more() -> None:
    rising = [
        deny(equals(key, value, operator="StringNotEquals")) for key, value in ((PROVIDED, PROVIDER), (SUB, SUBJECT))
    ]
    assert codes(RICH, policy(*rising)) == ["resource-oidc-deny", "resource-oidc-deny"]
    assert codes(RICH, policy(*rising, deny())) == []


def test_across_accounts_both_sides_must_allow() -> None:
    theirs = policy(allow(equals(PROVIDED, PROVIDER), ACCOUNT), account=AWAY)
    assert codes(BARE, theirs) == []
    assert codes(RICH, theirs) == ["resource-oidc-key"]
    assert codes(owning("s3:PutObject"), theirs) == []


def test_a_key_decides_and_may_leave_it_to_the_roles_own_policies() -> None:
    arn = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1"
    uses = allow(equals(PROVIDED, PROVIDER), action="kms:Decrypt", Resource="*")
    account = allow(principal=f"arn:aws:iam::{ACCOUNT}:root", action="kms:*", Resource="*")
    key = policy(uses, kind="KMS key", arn=arn, decides=True)
    both = policy(uses, account, kind="KMS key", arn=arn, decides=True)
    assert codes(owning("kms:Decrypt", arn), key) == ["resource-oidc-key"]
    assert codes(owning("kms:Decrypt", arn), both) == []
    assert codes(owning("kms:Encrypt", arn), both) == ["resource-oidc-key"]
    leaves = policy({**account, "Condition": equals(PROVIDED, PROVIDER)}, kind="KMS key", arn=arn, decides=True)
    assert codes(owning("kms:Decrypt", arn), leaves) == ["resource-oidc-key"]
    assert codes(BARE, leaves) == []


def test_what_is_there_for_sessions_of_pod_identity_already_counts() -> None:
    old = allow(equals(SUB, SUBJECT), action=["s3:GetObject", "s3:PutObject"])
    new = allow(equals("aws:PrincipalTag/kubernetes-namespace", "orders"), action="s3:*")
    assert codes(BARE, policy(old, new)) == []
    assert codes(BARE, policy(old, {**new, "Resource": f"{BUCKET}/a/*"})) == ["resource-oidc-key"]
    assert codes(BARE, policy(old, {**new, "Action": "s3:GetObject"})) == ["resource-oidc-key"]
    rest = {key: value for key, value in new.items() if key != "Action"}
    assert codes(BARE, policy(old, {**rest, "NotAction": "s3:PutObject"})) == ["resource-oidc-key"]


def test_a_condition_that_nobody_can_judge_does_not_hide_the_difference() -> None:
    unsure = {"StringEquals": {SUB: SUBJECT, "aws:SourceVpce": "vpce-1"}}
    assert codes(BARE, policy(allow(unsure))) == ["resource-oidc-key"]
    assert codes(BARE, policy(allow({"StringEquals": {SUB: "x", "aws:SourceVpce": "vpce-1"}}))) == []


CURABLE = ("resource-oidc-key", "resource-oidc-deny", "resource-oidc-guard", "resource-session-name")
PATCHED = {
    f"{place} {name}": statement
    for place, table in (("allow", ALLOWS), ("deny", DENIES))
    for name, (statement, expected) in table.items()
    if expected and expected[0] in CURABLE
}


@pytest.mark.parametrize("statement", PATCHED.values(), ids=PATCHED.keys())
@pytest.mark.parametrize("tags", [True, False], ids=["tags", "no tags"])
def test_the_patch_is_the_cure(statement: Statement, tags: bool) -> None:
    made = {key: value for key, value in statement.items() if value is not None}
    access = [] if made["Effect"] == "Allow" else [allow(action="s3:*")]
    world = BARE.but(linked=[association(session_tags=tags)])
    (finding,) = told(world, policy(made, *access))
    kept, _, patch = finding.says.partition("; put beside it ")
    old = [made] if patch else []
    cured = [*old, json.loads(patch or kept.partition("; it must read ")[2])]
    assert codes(world, policy(*cured, *access)) == []


def test_evidence_names_the_thing_the_statement_and_the_condition() -> None:
    (finding,) = told(BARE, policy(deny(), allow(equals(SUB, SUBJECT), Sid="In")))
    assert (finding.object, finding.field, finding.value) == (BUCKET, "statement In", f"StringEquals {SUB} = {SUBJECT}")
    assert finding.says.startswith(f"S3 bucket {BUCKET}: statement In allows by StringEquals {SUB} = {SUBJECT}; put")
    (second,) = told(RICH, policy(allow(), deny(equals(SUB, SUBJECT))))
    assert second.field == "statement 1"


def test_the_patch_names_the_role_and_the_service() -> None:
    (finding,) = told(BARE, policy(allow({**equals(SUB, SUBJECT), "Bool": {"aws:SecureTransport": "true"}}, "*")))
    patch = json.loads(finding.says[finding.says.index("{") :])
    assert patch["Principal"] == {"AWS": ROLE}
    assert patch["Condition"] == {
        "Bool": {"aws:SecureTransport": "true"},
        "StringEquals": {
            "aws:PrincipalTag/eks-cluster-arn": CLUSTER.arn,
            "aws:PrincipalTag/kubernetes-namespace": "orders",
            "aws:PrincipalTag/kubernetes-service-account": "orders-api",
        },
    }


def test_whom_a_deny_leaves_out_besides_stays_left_out() -> None:
    others = [ACCOUNT, f"arn:aws:iam::{AWAY}:user/ann", SESSION]
    (finding,) = told(RICH, policy({**deny(), "NotPrincipal": {"AWS": others}}))
    patch = json.loads(finding.says[finding.says.index("{") :])
    left = [f"arn:aws:iam::{ACCOUNT}:role/orders-api", f"arn:aws:iam::{ACCOUNT}:root", f"arn:aws:iam::{AWAY}:user/ann"]
    assert (patch["Principal"], patch["Condition"]) == ("*", {"ArnNotEquals": {"aws:PrincipalArn": left}})


OPERATORS = st.sampled_from(
    ["StringEquals", "StringLike", "StringNotEquals", "StringNotLike", "StringEqualsIfExists", "ForAnyValue:StringLike"]
)
VALUES = {
    SUB: [SUBJECT, "system:serviceaccount:*", "x"],
    PROVIDED: [PROVIDER, "arn:aws:iam::*", "x"],
    USER: [f"{ID}:app", f"{ID}:*", "*:app-?", "AIDA1"],
    "aws:SourceVpce": ["vpce-1"],
    "aws:PrincipalAccount": [ACCOUNT, AWAY],
    "aws:PrincipalArn": [ROLE, "arn:aws:iam::*:role/x"],
    "aws:PrincipalTag/team": ["shop"],
}
LINES = st.sampled_from(sorted(VALUES)).flatmap(
    lambda key: st.tuples(OPERATORS, st.just(key), st.lists(st.sampled_from(VALUES[key]), min_size=1, max_size=2))
)


@st.composite
def statements(draw: st.DrawFn) -> Statement:
    condition: dict[str, Any] = {}
    for operator, key, values in draw(st.lists(LINES, max_size=3)):
        condition.setdefault(operator, {})[key] = values
    make = draw(st.sampled_from([allow, deny]))
    principal = draw(st.sampled_from([ROLE, "*", SESSION, ACCOUNT, ROLE + "2"]))
    made: Statement = make(condition or None, Principal={"AWS": principal}, Action="s3:GetObject")
    return made


@given(statements(), st.booleans())
def test_any_patch_is_the_cure(statement: Statement, tags: bool) -> None:
    world = BARE.but(linked=[association(session_tags=tags)])
    access = [allow(action="s3:*")] if statement["Effect"] == "Deny" else []
    for finding in told(world, policy(statement, *access)):
        says, _, patch = finding.says.partition("; put beside it ")
        whole = [statement, json.loads(patch)] if patch else [json.loads(says.partition("; it must read ")[2] or "{}")]
        if whole != [{}]:
            assert finding.code not in codes(world, policy(*whole, *access))


@given(statements())
def test_what_rests_on_nothing_that_differs_is_never_told(statement: Statement) -> None:
    keys = {key for block in statement.get("Condition", {}).values() for key in block}
    if not keys & {SUB, PROVIDED, USER} and statement["Principal"] != {"AWS": SESSION}:
        assert codes(RICH, policy(statement)) == codes(BARE, policy(statement, allow())) == []


@pytest.mark.parametrize("document", ["{", "[]", '{"Statement": [1]}'])
def test_a_document_that_is_not_understood_is_told_of(document: str) -> None:
    settings = PlanSettings(resources=resources(ResourcePolicies(found=(policy(document=document),))))
    (plan,) = BARE.plans(settings)
    assert [finding.object for finding in plan.findings if finding.code == "not-read"] == [
        f"policy of S3 bucket {BUCKET}"
    ]


def test_what_was_not_read_of_an_account_is_told_to_its_clusters_services() -> None:
    told_of = {ACCOUNT: (Unread(what="here", why="a"),), AWAY: (Unread(what="there", why="b"),)}
    (plan,) = BARE.plans(PlanSettings(resources=resources(ResourcePolicies(unread=told_of))))
    assert [finding.object for finding in plan.findings if finding.code == "not-read"] == ["here"]


def test_what_is_skipped_is_told_of() -> None:
    (plan,) = BARE.plans(PlanSettings(policy=FleetPolicy(), resources=Resources(skipped=True)))
    assert [finding.value for finding in plan.findings if finding.code == "not-read"] == [
        'the fleet file says "policy.resource_policies: skip"'
    ]
