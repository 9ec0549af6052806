"""What stands around the services of a cluster: read once, told when it may not be, and where its marks are."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from migrator.model.aws_side import Operator, Right, VpcEndpoint
from migrator.model.errors import NotPermitted
from migrator.model.facts import Workload
from migrator.model.fleet import Policy
from migrator.model.permissions import Permissions
from migrator.model.plan import Verdict
from migrator.planning.findings.operator import MANY
from migrator.planning.findings.sessions import ROOMY
from migrator.planning.planner import PlanSettings
from tests.fakes.planning import CLUSTER, ROLE, SERVICE, SUBJECT, World, account, association, trust_for, workload

PRIVATE = replace(CLUSTER, vpc="vpc-1", public_endpoint=False)


@dataclass(frozen=True, kw_only=True)
class Closed(World):
    """A world of which EC2 and the simulator tell nothing; `asked` are the calls."""

    asked: list[str] = field(default_factory=list)

    def eks_auth_endpoints(self) -> Sequence[VpcEndpoint]:
        self.asked.append("endpoints")
        raise NotPermitted("ec2:DescribeVpcEndpoints is not permitted")

    def operator(self, account: str, rights: Sequence[Right]) -> Operator:
        assert rights
        self.asked.append(f"operator of {account}")
        raise NotPermitted("iam:SimulatePrincipalPolicy is not permitted")


def codes(world: World, settings: PlanSettings | None = None) -> list[str]:
    [plan] = [plan for plan in world.plans(settings) if plan.service == SERVICE]
    return [finding.code for finding in plan.findings]


def test_what_may_not_be_read_is_told_to_each_service_and_asked_for_once() -> None:
    world = Closed(of=PRIVATE, accounts=[account(), account(name="orders-web")], asked=[])
    plans = world.plans()
    assert [plan.verdict for plan in plans] == [Verdict.READY, Verdict.BLOCKED]  # orders-web is not let in today
    for plan in plans:
        told = {finding.object for finding in plan.findings if finding.code == "not-read"}
        assert told == {
            "the eks-auth endpoints of cluster shop-prod",
            "what the operator may do on cluster shop-prod",
        }
    assert world.asked == ["endpoints", f"operator of {CLUSTER.account}"]


def test_nothing_is_asked_about_a_cluster_without_services() -> None:
    world = Closed(accounts=[], asked=[])
    assert (world.plans(), world.asked) == ((), [])


def crowded(**fields: object) -> World:
    """Too many services for the default quota."""
    crowd = [account(name=f"a-service-with-quite-a-long-name-{number:02d}") for number in range(60)]
    return World(accounts=[account(), *crowd], **fields)  # type: ignore[arg-type] # as each test gives them


def test_the_quota_is_asked_for_only_where_the_default_is_too_little() -> None:
    alone, many = World(quotas_asked=[]), crowded(quota=8192, quotas_asked=[])
    assert "trust-fills-up" not in codes(alone) + codes(many)
    assert (alone.quotas_asked, set(many.quotas_asked)) == ([], {"111111111111"})
    facts = {plan.service: plan.facts["role"].get("trust_quota") for plan in (*alone.plans(), *many.plans()[:1])}
    assert set(facts.values()) == {None, 8192}


def test_a_quota_that_may_not_be_read_is_told_and_the_default_counts() -> None:
    plan = next(plan for plan in crowded(quota="no").plans() if plan.service == SERVICE)
    told = {finding.code: finding for finding in plan.findings}
    assert told["not-read"].object == "the quota of trust policies of account 111111111111"
    assert "the quota is 2048" in told["trust-fills-up"].says


@pytest.mark.parametrize(("others", "told"), [(MANY - 1, False), (MANY, True)])
def test_the_mark_of_associations_counts_those_that_come(others: int, told: bool) -> None:
    linked = [replace(association(), id=f"a-{n}", service_account=f"other-{n}") for n in range(others)]
    assert ("association-quota" in codes(World(linked=linked))) is told


def test_a_services_own_association_is_counted_once() -> None:
    linked = [replace(association(), id=f"a-{n}", service_account=f"other-{n}") for n in range(MANY - 1)]
    assert "association-quota" not in codes(World(linked=[association(), *linked]))


@pytest.mark.parametrize(("tags", "told"), [({"ManagedBy": "Terraform"}, True), ({}, False)])
def test_tags_that_a_list_of_roles_leaves_out_come_with_the_permissions(tags: dict[str, str], told: bool) -> None:
    assert ("role-terraform" in codes(World(granted={ROLE: Permissions(tags=tags)}))) is told


NAMES = len(CLUSTER.arn) + len(CLUSTER.name) + len(SERVICE.namespace) + len(SERVICE.name)


PODS: dict[str, tuple[Workload, int]] = {
    "[Deployment]": (workload(name="w" * 40), 57),
    "[Deployment, cut]": (workload(name="w" * 60), 63),
    "[StatefulSet]": (workload("StatefulSet", name="w" * 40), 43),
    "[CronJob]": (workload("CronJob", name="w" * 40, replicas=0), 57),
}


@pytest.mark.parametrize(("made", "length"), PODS.values(), ids=PODS.keys())
def test_the_name_of_pods_to_come_counts(made: Workload, length: int) -> None:
    for extra, told in ((0, False), (1, True)):
        longer = replace(CLUSTER, name=CLUSTER.name + "x" * (ROOMY - NAMES - length + extra))
        assert ("session-tags-large" in codes(World(of=longer, made_by=[made], live=[]))) is told


def test_an_association_without_session_tags_has_no_trouble_with_them() -> None:
    longer = replace(CLUSTER, name="x" * 300)
    untagged = World(of=longer, linked=[association(session_tags=False)], granted={ROLE: Permissions(tags=TAGS)})
    assert {"session-tags-large", "role-tag-overridden"} & set(codes(untagged)) == set()
    tagged = untagged.but(linked=[association()])
    assert {"session-tags-large", "role-tag-overridden"} <= set(codes(tagged))


def test_an_association_that_is_planned_without_session_tags_has_none_either() -> None:
    role = f"arn:aws:iam::{AWAY}:role/orders-api"
    trusts = {role: trust_for(SUBJECT, account=AWAY)}
    world = World(of=replace(CLUSTER, name="x" * 300), accounts=[account(role)], trusts=trusts)
    assert "session-tags-large" in codes(world)
    assert "session-tags-large" not in codes(world, PlanSettings(policy=Policy(cross_account_condition="external-id")))


AWAY = "222222222222"
TAGS = {"kubernetes-namespace": "orders"}
