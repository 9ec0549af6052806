"""The worlds that come with the package, what a short world means, and how a wrong one is refused."""

import re
from pathlib import Path
from typing import Any

import pytest

from migrator.documents.errors import DocumentError
from migrator.lab.faults.model import KINDS
from migrator.lab.world import trust
from migrator.lab.world.load import load_world, world_file
from migrator.lab.world.manifests import ROLE_ANNOTATION
from migrator.lab.world.model import World
from migrator.lab.world.reference import BEGIN, reference

_SHORT = """\
version: 1
accounts:
  - id: "111111111111"
    roles: [{name: Orders}]
clusters:
  - name: my-cluster
    namespaces:
      - name: demo
        serviceAccounts: [{name: order-sa, role: Orders}]
        workloads: [{name: orders, serviceAccount: order-sa}]
"""


def _load(folder: Path, text: str) -> World:
    path = folder / "world.yaml"
    path.write_text(text, encoding="utf-8")
    return load_world(path)


def _annotated(world: World) -> list[str]:
    return [
        f"{cluster.alias}/{made.document['metadata']['namespace']}/{made.document['metadata']['name']}"
        for cluster in world.clusters
        for made in cluster.objects
        if ROLE_ANNOTATION in made.document["metadata"].get("annotations", {})
    ]


def test_exercise_is_the_reference_exercise() -> None:
    world = load_world(world_file("exercise"))

    (account,), (cluster,) = world.accounts, world.clusters
    assert (account.id, cluster.name, cluster.region) == ("111111111111", "my-cluster", "us-east-1")
    assert _annotated(world) == ["my-cluster/demo/order-sa", "my-cluster/demo-bare/order-sa"]
    assert [(one.document["kind"], one.document["metadata"]["namespace"]) for one in cluster.workloads] == [
        ("Deployment", "demo"),
        ("Pod", "demo-bare"),
    ]
    assert [item["orderId"] for item in account.tables[0].items] == ["ORD-001", "ORD-002", "ORD-003"]
    assert list(account.roles[0].policies) == ["DynamoDBRead"]
    assert not cluster.addons


def test_fleet_has_forty_services_on_three_clusters_in_two_accounts() -> None:
    world = load_world(world_file())

    assert len(_annotated(world)) == 40
    assert len(world.clusters) == 3
    assert {cluster.account for cluster in world.clusters} == {account.id for account in world.accounts}
    kinds = {one.document["kind"] for cluster in world.clusters for one in cluster.workloads}
    assert kinds == {"Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod"}


def test_fleet_has_one_trust_without_room_for_another_statement() -> None:
    world = load_world(world_file())

    sizes = {role.name: trust.characters(role.trust) for account in world.accounts for role in account.roles}
    assert [name for name, size in sizes.items() if size > 1900] == ["ShippingApi"]
    assert max(sizes.values()) <= 2048


def test_short_world_has_everything_by_default(tmp_path: Path) -> None:
    world = _load(tmp_path, _SHORT)

    (cluster,), (account,) = world.clusters, world.accounts
    assert (cluster.alias, cluster.version, cluster.webhook.enabled, len(cluster.nodes)) == (
        "my-cluster",
        "1.33",
        True,
        2,
    )
    assert [provider.url for provider in account.providers] == [cluster.issuer]
    (statement,) = account.roles[0].trust["Statement"]
    assert statement["Condition"]["StringEquals"] == {
        f"{cluster.provider_host}:sub": "system:serviceaccount:demo:order-sa",
        f"{cluster.provider_host}:aud": "sts.amazonaws.com",
    }
    assert cluster.workloads[0].document["spec"]["template"]["spec"]["serviceAccountName"] == "order-sa"


def test_smallest_world_is_one_cluster(tmp_path: Path) -> None:
    world = _load(tmp_path, "version: 1\nclusters: [{name: c}]\n")

    assert [account.id for account in world.accounts] == ["111111111111"]
    assert world.clusters[0].objects == ()


def test_placeholders_are_filled(tmp_path: Path) -> None:
    text = _SHORT.replace(
        "{name: Orders}",
        '{name: Orders, trust: {Statement: {Principal: {Federated: "${provider:my-cluster}"}, '
        'Condition: {StringLike: {"${issuer:my-cluster}:sub": "*"}}}}}',
    )

    world = _load(tmp_path, text)

    host = world.clusters[0].provider_host
    document = world.accounts[0].roles[0].trust
    assert document == {
        "Version": "2012-10-17",
        "Statement": {
            "Principal": {"Federated": f"arn:aws:iam::111111111111:oidc-provider/{host}"},
            "Condition": {"StringLike": {f"{host}:sub": "*"}},
        },
    }


_WRONG: dict[str, tuple[str, str, str]] = {
    "unknown field": (
        "- name: my-cluster",
        "- nam: my-cluster",
        'world.yaml:6: clusters[0].nam: unknown field; did you mean "name"?',
    ),
    "account id without quotes": (
        '"111111111111"',
        "111111111111",
        "world.yaml:3: accounts[0].id: 111111111111 is not a string",
    ),
    "role not declared": (
        "role: Orders",
        "role: Order",
        "world.yaml:9: clusters[0].namespaces[0].serviceAccounts[0].role: no role of account 111111111111 is",
    ),
    "account not declared": (
        "name: my-cluster",
        "name: my-cluster\n    account: shop",
        'world.yaml:7: clusters[0].account: no account is called "shop"; declared: 111111111111',
    ),
    "region of another partition": (
        "name: my-cluster",
        "name: other\n    region: cn-north-1\n  - name: my-cluster\n    region: eu-west-1",
        'world.yaml:9: clusters[1].region: "eu-west-1" is not in partition aws-cn, as account 111111111111 is',
    ),
    "name twice": (
        "[{name: order-sa, role: Orders}]",
        "[{name: order-sa}, {name: order-sa}]",
        'world.yaml:9: clusters[0].namespaces[0].serviceAccounts[1].name: "order-sa" is there twice',
    ),
    "role twice, IAM minds no case": (
        "[{name: Orders}]",
        "[{name: Orders}, {name: orders}]",
        'world.yaml:4: accounts[0].roles[1].name: "orders" is there twice',
    ),
    "trust for a cluster not declared": (
        "{name: Orders}",
        "{name: Orders, trust: {irsa: [{cluster: prod, namespace: a, serviceAccount: b}]}}",
        'world.yaml:4: accounts[0].roles[0].trust.irsa[0].cluster: no cluster is called "prod"; declared: my-cluster',
    ),
    "trust in both forms": (
        "{name: Orders}",
        "{name: Orders, trust: {podIdentity: true, Statement: []}}",
        "world.yaml:4: accounts[0].roles[0].trust.podIdentity: cannot stand beside",
    ),
    "trust as text and otherwise": (
        "{name: Orders}",
        "{name: Orders, trust: {text: '{}', Statement: []}}",
        "world.yaml:4: accounts[0].roles[0].trust.text: is the whole document; nothing can stand beside it",
    ),
    "reads what is not there": (
        "{name: Orders}",
        "{name: Orders, reads: [orders]}",
        'world.yaml:4: accounts[0].roles[0].reads[0]: account 111111111111 has no table and no bucket "orders"',
    ),
    "placeholder for nothing": (
        "{name: order-sa, role: Orders}",
        '{name: order-sa, annotations: {a: "${account:shop}"}}',
        'world.yaml:9: clusters[0].namespaces[0].serviceAccounts[0].annotations.a: no account is called "shop"',
    ),
    "date": (
        "{name: orders, serviceAccount: order-sa}",
        "{name: orders, podSpec: {since: 2026-01-01}}",
        (
            "world.yaml:10: clusters[0].namespaces[0].workloads[0].podSpec.since: 2026-01-01 is read as a date; "
            "put it in quotes"
        ),
    ),
    "answer EKS cannot give": (
        "name: my-cluster",
        "name: my-cluster\n    describe: {tags: 5}",
        "world.yaml:7: clusters[0].describe: Invalid type for parameter tags, value: 5",
    ),
    "newer format": ("version: 1", "version: 2", "world.yaml:1: version: 2 is not 1"),
    "kind that runs no pods": (
        "{name: orders,",
        "{name: orders, kind: Service,",
        "world.yaml:10: clusters[0].namespaces[0].workloads[0].kind: ",
    ),
}


@pytest.mark.parametrize(("old", "new", "said"), _WRONG.values(), ids=_WRONG)
def test_wrong_world_is_refused_with_line_and_field(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = _SHORT.replace(old, new)

    with pytest.raises(DocumentError) as caught:
        _load(tmp_path, text)

    assert str(caught.value).removeprefix(f"{tmp_path}/").startswith(said)


def test_aliases_that_would_explode_are_refused(tmp_path: Path) -> None:
    levels = "".join(f"      - &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, 9))
    text = f"version: 1\nclusters:\n  - name: c\n    describe:\n     x:\n      - &l0 [a]\n{levels}"

    with pytest.raises(DocumentError, match=r"yaml:7: clusters\[0\]\.describe\.x\[1\]\[0\]: aliases are not supported"):
        _load(tmp_path, text)


def test_more_values_than_a_world_needs_are_refused(tmp_path: Path) -> None:
    many = ", ".join(["0"] * 300_000)

    with pytest.raises(DocumentError, match="more than 300000 values"):
        _load(tmp_path, f"version: 1\nclusters:\n  - name: c\n    describe: {{x: [{many}]}}\n")


def test_workload_may_name_an_absent_service_account(tmp_path: Path) -> None:
    world: Any = _load(tmp_path, _SHORT.replace("serviceAccount: order-sa", "serviceAccount: nobody"))

    assert world.clusters[0].workloads[0].document["spec"]["template"]["spec"]["serviceAccountName"] == "nobody"


def _faulty(folder: Path, faults: str) -> World:
    return _load(folder, f"{_SHORT}{faults}")


def test_every_fault_of_the_docs_fits_a_world(tmp_path: Path) -> None:
    docs = Path(__file__).parents[2].joinpath("docs", "lab.md").read_text(encoding="utf-8")
    chapter = docs.partition("## Faults\n")[2].partition(BEGIN)[0]
    examples = re.findall(r"^```yaml\n(.*?)^```", chapter, re.DOTALL | re.MULTILINE)

    kinds = [fault.kind for example in examples for fault in _faulty(tmp_path, example).faults]

    assert set(kinds) == set(KINDS)


def test_a_wrong_fault_is_refused_with_file_line_and_field(tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as refused:
        _faulty(tmp_path, "faults:\n  - webhookOff: {}\n  - crashLoop: {workload: demo/order}\n")

    said = 'faults[1].crashLoop.workload: no workload is called "demo/order"; there are: demo/orders'
    assert str(refused.value) == f"{tmp_path / 'world.yaml'}:13: {said}"


def test_two_faults_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r'world.yaml:13: faults\[1\].name: "off" is there twice'):
        _faulty(tmp_path, "faults:\n" + 2 * '  - {name: "off", webhookOff: {}}\n')


def test_docs_hold_the_reference_of_the_schema() -> None:
    docs = Path(__file__).parents[2].joinpath("docs", "lab.md").read_text(encoding="utf-8")

    assert reference() in docs
