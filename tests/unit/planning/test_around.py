"""What is asked about the surroundings of services, and how they are looked up."""

from dataclasses import dataclass, field, replace

import pytest

from migrator.model.facts import EnvVar, PodVolume, ServiceAccount, Workload, WorkloadRef
from migrator.model.selectors import LabelSelector
from migrator.model.surroundings import ObjectRef, SecretClass, SecurityGroupPolicy, Surroundings
from migrator.planning.around import Around
from tests.fakes.planning import World, container, workload

CNI = WorkloadRef(kind="DaemonSet", namespace="kube-system", name="aws-node")
Asked = dict[str, bool]


@dataclass(frozen=True, kw_only=True)
class Listening(World):
    """A world that remembers what it was asked."""

    asked: list[Asked] = field(default_factory=list)

    def surroundings(self, *, volumes: bool, security_groups: bool) -> Surroundings:
        self.asked.append({"volumes": volumes, "security_groups": security_groups})
        return super().surroundings(volumes=volumes, security_groups=security_groups)


def cni(*variables: EnvVar, ref: WorkloadRef = CNI) -> Workload:
    env = {one.name: one for one in variables}
    return replace(workload("DaemonSet", "aws-node", containers=(container("aws-node", (), **env),)), ref=ref)


def variable(name: str, value: str) -> EnvVar:
    return EnvVar(name=name, value=value)


def asked_of(*made_by: Workload) -> Asked:
    world = Listening(made_by=made_by)
    world.plans()
    [asked] = world.asked
    return asked


def test_without_an_annotation_nothing_is_asked() -> None:
    world = Listening(accounts=[ServiceAccount(namespace="orders", name="orders-api", uid="u")])
    assert world.plans() == ()
    assert world.asked == []


def test_volumes_matter_to_a_service_with_a_claim() -> None:
    claim = (PodVolume(name="data", claim="data"),)
    inline = (PodVolume(name="s", driver="secrets-store.csi.k8s.io"),)
    assert asked_of(workload(volumes=claim))["volumes"]
    assert not asked_of(workload(volumes=inline))["volumes"]
    assert not asked_of(workload(), workload(name="other", service_account="other", volumes=claim))["volumes"]


ENI = variable("ENABLE_POD_ENI", "true")


@pytest.mark.parametrize(
    ("name", "made", "expected"),
    [
        ("[strict] by default", cni(ENI), True),
        ("[strict] in so many words", cni(ENI, variable("POD_SECURITY_GROUP_ENFORCING_MODE", "strict")), True),
        ("[standard]", cni(ENI, variable("POD_SECURITY_GROUP_ENFORCING_MODE", "standard")), False),
        ("[off] switched off", cni(variable("ENABLE_POD_ENI", "false")), False),
        ("[off] never switched on", cni(), False),
        ("[other] another DaemonSet", cni(ENI, ref=replace(CNI, namespace="shop")), False),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_security_groups_matter_while_they_are_enforced_strictly(name: str, made: Workload, expected: bool) -> None:
    del name
    assert asked_of(workload(), made)["security_groups"] is expected


def test_things_are_found_by_kind_and_namespace() -> None:
    def named(namespace: str, name: str) -> SecretClass:
        return SecretClass(ref=ObjectRef(kind="SecretProviderClass", namespace=namespace, name=name))

    policy = SecurityGroupPolicy(
        ref=ObjectRef(kind="SecurityGroupPolicy", namespace="shop", name="p"), pods=LabelSelector()
    )
    around = Around(
        Surroundings(things=(named("shop", "b"), policy, named("pay", "c"), named("shop", "a"), named("", "d")))
    )
    assert [one.ref.name for one in around.of(SecretClass, "shop")] == ["d", "a", "b"]
    assert [one.ref.name for one in around.every(SecretClass)] == ["d", "c", "a", "b"]
    assert around.of(SecurityGroupPolicy, "pay") == []
