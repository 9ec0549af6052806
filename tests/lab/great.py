"""A large practice fleet: 6 clusters in 3 accounts and 2 regions, each with the same 50 services of all kinds,
or a part of them.

What a kind is expected to come to is written here by a person, beside how it is made. A kind that another part of the
program learns to tell is added to `KINDS`, and its number taken from `plain`, so that a cluster keeps its 50.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from migrator.documents.emit import emit
from migrator.model.exits import Exit

ACCOUNTS = ("111111111111", "222222222222", "333333333333")
REGIONS = {"west": "eu-west-1", "central": "eu-central-1"}
EACH = 50
PART = int(os.environ.get("GREAT_PART", "1"))  # of a kind's services there are so many times fewer
LABELS = {"team": "shop"}
SYSTEM = "kube-system"
Json = dict[str, Any]


@dataclass(frozen=True)
class Home:
    """A cluster: its account takes turns, so that each has one in either region."""

    account: str
    side: str

    @property
    def alias(self) -> str:
        """As `one-west`: the account's place in the list, and the region."""
        return f"{('one', 'two', 'three')[ACCOUNTS.index(self.account)]}-{self.side}"

    @property
    def next_account(self) -> str:
        """Whose roles this cluster's cross-account services use."""
        return ACCOUNTS[(ACCOUNTS.index(self.account) + 1) % len(ACCOUNTS)]


HOMES = tuple(Home(account, side) for account in ACCOUNTS for side in REGIONS)


@dataclass
class Made:
    """What a service needs: its role, which may be made by several, and what lies over its account and workload."""

    role: str
    fields: Json = field(default_factory=dict)  # of the role, as in a world
    owner: str = ""  # the role's account, unless the cluster's
    account: Json = field(default_factory=dict)
    workload: Json = field(default_factory=dict)
    namespace: str = "shop"
    name: str = ""  # of the ServiceAccount, unless the kind's with a number


@dataclass(frozen=True)
class Kind:
    """So many services of each cluster, and what a person expects `migrate plan` to say of each."""

    of_fifty: int
    make: Callable[[Home, str, int], Made]
    verdict: str = "ready"
    shows: tuple[str, ...] = ()
    ends: Exit = Exit.DONE  # what the batch that moves it says of it
    least: int = 1

    @property
    def count(self) -> int:
        """How many there are in each cluster."""
        return max(self.least, self.of_fifty // PART)


def _own(**workload: Any) -> Callable[[Home, str, int], Made]:
    """A role of its own."""
    return lambda home, name, _number: Made(f"{home.alias}-{name}", workload=workload)


def _owned(labels: Mapping[str, str], annotations: Mapping[str, str]) -> Callable[[Home, str, int], Made]:
    """The same, with what its owner leaves on the ServiceAccount; {name} in it is the account's."""

    def make(home: Home, name: str, _number: int) -> Made:
        written = {key: value.replace("{name}", name) for key, value in annotations.items()}
        return Made(f"{home.alias}-{name}", account={"labels": {**LABELS, **labels}, "annotations": written})

    return make


def _tagged(tags: Mapping[str, str]) -> Callable[[Home, str, int], Made]:
    """A role with its owner's tags."""
    return lambda home, name, _number: Made(f"{home.alias}-{name}", {"tags": dict(tags)})


def _pair(home: Home, _name: str, number: int) -> Made:
    """Two services of one cluster have one role."""
    return Made(f"{home.alias}-pair{number // 2}")


def _across(home: Home, _name: str, number: int) -> Made:
    """The services of that name in both clusters of an account have one role."""
    return Made(f"across{number}")


def _cross_account(home: Home, name: str, _number: int) -> Made:
    return Made(f"{home.alias}-{name}", owner=home.next_account)


def _addons(account: str, role: str, **workload: Any) -> Callable[[Home, str, int], Made]:
    """A ServiceAccount that an EKS add-on brought with it."""
    return lambda home, _name, _number: Made(f"{home.alias}-{role}", workload=workload, namespace=SYSTEM, name=account)


def _cni(home: Home, name: str, number: int) -> Made:
    """The same, moved already."""
    made = _addons("aws-node", "cni", kind="DaemonSet")(home, name, number)
    made.fields = {
        "trust": {
            "irsa": [{"cluster": home.alias, "namespace": SYSTEM, "serviceAccount": "aws-node"}],
            "podIdentity": True,
        }
    }
    return made


def _on(compute: str, taint: str) -> Json:
    tolerated = [{"key": taint, "operator": "Exists"}]
    return {"nodeSelector": {COMPUTE: compute}, "tolerations": tolerated}


COMPUTE = "eks.amazonaws.com/compute-type"
WINDOWS: Json = {"nodeSelector": {"kubernetes.io/os": "windows"}, "tolerations": [{"key": "os", "operator": "Exists"}]}
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "x"}
STACK = {"aws:cloudformation:stack-name": "shop-roles", "aws:cloudformation:logical-id": "Role"}
HELM = _owned(
    {"app.kubernetes.io/managed-by": "Helm"},
    {"meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": "shop"},
)
ARGO = _owned({}, {"argocd.argoproj.io/tracking-id": "shop:/ServiceAccount:shop/{name}"})

KINDS: Mapping[str, Kind] = {
    "plain": Kind(18, _own()),
    "stateful": Kind(2, _own(kind="StatefulSet")),
    "daemon": Kind(1, _own(kind="DaemonSet")),
    "cron": Kind(1, _own(kind="CronJob"), shows=("pending-verification",), ends=Exit.UNFINISHED),
    "pair": Kind(4, _pair, shows=("role-shared", "role-trusts-others"), least=2),
    "across": Kind(4, _across, shows=("role-shared", "role-trusts-others")),
    "fargate": Kind(3, _own(**_on("fargate", COMPUTE)), "blocked", ("fargate",)),
    "windows": Kind(2, _own(**WINDOWS), "blocked", ("windows",)),
    "hybrid": Kind(2, _own(**_on("hybrid", "outside")), "blocked", ("hybrid-without-agent",)),
    "keys": Kind(1, _own(env=KEYS), "blocked", ("static-keys",)),
    "helm": Kind(3, HELM, shows=("owner-helm",)),
    "argo": Kind(2, ARGO, shows=("owner-argo-cd",)),
    "terraform": Kind(1, _tagged({"ManagedBy": "Terraform"}), "attention", ("role-terraform",)),
    "stack": Kind(1, _tagged(STACK), "blocked", ("role-cloudformation",)),
    "cross": Kind(2, _cross_account, shows=("cross-account",)),
    "ebs": Kind(1, _addons("ebs-csi-controller-sa", "ebs"), shows=("addon-owned",)),
    "efs": Kind(1, _addons("efs-csi-controller-sa", "efs"), "blocked", ("addon-unsupported",)),
    "cni": Kind(1, _cni, "attention", ("addon-cni", "addon-owned", "association-exists")),
}


@dataclass(frozen=True)
class Service:
    """One service of the fleet."""

    id: str
    home: Home
    kind: str
    made: Made

    @property
    def role(self) -> tuple[str, str]:
        """Account and name of its role."""
        return self.made.owner or self.home.account, self.made.role


def services() -> list[Service]:
    """All of them."""
    return [one for home in HOMES for one in _of_cluster(home)]


def _of_cluster(home: Home) -> Iterator[Service]:
    for kind, one in KINDS.items():
        for number in range(one.count):
            made = one.make(home, f"{kind}{number}", number)
            made.name = made.name or f"{kind}{number}"
            yield Service(f"{home.alias}/{made.namespace}/{made.name}", home, kind, made)


def write(folder: Path) -> Path:
    """The world file."""
    every = services()
    accounts = [_account(account, every) for account in ACCOUNTS]
    clusters = [_cluster(home, [one for one in every if one.home == home]) for home in HOMES]
    path = folder / "world.yaml"
    path.write_text(emit({"version": 1, "accounts": accounts, "clusters": clusters}), encoding="utf-8")
    return path


def _account(account: str, every: Sequence[Service]) -> Json:
    roles = {one.made.role: one.made.fields for one in every if one.role[0] == account}
    given = ({"name": name, **fields} for name, fields in sorted(roles.items()))
    guests = sorted({one.home.alias for one in every if one.role[0] == account != one.home.account})
    return {"id": account, "roles": list(given), "oidcProviders": [{"cluster": alias} for alias in guests]}


def _cluster(home: Home, its: Sequence[Service]) -> Json:
    spaces = sorted({one.made.namespace for one in its})
    return {
        "name": home.alias,
        "account": home.account,
        "region": REGIONS[home.side],
        "associationDelay": 0.2,
        "addons": _installed(home.alias),
        "nodes": [
            {"name": f"{home.alias}-linux", "count": 2},
            {"name": f"{home.alias}-windows", "count": 1, "os": "windows", "taints": [_taint("os")]},
            {"name": f"{home.alias}-fargate", "count": 1, "computeType": "fargate", "taints": [_taint(COMPUTE)]},
            {"name": f"{home.alias}-outside", "count": 1, "computeType": "hybrid", "taints": [_taint("outside")]},
        ],
        "namespaces": [_namespace(space, [one for one in its if one.made.namespace == space]) for space in spaces],
    }


def _installed(alias: str) -> list[Any]:
    return [
        "eks-pod-identity-agent",
        {"name": "vpc-cni", "podIdentityAssociations": [{"serviceAccount": "aws-node", "role": f"{alias}-cni"}]},
        {"name": "aws-ebs-csi-driver", "serviceAccountRole": f"{alias}-ebs"},
        {"name": "aws-efs-csi-driver", "version": "v1.7.7-eksbuild.1", "serviceAccountRole": f"{alias}-efs"},
    ]


def _taint(key: str) -> Json:
    return {"key": key, "value": "yes", "effect": "NoSchedule"}


def _namespace(name: str, its: Sequence[Service]) -> Json:
    accounts = [
        {"name": one.made.name, "role": ":".join(one.role), "labels": LABELS, **one.made.account} for one in its
    ]
    workloads = [{"name": one.made.name, "serviceAccount": one.made.name, **one.made.workload} for one in its]
    return {"name": name, "serviceAccounts": accounts, "workloads": workloads}
