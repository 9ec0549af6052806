"""The adapters against the practice fleet's AWS and API servers: every port, as the planner and the steps use it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from migrator.adapters.aws.iam import IamRoles
from migrator.adapters.aws.planning_roles import PlanningRoles
from migrator.adapters.aws.sessions import AwsSessions
from migrator.adapters.kube.cluster import LiveCluster
from migrator.lab.world.load import world_file
from migrator.model import identity
from migrator.model.errors import EnvironmentFault, Rejected
from migrator.model.facts import AgentState, Pod, Rollout, ServiceAccount, WorkloadRef
from migrator.model.fleet import Fleet as FleetFile
from migrator.model.fleet import KubeconfigAccess
from migrator.model.identity import Identity
from migrator.model.ports.planning import ClusterView, Roles
from migrator.model.ports.steps import AdmissionGate, ClusterWorld, TrustPolicies
from migrator.store.fleet_file import load_fleet
from tests.lab.harness import Fleet, fleet
from tests.lab.invariants import Invariant

NAMESPACE, NAME, KEY = "demo", "order-sa", "eks.amazonaws.com/role-arn"
WEB = WorkloadRef(kind="Deployment", namespace=NAMESPACE, name="order-reader")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with (
        fleet(world_file("exercise"), tmp_path_factory.mktemp("adapters")) as running,
        pytest.MonkeyPatch.context() as env,
    ):
        for name, value in running.lab.env.items():
            env.setenv(name, value)
        running.waive(Invariant.ONCE, "*", "the adapters are called with no run and no journal")
        yield running


@pytest.fixture(scope="module")
def declared(lab: Fleet) -> FleetFile:
    return load_fleet(Path(lab.lab.env["MIGRATE_FLEET"]))


@pytest.fixture(scope="module")
def sessions(declared: FleetFile) -> AwsSessions:
    return AwsSessions(declared)


@pytest.fixture(scope="module")
def live(declared: FleetFile, sessions: AwsSessions) -> Iterator[LiveCluster]:
    cluster = LiveCluster(declared.clusters[0], sessions)
    yield cluster
    cluster.close()


def account_of(live: LiveCluster) -> ServiceAccount:
    found = live.service_account(NAMESPACE, NAME)
    assert found is not None
    return found


def pod_of(live: LiveCluster) -> Pod:
    return next(pod for pod in live.pods_of(NAMESPACE, NAME) if pod.ready and not pod.deleting)


def until(look: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < end, "not so in time"
        time.sleep(0.05)


def test_ports_are_served(live: LiveCluster, sessions: AwsSessions) -> None:
    world: ClusterWorld = live
    views: tuple[ClusterView, ...] = (live, live.snapshot())
    gate: AdmissionGate = live
    roles: Roles = PlanningRoles(sessions)
    trust: TrustPolicies = IamRoles(sessions)
    assert all((world, *views, gate, roles, trust))


def test_snapshot_and_live_reads_agree(live: LiveCluster) -> None:
    view = live.snapshot()
    assert view.cluster() == live.cluster()
    assert list(view.workloads()) == list(live.workloads())
    assert {pod.name for pod in view.pods()} == {pod.name for pod in live.pods()}
    assert [pod.owner for pod in view.pods() if pod.namespace == NAMESPACE] == [WEB]
    assert any(account.role_arn for account in view.service_accounts())
    assert {node.os for node in view.nodes()} == {"linux"}
    assert (list(view.associations()), list(view.fargate_selectors())) == ([], [])


def test_proof(live: LiveCluster) -> None:
    cluster = live.cluster()
    planned = {"arn": cluster.arn, "account": cluster.account, "issuer": cluster.issuer}
    assert live.prove(planned) is None
    for field in planned:
        difference = live.prove({**planned, field: "another"})
        assert difference is not None
        assert 'planned was "another"' in difference


def test_kubeconfig_context_of_this_cluster(declared: FleetFile, sessions: AwsSessions) -> None:
    entry = replace(declared.clusters[0], kubeconfig=KubeconfigAccess(context=declared.clusters[0].alias))
    cluster = LiveCluster(entry, sessions)
    assert cluster.service_account(NAMESPACE, NAME) is not None
    found = cluster.cluster()
    assert cluster.prove({"arn": found.arn, "account": found.account, "issuer": found.issuer}) is None
    cluster.close()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        pytest.param("127.0.0.1", "localhost", "leads to", id="another server"),
        pytest.param(
            "certificate-authority-data", "x-unknown", "another certificate authority", id="another authority"
        ),
        pytest.param("contexts", "contexts-gone", "cannot be used", id="no contexts"),
        pytest.param("clusters", "- {", "cannot be used", id="no YAML"),
        pytest.param("certificate-authority-data", "insecure-skip-tls-verify", "does not verify", id="unverified"),
    ],
)
def test_kubeconfig_context_of_another_cluster(  # noqa: PLR0917 - fixtures and cases
    declared: FleetFile, sessions: AwsSessions, lab: Fleet, tmp_path: Path, old: str, new: str, words: str
) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(Path(lab.lab.env["KUBECONFIG"]).read_text().replace(old, new))
    access = KubeconfigAccess(context=declared.clusters[0].alias, file=file)
    with pytest.raises(EnvironmentFault, match=words):
        LiveCluster(replace(declared.clusters[0], kubeconfig=access), sessions).nodes()


def test_no_such_cluster(declared: FleetFile, sessions: AwsSessions) -> None:
    with pytest.raises(EnvironmentFault, match='there is no cluster "absent" in region "us-east-1"'):
        LiveCluster(replace(declared.clusters[0], name="absent"), sessions).nodes()


def test_annotation_out_and_in_keeps_the_object(live: LiveCluster, lab: Fleet) -> None:
    path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{NAME}"
    with lab.kube(live.cluster().alias) as kube:
        before, seen = kube.get(path), account_of(live)
        live.remove_annotation(seen, KEY)
        bare = account_of(live)
        with pytest.raises(Rejected, match="was changed meanwhile"):
            live.remove_annotation(seen, KEY)
        live.add_annotation(bare, KEY, seen.annotations[KEY])
        with pytest.raises(Rejected, match="was changed meanwhile"):
            live.add_annotation(bare, KEY, "another")
        after = kube.get(path)
    for document in (before, after):
        del document["metadata"]["resourceVersion"]
        document["metadata"].pop("managedFields", None)
    assert KEY not in bare.annotations
    assert after == before


def test_command_in_a_pod(live: LiveCluster) -> None:
    pod = pod_of(live)
    said = live.run_in(pod, "", ["aws", "sts", "get-caller-identity"], 20)
    assert said.exit_code == 0
    assert "assumed-role/DojoOrderReader/" in said.output
    assert live.run_in(pod, "", ["no-such-program"], 20).exit_code != 0
    late = live.run_in(pod, "", ["sleep", "5"], 0.5)
    assert (late.exit_code, late.output) == (124, "(not over after 0 s)")


def test_restart_rolls_and_bears_the_stamp(live: LiveCluster) -> None:
    def rollout() -> Rollout:
        found = live.rollout(WEB)
        assert found is not None
        return found

    old = pod_of(live).uid
    live.restart(WEB, "run-7")
    assert (rollout().stamp, rollout().failure) == ("run-7", "")
    until(lambda: rollout().complete)
    assert [pod.uid for pod in live.pods_of(NAMESPACE, NAME) if not pod.deleting and pod.uid == old] == []
    assert live.rollout(replace(WEB, name="absent")) is None


def test_trust_then_association_then_gate_and_back(live: LiveCluster, sessions: AwsSessions) -> None:
    roles = IamRoles(sessions)
    arn = account_of(live).annotations[KEY]
    role = roles.role(arn)
    assert role is not None

    def create(token: str) -> str:
        made = live.create_association(
            namespace=NAMESPACE, service_account=NAME, role_arn=arn, tags={"run": token}, token=token
        )
        return made.id

    def gate() -> Identity | None:
        probe = live.probe(NAMESPACE, NAME)
        return identity.of_pod(probe.pod) if probe.pod else None

    with pytest.raises(Rejected) as refused:
        create("one")
    assert refused.value.reason == "trust-not-accepted"
    assert gate() is Identity.IRSA

    statement = (
        '{"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"},'
        ' "Action": ["sts:AssumeRole", "sts:TagSession"]}'
    )
    roles.write_trust(role, role.trust.replace('"Statement": [', f'"Statement": [{statement}, ', 1))
    made = create("one")
    assert create("one") == made
    found = live.association(NAMESPACE, NAME)
    assert found is not None
    assert (found.id, found.role_arn, found.tags) == (made, arn, {"run": "one"})
    with pytest.raises(Rejected) as taken:
        create("two")
    assert taken.value.reason == "exists"
    until(lambda: gate() is Identity.POD_IDENTITY)

    live.delete_association(made)
    live.delete_association(made)
    assert live.association(NAMESPACE, NAME) is None
    until(lambda: gate() is Identity.IRSA)
    changed = roles.role(arn)
    assert changed is not None
    roles.write_trust(changed, role.trust)
    assert roles.role(arn) == role


def test_agent_is_installed_once_and_gets_ready(live: LiveCluster) -> None:
    assert live.agent() == AgentState()
    first, second = live.install_agent("run-7-agent"), live.install_agent("run-7-agent")
    assert first.name == second.name == "eks-pod-identity-agent"
    until(lambda: live.agent().ready_nodes == {node.name for node in live.nodes()})
    until(lambda: (addon := live.agent().addon) is not None and addon.status == "ACTIVE")
    assert live.agent().daemonset
    assert live.install_agent("another").name == first.name
