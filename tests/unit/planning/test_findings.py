"""Codes of the catalogue: a world of facts that shows each, and one that nearly does."""

import json
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from migrator.model.facts import Addon, AgentState, EnvVar, FargateSelector, Node, Unread, WorkloadRef
from migrator.model.fleet import Policy
from migrator.model.source_role import source_arn
from migrator.model.trust import Scope, Subject, merge
from migrator.planning.findings.catalogue import CATALOGUE
from migrator.planning.planner import PlanSettings
from tests.fakes.planning import (
    ACCOUNT,
    CLUSTER,
    ISSUER,
    NODE,
    ROLE,
    SERVICE,
    SUBJECT,
    World,
    account,
    association,
    container,
    pod,
    trust_for,
    workload,
)

HEALTHY = World()
ROLE_B = "arn:aws:iam::222222222222:role/orders-api"
SERVICE_ROLE = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/eks.amazonaws.com/Orders"
NO_AGENT = HEALTHY.but(agent_state=AgentState())
INSTALL = PlanSettings()
AWAY = HEALTHY.but(accounts=[account(ROLE_B)], trusts={ROLE_B: trust_for(SUBJECT, account="222222222222")})
SOURCE = source_arn(CLUSTER.arn, SERVICE.namespace, SERVICE.name, "/")
REQUIRE = PlanSettings(policy=Policy(agent="require"))
EXTERNAL_ID = PlanSettings(policy=Policy(cross_account_condition="external-id"))
DENY_PODS = {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}
DENY_OTHER = {"Effect": "Deny", "Principal": "*", "Action": "sts:GetCallerIdentity"}
POD_FARGATE = {"eks.amazonaws.com/fargate-profile": "edge"}


def of_cluster(**differs: Any) -> World:
    return HEALTHY.but(of=replace(CLUSTER, **differs))


def of_workload(kind: str = "Deployment", **differs: Any) -> World:
    made = workload(kind, **differs)
    return HEALTHY.but(made_by=[made], live=[pod(made)])


def of_env(**env: str | EnvVar) -> World:
    return of_workload(containers=(container("main", (), **env),))


def of_trust(trust: object) -> World:
    return HEALTHY.but(trusts={ROLE: trust})


def with_statement(statement: object, **more: object) -> World:
    trust = trust_for(SUBJECT)
    return of_trust({**trust, "Statement": [*trust["Statement"], statement], **more})


def condition(**more: object) -> World:
    trust = trust_for(SUBJECT)
    trust["Statement"][0]["Condition"].update(more)
    return of_trust(trust)


def filled(characters: int) -> World:
    """Subjects are added until the merge, which adds about 420 characters, is just below or above the quota."""
    subjects = [SUBJECT]
    while len(str(trust_for(*subjects))) < characters:
        subjects.append(f"system:serviceaccount:retired:worker-{len(subjects):03d}")
    return of_trust(trust_for(*subjects))


def standing_by(scope: Scope) -> World:
    """A statement of ours of that scope stands in the trust policy, and lets the service in."""
    subject = Subject(CLUSTER.arn, SERVICE.namespace, SERVICE.name, scope)
    return of_trust(merge(json.dumps(trust_for(SUBJECT)), subject).document)


def shared_by_many(services: int) -> World:
    others = [account(name=f"a-service-with-quite-a-long-name-{n:02d}") for n in range(services)]
    return filled(1000).but(accounts=[account(), *others])


def from_source(name: str) -> EnvVar:
    return EnvVar(name=name, source="secret/aws/key")


FROM_SECRET = of_workload(containers=(container("main", ("secret/orders",)),))
CLOSED = Unread(what='Secret "orders/orders"', why="no")


class Case(NamedTuple):
    code: str
    shows: World
    near: World
    settings: PlanSettings = INSTALL
    near_settings: PlanSettings = INSTALL


CASES = [
    Case("cluster-not-active", of_cluster(status="UPDATING"), of_cluster(status="ACTIVE")),
    Case("kubernetes-too-old", of_cluster(version="1.23", platform_version="eks.17"), of_cluster(version="1.33")),
    Case(
        "kubernetes-too-old",
        of_cluster(version="1.27", platform_version="eks.7"),
        of_cluster(version="1.27", platform_version="eks.8"),
    ),
    Case("cluster-outpost", of_cluster(outpost=True), HEALTHY),
    Case("cluster-registered", of_cluster(registered=True), HEALTHY),
    Case("agent-absent", NO_AGENT, NO_AGENT.but(of=replace(CLUSTER, auto_mode=True), machines=[])),
    Case("agent-absent", NO_AGENT, NO_AGENT.but(machines=[replace(NODE, compute_type="auto")])),
    Case("agent-required", NO_AGENT, HEALTHY, REQUIRE, REQUIRE),
    Case(
        "agent-unhealthy",
        HEALTHY.but(agent_state=AgentState(addon=Addon(name="a", status="DEGRADED", version="v1"))),
        HEALTHY.but(agent_state=AgentState(addon=Addon(name="a", status="UPDATING", version="v1"))),
    ),
    Case(
        "fargate",
        HEALTHY.but(fargate=[FargateSelector(profile="p", namespace="ord*", labels={"app": "orders-?"})]).but(
            made_by=[workload(labels={"app": "orders-a"})]
        ),
        HEALTHY.but(fargate=[FargateSelector(profile="p", namespace="ord*", labels={"app": "orders-?"})]),
    ),
    Case(
        "fargate",
        HEALTHY.but(live=[pod(workload(), labels=POD_FARGATE)]),
        HEALTHY.but(live=[pod(workload(), labels={"fargate-profile": "edge"})]),
    ),
    Case(
        "fargate",
        HEALTHY.but(machines=[replace(NODE, compute_type="fargate")]),
        HEALTHY.but(machines=[NODE, Node(name="node-2", compute_type="fargate")]),
    ),
    Case(
        "fargate",
        of_workload(node_selector={"eks.amazonaws.com/compute-type": "fargate"}),
        of_workload(node_selector={"eks.amazonaws.com/compute-type": "auto"}),
    ),
    Case("fargate", of_workload(labels=POD_FARGATE), of_workload(labels={"eks.amazonaws.com/profile": "x"})),
    Case(
        "windows",
        of_workload(node_selector={"beta.kubernetes.io/os": "windows"}),
        of_workload(node_selector={"kubernetes.io/os": "linux"}),
    ),
    Case(
        "windows",
        HEALTHY.but(machines=[replace(NODE, os="windows")]),
        HEALTHY.but(machines=[NODE, Node(name="node-2", os="windows")]),
    ),
    Case(
        "hybrid-without-agent",
        NO_AGENT.but(machines=[replace(NODE, compute_type="hybrid")]),
        HEALTHY.but(machines=[replace(NODE, compute_type="hybrid")]),
    ),
    Case("host-network", of_workload(host_network=True), of_workload(host_network=False)),
    Case("static-keys", of_env(AWS_ACCESS_KEY_ID="AKIA"), of_env(MY_AWS_ACCESS_KEY_ID="AKIA")),
    Case("static-keys", of_env(a=from_source("AWS_SECRET_ACCESS_KEY")), of_env(a=from_source("AWS_SECRET"))),
    Case("shared-credentials", of_env(AWS_PROFILE="prod"), of_env(PROFILE="prod")),
    Case("shared-credentials", of_env(AWS_SHARED_CREDENTIALS_FILE="/aws/c"), of_env(AWS_REGION="eu-west-1")),
    Case("web-identity-written", of_env(AWS_ROLE_ARN=ROLE), of_env(AWS_ROLE_SESSION_NAME="orders")),
    Case(
        "container-credentials-written",
        of_env(AWS_CONTAINER_CREDENTIALS_RELATIVE_URI="/v2"),
        of_env(AWS_CONTAINER_IMAGE="x"),
    ),
    Case("env-from", FROM_SECRET.but(keyed={"secret/orders": CLOSED}), FROM_SECRET),
    Case("not-read", FROM_SECRET.but(keyed={"secret/orders": CLOSED}), FROM_SECRET),
    Case(
        "static-keys",
        FROM_SECRET.but(keyed={"secret/orders": frozenset({"AWS_ACCESS_KEY_ID"})}),
        FROM_SECRET.but(keyed={"secret/orders": frozenset({"ORDERS_ACCESS_KEY_ID"})}),
    ),
    Case(
        "skip-containers",
        of_workload(
            containers=(container("main"), container("proxy")),
            annotations={"eks.amazonaws.com/skip-containers": "proxy"},
        ),
        of_workload(
            containers=(container("main"), container("proxy")),
            annotations={"eks.amazonaws.com/skip-containers": "prox"},
        ),
    ),
    Case(
        "skip-all-containers",
        of_workload(annotations={"eks.amazonaws.com/skip-containers": "main"}),
        of_workload(annotations={"eks.amazonaws.com/skip-containers": " main"}),
    ),
    Case(
        "skip-webhook",
        of_workload(labels={"eks.amazonaws.com/skip-pod-identity-webhook": "false"}),
        of_workload(annotations={"eks.amazonaws.com/skip-pod-identity-webhook": "true"}),
    ),
    Case(
        "projected-sts-token",
        of_workload(token_audiences={"aws": "sts.amazonaws.com"}),
        of_workload(token_audiences={"vault": "vault"}),
    ),
    Case(
        "proxy",
        of_env(HTTPS_PROXY="http://proxy:3128", NO_PROXY="10.0.0.0/8,169.254.169.254"),
        of_env(HTTPS_PROXY="http://proxy:3128", no_proxy="10.0.0.0/8, 169.254.170.23"),
    ),
    Case("role-arn-empty", HEALTHY.but(accounts=[account("")]), HEALTHY.but(accounts=[account("x")])),
    Case("role-arn-malformed", HEALTHY.but(accounts=[account("${ROLE_ARN}")]), HEALTHY.but(accounts=[account("")])),
    Case(
        "role-arn-malformed",
        HEALTHY.but(accounts=[account(ROLE.replace("aws:", "aws-cn:", 1))]),
        HEALTHY.but(accounts=[account(ROLE.replace("role/", "role/team/"))]),
    ),
    Case("role-other-account", AWAY, AWAY, PlanSettings(policy=Policy(cross_account="block"))),
    Case("role-other-account", AWAY.but(closed={"222222222222": "AccessDenied"}), AWAY),
    Case("role-other-account", AWAY.but(linked=[association(ROLE_B, owner_arn="arn:aws:eks:addon/x")]), AWAY),
    Case("cross-account", AWAY, HEALTHY),
    Case("target-session-shorter", AWAY.but(of_roles={"max_session_seconds": 3601}), AWAY),
    Case(
        "target-session-shorter",
        AWAY.but(of_roles={"max_session_seconds": 3601}),
        HEALTHY.but(of_roles={"max_session_seconds": 3601}),
    ),
    Case("session-tags-off", AWAY, AWAY, EXTERNAL_ID),
    Case("session-tags-off", AWAY, HEALTHY, EXTERNAL_ID, EXTERNAL_ID),
    Case(
        "account-unreadable", HEALTHY.but(closed={ACCOUNT: "AccessDenied"}), HEALTHY.but(closed={"2": "AccessDenied"})
    ),
    Case("role-missing", HEALTHY.but(trusts={}), HEALTHY.but(trusts={}, closed={ACCOUNT: "AccessDenied"})),
    Case(
        "role-reserved",
        HEALTHY.but(accounts=[account(SERVICE_ROLE)], trusts={SERVICE_ROLE: trust_for(SUBJECT)}),
        HEALTHY.but(accounts=[account(ROLE.replace("role/", "role/aws-reserved-not/"))]),
    ),
    Case("trust-unreadable", of_trust('{"Version": '), HEALTHY),
    Case("irsa-broken", of_trust(trust_for("system:serviceaccount:shop:orders-api")), HEALTHY),
    Case(
        "irsa-broken",
        of_trust({"Version": "2012-10-17", "Statement": []}),
        of_trust({"Version": "2012-10-17", "Statement": []}).but(linked=[association()]),
    ),
    Case("trust-denies", with_statement(DENY_PODS), with_statement(DENY_OTHER)),
    Case(
        "trust-unsure",
        condition(StringLike={"aws:PrincipalOrgID": "o-1"}),
        condition(StringLike={f"{ISSUER}:sub": "system:*"}),
    ),
    Case(
        "condition-carried",
        condition(DateLessThan={"aws:CurrentTime": "2030-01-01T00:00:00Z"}),
        condition(DateLessThan={"aws:TokenIssueTime": "2030-01-01T00:00:00Z"}),
    ),
    Case(
        "condition-carried",
        condition(NumericLessThan={"aws:EpochTime": "1893456000"}),
        condition(DateLessThan={"aws:CurrentTime": "${aws:PrincipalTag/until}"}),
    ),
    Case(
        "condition-network",
        condition(StringLike={"aws:SourceVpce": "vpce-1"}),
        condition(StringLike={"aws:SourceAccount": "1"}),
    ),
    Case(
        "condition-session",
        condition(StringLike={"sts:RoleSessionName": "orders-*"}),
        condition(StringLike={"sts:ExternalId": "orders-*"}),
    ),
    Case("trust-wider", standing_by(Scope.CLUSTER), standing_by(Scope.SERVICE)),
    Case(
        "trust-wider",
        standing_by(Scope.NONE),
        standing_by(Scope.NONE),
        near_settings=PlanSettings(policy=Policy(trust_conditions=Scope.NONE)),
    ),
    Case(
        "trust-pattern",
        of_trust(trust_for("system:serviceaccount:orders:*", operator="StringLike")),
        of_trust(trust_for(SUBJECT, operator="StringLike")),
    ),
    Case("trust-too-large", filled(1800), filled(1500)),
    Case("trust-too-large", filled(3800).but(quota=4096), filled(1800).but(quota=4096)),
    Case("trust-too-large", filled(1800).but(quota="no"), filled(1500).but(quota="no")),
    Case("trust-fills-up", shared_by_many(30), shared_by_many(3)),
    Case("trust-fills-up", shared_by_many(120).but(quota=4096), shared_by_many(30).but(quota=4096)),
    Case("role-shared", HEALTHY.but(accounts=[account(), account(name="orders-web")]), HEALTHY),
    Case(
        "role-trusts-others",
        of_trust(trust_for(SUBJECT, "system:serviceaccount:orders:other")),
        with_statement(
            {"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ),
    ),
    Case("association-other-role", HEALTHY.but(linked=[association(ROLE_B)]), HEALTHY.but(linked=[association()])),
    Case("association-other-role", HEALTHY.but(linked=[association(target_role_arn=ROLE_B)]), HEALTHY),
    Case(
        "association-other-role",
        AWAY.but(linked=[association(SOURCE, target_role_arn=ROLE)]),
        AWAY.but(linked=[association(SOURCE, target_role_arn=ROLE_B)]),
    ),
    Case(
        "association-exists",
        AWAY.but(linked=[association(SOURCE, target_role_arn=ROLE_B)]),
        AWAY.but(linked=[association(SOURCE)]),
    ),
    Case(
        "association-addon",
        HEALTHY.but(linked=[association(owner_arn="arn:aws:eks:eu-west-1:1:addon/x")]),
        HEALTHY.but(linked=[association()]),
    ),
    Case("association-exists", HEALTHY.but(linked=[association()]), HEALTHY.but(linked=[association(ROLE_B)])),
    Case("bare-pods", HEALTHY.but(live=[pod(None)]), HEALTHY.but(live=[pod(None, phase="Succeeded")])),
    Case(
        "workload-kind",
        HEALTHY.but(live=[pod(WorkloadRef(kind="Database", namespace="orders", name="orders"))]),
        HEALTHY.but(live=[pod(workload())]),
    ),
    Case("workload-kind", of_workload("Database"), of_workload("Rollout")),
    Case("no-rollout", of_workload("ReplicaSet"), of_workload("Deployment")),
    Case(
        "on-delete", of_workload("DaemonSet", strategy="OnDelete"), of_workload("DaemonSet", strategy="RollingUpdate")
    ),
    Case("partition", of_workload("StatefulSet", partition=1), of_workload("StatefulSet", partition=0)),
    Case(
        "partition",
        of_workload("StatefulSet", partition=3),
        HEALTHY.but(made_by=[workload("StatefulSet", partition=3, replicas=0)], live=[]),
    ),
    Case("paused", of_workload(paused=True), HEALTHY.but(made_by=[workload(paused=True, replicas=0)], live=[])),
    Case("pending-verification", HEALTHY.but(made_by=[workload(replicas=0)], live=[]), HEALTHY),
    Case("pending-verification", HEALTHY.but(made_by=[workload("CronJob", replicas=0)], live=[]), of_workload("Job")),
    Case("job-left", of_workload("Job"), HEALTHY.but(made_by=[workload("Job")], live=[])),
    Case("no-workloads", HEALTHY.but(made_by=[], live=[]), HEALTHY.but(made_by=[], live=[pod(None)])),
]


def codes(world: World, settings: PlanSettings) -> set[str]:
    plan = next(plan for plan in world.plans(settings) if plan.service == SERVICE)
    return {finding.code for finding in plan.findings}


every_case = pytest.mark.parametrize("case", CASES, ids=[f"{case.code}-{n}" for n, case in enumerate(CASES)])


@every_case
def test_shows(case: Case) -> None:
    assert case.code in codes(case.shows, case.settings)


def test_what_keeps_pod_identity_out_is_named() -> None:
    denials = [{**DENY_PODS, "Sid": "KeepOut"}, {**DENY_PODS, "Condition": {"StringLike": {"aws:SourceIp": "10.*"}}}]
    world = of_trust({"Version": "2012-10-17", "Statement": [*denials, DENY_OTHER]})
    (plan,) = world.plans(INSTALL)
    (finding,) = (one for one in plan.findings if one.code == "trust-denies")

    named = "Statement KeepOut: Deny without a condition; Statement 1: Deny StringLike aws:SourceIp = 10.*"
    assert finding.value == named
    assert finding.says.endswith(f"even with our statement: {named}")


@every_case
def test_nearly_but_not(case: Case) -> None:
    assert case.code not in codes(case.near, case.near_settings)


def test_the_cases_are_about_codes_of_the_catalogue() -> None:
    """That each code has one, shown and just missed, `tests/worlds` sees to."""
    assert {case.code for case in CASES} <= set(CATALOGUE)


def test_a_healthy_service_has_no_findings() -> None:
    assert codes(HEALTHY, INSTALL) == set()


def test_every_entry_tells_what_it_is_why_and_what_to_do() -> None:
    for entry in CATALOGUE.values():
        assert all((entry.family, entry.title, entry.says, entry.why, entry.remedy)), entry.code
        assert (
            entry.title[0] == entry.title[0].lower() or entry.title.split()[0].isupper() or entry.code == "irsa-broken"
        )


@every_case
def test_no_secret_is_shown(case: Case) -> None:
    for plan in case.shows.plans(case.settings):
        assert "AKIA" not in str(plan)
        assert "proxy:3128" not in str(plan)


def test_the_webhooks_own_variables_in_a_live_pod_are_no_finding() -> None:
    path = "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"
    main = container("main", (), AWS_ROLE_ARN=ROLE, AWS_WEB_IDENTITY_TOKEN_FILE=path)
    spec = replace(pod(None).spec, containers=(main,), token_audiences={"aws-iam-token": "sts.amazonaws.com"})

    assert codes(HEALTHY.but(live=[pod(None, spec=spec)]), INSTALL) == {"bare-pods"}
