"""ServiceAccounts of EKS add-ons: told by namespace and name, planned through the add-on, with few calls."""

from dataclasses import replace

import pytest

from migrator.model.addons import InstalledAddon, Offer
from migrator.model.facts import FieldManager
from migrator.model.ids import ServiceId
from migrator.model.plan import Plan, Verdict
from migrator.planning.verdict import may_accept
from tests.fakes.planning import ROLE, SERVICE, SUBJECT, World, account, association, pod, trust_for, workload

DRIVER = InstalledAddon(
    name="orders-driver",
    arn="arn:aws:eks:eu-west-1:111111111111:addon/shop-prod/orders-driver/1",
    version="v1.26.0-eksbuild.1",
    status="ACTIVE",
    namespace=SERVICE.namespace,
    role_arn=ROLE,
)
NAMES = {("orders-driver", "v1.26.0-eksbuild.1"): [SERVICE.name]}
WORLD = World(installed=[DRIVER], names=NAMES)
OLD = replace(DRIVER, version="v1.9.0-eksbuild.1")
VERSIONS = tuple(f"v1.{minor}.0-eksbuild.1" for minor in range(60, 8, -1))  # newest first, as EKS lists them
FROM_26 = {("orders-driver", f"v1.{minor}.0-eksbuild.1"): [SERVICE.name] for minor in range(26, 61)}


def plan_of(world: World, name: str = SERVICE.name) -> Plan:
    wanted = ServiceId(SERVICE.cluster, SERVICE.namespace, name)
    return next(plan for plan in world.plans() if plan.service == wanted)


def codes(world: World, name: str = SERVICE.name) -> set[str]:
    return {finding.code for finding in plan_of(world, name).findings}


def test_it_is_moved_through_its_addon_and_pods_and_annotation_are_left_to_eks() -> None:
    plan = plan_of(WORLD)
    assert [step.id for step in plan.forward] == ["agent", "trust", "addon", "verify"]
    assert [step.id for step in plan.back] == ["addon", "verify", "trust"]
    assert plan.verdict is Verdict.READY
    assert codes(WORLD) == {"addon-owned"}
    there, back = plan.forward[2], plan.back[0]
    assert (there.before, there.after) == ({"role_arn": None}, {"role_arn": ROLE})
    assert back.after == {"role_arn": None, "service_account_role_arn": ROLE}
    assert plan.facts["addon"]["version"] == DRIVER.version


def test_an_ordinary_account_with_the_role_of_an_addon_is_planned_as_an_ordinary_one() -> None:
    """Told by namespace and name, never by role: one that only shares the role keeps its own way, and its own trust."""
    subjects = [SUBJECT, SUBJECT.replace("orders-api", "reports")]
    accounts = [account(), account(name="reports")]
    world = WORLD.but(accounts=accounts, trusts={ROLE: trust_for(*subjects)})
    plan = plan_of(world, "reports")
    assert [step.id for step in plan.forward] == ["agent", "trust", "association", "annotation", "restart", "verify"]
    assert "addon-owned" not in codes(world, "reports")
    assert "addon" not in plan.facts
    assert "addon-owned" in codes(world)


def test_the_same_name_in_another_namespace_is_not_the_addons() -> None:
    world = WORLD.but(installed=[replace(DRIVER, namespace="kube-system")], addon_calls=[])
    assert "association" in [step.id for step in plan_of(world).forward]
    assert ("configuration", DRIVER.name, DRIVER.version) not in world.addon_calls


def test_where_eks_does_not_say_the_namespace_the_default_one_of_the_addon_counts() -> None:
    offers = {"orders-driver": Offer(namespace=SERVICE.namespace)}
    assert codes(WORLD.but(installed=[replace(DRIVER, namespace="")], offers=offers)) == {"addon-owned"}


def test_a_version_without_pod_identity_is_blocked_with_the_first_that_has_it() -> None:
    world = WORLD.but(
        installed=[OLD], names=FROM_26, offers={"orders-driver": Offer(versions=VERSIONS)}, addon_calls=[]
    )
    plan = plan_of(world)
    (finding,) = [one for one in plan.findings if one.code == "addon-unsupported"]
    assert "the first version that does is v1.26.0-eksbuild.1" in finding.says
    assert (plan.forward, plan.back, plan.verdict) == ((), (), Verdict.BLOCKED)
    assert len([call for call in world.addon_calls if call[0] == "configuration"]) <= 2 + 6  # 51 newer versions, halved


@pytest.mark.parametrize("first", [10, 11, 34, 59, 60])
def test_the_first_version_is_found_wherever_it_is(first: int) -> None:
    names = {("orders-driver", f"v1.{minor}.0-eksbuild.1"): [SERVICE.name] for minor in range(first, 61)}
    world = WORLD.but(installed=[OLD], names=names, offers={"orders-driver": Offer(versions=VERSIONS)})
    (finding,) = [one for one in plan_of(world).findings if one.code == "addon-unsupported"]
    assert finding.says.endswith(f" v1.{first}.0-eksbuild.1")


def test_an_addon_that_never_names_any_is_only_warned_of() -> None:
    world = WORLD.but(installed=[OLD], names={}, offers={"orders-driver": Offer(versions=VERSIONS)})
    assert codes(world) == {"addon-perhaps"}
    assert "association" in [step.id for step in plan_of(world).forward]


def test_addons_that_need_no_role_cost_no_search() -> None:
    bare = replace(OLD, name="dns", role_arn="")
    world = WORLD.but(installed=[bare], names={}, offers={"dns": Offer(versions=VERSIONS)}, addon_calls=[])
    assert codes(world) == set()
    assert world.addon_calls == [("list",), ("configuration", "dns", OLD.version), ("versions", "dns", "1.33")]


def test_calls_grow_with_addons_and_not_with_services() -> None:
    accounts = [account(name=f"orders-{number}") for number in range(50)]
    world = WORLD.but(accounts=[account(), *accounts], addon_calls=[])
    world.plans()
    assert world.addon_calls == [("list",), ("configuration", DRIVER.name, DRIVER.version)]


def test_addons_that_may_not_be_read_are_said() -> None:
    world = WORLD.but(addons_denied="eks:ListAddons is not permitted")
    (finding,) = [one for one in plan_of(world).findings if one.code == "not-read"]
    assert finding.says.count("eks:ListAddons is not permitted") == 1


@pytest.mark.parametrize(
    ("world", "code"),
    [
        (WORLD.but(installed=[replace(DRIVER, status="DEGRADED", issues=("AccessDenied: no",))]), "addon-not-active"),
        (WORLD.but(installed=[replace(DRIVER, role_arn=f"{ROLE}-other")]), "addon-other-role"),
        (WORLD.but(linked=[association()]), "addon-standalone"),
        (WORLD.but(linked=[association(f"{ROLE}-other", owner_arn=DRIVER.arn)]), "association-other-role"),
    ],
)
def test_what_blocks_it(world: World, code: str) -> None:
    assert code in codes(world)
    assert plan_of(world).verdict is Verdict.BLOCKED


def test_what_eks_annotated_and_no_addon_claims_is_blocked_until_a_person_knows_better() -> None:
    by_eks = replace(account(), managers=(FieldManager(name="eks", applies=True),))
    assert "addon-unclaimed" in codes(WORLD.but(accounts=[by_eks], addons_denied="no"))
    assert "addon-unclaimed" not in codes(WORLD.but(accounts=[by_eks]))
    assert may_accept("addon-unclaimed")


def test_an_association_that_its_own_addon_made_means_that_it_has_moved() -> None:
    world = WORLD.but(linked=[association(owner_arn=DRIVER.arn)])
    assert codes(world) == {"addon-owned", "association-exists"}
    assert plan_of(world).forward[2].before == {"role_arn": ROLE}


def test_an_association_of_an_addon_that_is_not_known_blocks() -> None:
    assert "association-addon" in codes(World(linked=[association(owner_arn=DRIVER.arn)]))


def test_the_cni_is_for_last() -> None:
    cni = replace(DRIVER, name="vpc-cni")
    world = WORLD.but(installed=[cni], names={("vpc-cni", DRIVER.version): [SERVICE.name]})
    assert codes(world) == {"addon-owned", "addon-cni"}
    assert plan_of(world).verdict is Verdict.ATTENTION


def test_a_pod_of_the_addon_counts_as_any_pod() -> None:
    daemon = workload("DaemonSet", "driver-node", host_network=True)
    assert "host-network" in codes(WORLD.but(made_by=[daemon], live=[pod(daemon)]))


def test_a_first_statement_without_condition_does_not_hide_the_later_ones() -> None:
    """Every statement of an add-on's role is looked at, also behind one that has no condition."""
    document = trust_for(SUBJECT)
    open_to_nodes = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document["Statement"] = [open_to_nodes, *document["Statement"]]
    plan = plan_of(WORLD.but(trusts={ROLE: document}))
    assert "irsa-broken" not in {one.code for one in plan.findings}
    assert plan.verdict is Verdict.READY
    assert plan.forward[3].on["irsa"]["works"]
