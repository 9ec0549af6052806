"""A fleet that an operator with one ClusterRole works on, and a tour of every command over every kind of workload.

What each command asks of the API server is written down on the way: which command is the cheapest that needs a rule is
seen, not declared, and so a rule that is added to the role finds the command by itself.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from migrator.documents.emit import emit
from migrator.lab.kubeconfigs import Access, kubeconfig
from migrator.model.exits import Exit
from tests.controlplane.role import GRANTED, USER, Operator, Triple, add_operator
from tests.fakes.definitions import every_kind
from tests.lab import harness, scenes
from tests.lab.deeds import by_us
from tests.lab.harness import Fleet, Ran

MAIN, PLAIN = "main", "plain"
ALL, BY_THEMSELVES = "all", ("job", "cron-job")  # of a Job or a CronJob that is alone, the gate takes its template
_REVIEWS = "authorization.k8s.io"
_DISCOVERY = "/apis"
_CHECK = {"command": ["true"]}
_SOURCES = [{f"{kind}Ref": {"name": "settings", "optional": True}} for kind in ("configMap", "secret")]
_NIGHTLY = {"kind": "CronJob", "schedule": "0 3 1 1 *"}
_CLAIM = {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]}
_CNI = {"name": "aws-node", "kind": "DaemonSet", "env": {"ENABLE_POD_ENI": "true"}}
_WORKLOADS: dict[str, list[dict[str, Any]]] = {
    ALL: [
        {"name": "rolling", "containers": [{"name": "app", "envFrom": _SOURCES}]},
        {"name": "ordered", "kind": "StatefulSet"},
        {"name": "evicted", "kind": "StatefulSet", "strategy": {"type": "OnDelete"}},
        {"name": "everywhere", "kind": "DaemonSet"},
        {"name": "argo", "kind": "Rollout"},
        {"name": "free", "kind": "ReplicaSet"},
        {"name": "once", "kind": "Job", "command": ["sleep", "1"]},
        {"name": "nightly", **_NIGHTLY, "podSpec": _CLAIM},
        {"name": "alone", "kind": "Pod"},
    ],
    "job": [{"name": "job", "kind": "Job", "command": ["sleep", "infinity"]}],
    "cron-job": [{"name": "cron-job", **_NIGHTLY}],
}
_WAITS = {"poll": 0.1, "trust_settle": 0.1, "gate_probes": 2, "reconcile": 0.2, "settle": 0.2, "rollout": 30}


@dataclass(frozen=True)
class Deed:
    """One command. `moved` is whether its service is to be on Pod Identity before it, None where that is all one."""

    words: tuple[str, ...]
    service: str = ""
    moved: bool | None = None
    turns: bool = False
    exit: Exit = Exit.DONE

    def __str__(self) -> str:
        """As a test names it."""
        return " ".join((*self.words[:1], self.service)).strip()


@dataclass(frozen=True)
class Done:
    """What a deed asked of the API server, in the order in which it was first asked for, and what it took."""

    deed: Deed
    asked: tuple[Triple, ...]
    seconds: float


def _deeds() -> Iterator[Deed]:
    yield Deed(("plan", "--cluster", MAIN))
    yield Deed(("show", f"{MAIN}/shop/{ALL}"))
    there, back = _there_and_back(ALL, Exit.DONE, "--recreate-bare-pods")
    look = ("verify", *named(ALL))
    yield from (Deed(look, ALL, moved=False), there, Deed(look, ALL, moved=True))
    yield replace(there, moved=True, turns=False)  # looks whether all is still so
    yield back
    for name in BY_THEMSELVES:
        yield from _there_and_back(name, Exit.UNFINISHED)  # the next pod proves it


def _there_and_back(name: str, there: Exit, *options: str) -> tuple[Deed, Deed]:
    words = (*named(name), "--yes", *options)
    return (
        Deed(("apply", *words), name, moved=False, turns=True, exit=there),
        Deed(("rollback", *words), name, moved=True, turns=True),
    )


def named(name: str) -> tuple[str, str]:
    """The option that names a service of the cluster with everything."""
    return "--service", f"{MAIN}/shop/{name}"


@dataclass
class Tour:
    """The fleet, its operators, and what was done as them.

    Attributes:
        fleet: it runs.
        operators: by cluster.
        done: the deeds, each done once with the whole role.
        moved: the services on Pod Identity.
        owed: deeds that were refused before they changed anything, and have not ended well since.
    """

    fleet: Fleet
    operators: dict[str, Operator]
    done: list[Done] = field(default_factory=list)
    moved: set[str] = field(default_factory=set)
    owed: set[Deed] = field(default_factory=set)
    _heard: int = 0

    @property
    def operator(self) -> Operator:
        """Of the cluster with everything."""
        return self.operators[MAIN]

    def go(self) -> None:
        """Every command, with the whole role; all must end well."""
        for deed in _deeds():
            began = time.monotonic()
            self.carried_out(deed)
            self.done.append(Done(deed, self._asked(), time.monotonic() - began))
            if deed.words[0] == "plan":
                scenes.edit(self.fleet, f"{MAIN}/shop/{ALL}", verify=_CHECK)

    def carried_out(self, deed: Deed) -> None:
        """Does it, and it ends as it should."""
        self.run(deed).ended(deed.exit)
        self.turned(deed)

    def turned(self, deed: Deed) -> None:
        """What has become of its service when it has ended as it should."""
        self.owed.discard(deed)
        if deed.turns:
            self.moved ^= {deed.service}

    def run(self, deed: Deed) -> Ran:
        """Does it, however it ends."""
        return self.fleet.migrate(*deed.words, "--quiet")

    def refused(self, triple: Triple) -> tuple[Deed, Ran]:
        """The cheapest deed that does not end as it should without this, and how it ends; then it is granted again."""
        for deed in self._needing(triple):
            self.made_ready(deed)
            with self.operator.granted(GRANTED - {triple}):
                ran = self.run(deed)
            if ran.exit != deed.exit:
                return deed, ran
            self.turned(deed)
        raise AssertionError(f"every command ends well without {triple}: a rule too many")

    def changes(self) -> int:
        """How many changes we have made until now, on the clusters and in AWS."""
        made = [call for call in self._calls(0) if call["mutating"] and 200 <= call["status"] < 300]
        return len(made) + sum(self._is_ours(call) for call in self.fleet.calls())

    @staticmethod
    def _is_ours(call: dict[str, Any]) -> bool:
        return bool(call["mutating"]) and by_us(call) and 200 <= call["status"] < 300

    def made_ready(self, deed: Deed) -> None:
        """Takes its service to where it begins."""
        if deed.moved is not None and (deed.service in self.moved) != deed.moved:
            pairs = [one.deed for one in self.done if one.deed.turns and one.deed.service == deed.service]
            self.carried_out(next(one for one in pairs if one.moved != deed.moved))

    def home(self) -> None:
        """Takes every service back to IRSA that is not there."""
        for one in self.done:
            if one.deed.turns and not one.deed.moved:  # it begins on IRSA
                self.made_ready(one.deed)

    def _needing(self, triple: Triple) -> list[Deed]:
        """The deeds that asked for it, or else for the like of it, the cheapest first."""
        exact = [one for one in self.done if triple in one.asked]
        alike = [one for one in self.done if triple.resource in {asked.resource for asked in one.asked}]
        return [one.deed for one in sorted(exact or alike or self.done, key=self._cost)]

    def _cost(self, one: Done) -> tuple[bool, float]:
        deed = one.deed
        return deed.moved is not None and (deed.service in self.moved) != deed.moved, one.seconds

    def _asked(self) -> tuple[Triple, ...]:
        calls = self._calls(self._heard)
        self._heard = max((call["number"] for call in calls), default=self._heard)
        return tuple(dict.fromkeys(_triple(call) for call in calls))

    def _calls(self, after: int) -> list[dict[str, Any]]:
        """The operator's; discovery, open to all, and what the tests themselves ask with his token are left out."""
        calls = self.fleet.lab_page(f"kube-calls?after={after}")
        own = (call for call in calls if call["user"] == USER and call["group"] != _REVIEWS)
        return [call for call in own if call["resource"] or not call["path"].startswith(_DISCOVERY)]


def _triple(call: dict[str, str]) -> Triple:
    return Triple(call["group"], call["resource"], call["verb"], "" if call["resource"] else call["path"])


@contextmanager
def open_tour(folder: Path, plane: str) -> Iterator[Tour]:
    """A fleet of two clusters, one of them without Argo Rollouts, each with an operator of the whole role."""
    with harness.fleet(_world(folder), folder, plane) as fleet:
        operators = {one.alias: add_operator(fleet.kube(one.alias), one.ca_pem) for one in fleet.lab.clusters}
        _reached_as(fleet, operators, folder / "operators.kubeconfig")
        tour = Tour(fleet, operators)
        try:
            yield tour
        finally:
            for operator in operators.values():
                operator.own.close()


def _world(folder: Path) -> Path:
    services = [{"name": name, "workloads": [_quick(name, one) for one in found]} for name, found in _WORKLOADS.items()]
    options: dict[str, Any] = {"addons": ["eks-pod-identity-agent"], "nodes": [{"name": "n"}], "associationDelay": 0.1}
    path = scenes.write(folder, services, **options)
    world = yaml.safe_load(path.read_text(encoding="utf-8"))
    web = {
        "name": "web",
        "serviceAccounts": [{"name": "web", "role": "web"}],
        "workloads": [_quick("web", {"name": "web"})],
    }
    main = world["clusters"][0]
    main["manifests"] = [*main.get("manifests", ()), *every_kind()]
    main["namespaces"].append({"name": "kube-system", "workloads": [_CNI]})
    world["clusters"].append({"name": PLAIN, "region": "eu-west-1", **options, "namespaces": [web]})
    world["accounts"][0]["roles"].append({"name": "web"})
    path.write_text(emit(world), encoding="utf-8")
    return path


def _quick(service: str, workload: dict[str, Any]) -> dict[str, Any]:
    return {"serviceAccount": service, "podSpec": {"terminationGracePeriodSeconds": 0}, **workload}


def _reached_as(fleet: Fleet, operators: dict[str, Operator], config: Path) -> None:
    """Has the fleet file reach its clusters by contexts of the operators."""
    ways = {
        one.alias: Access(one.alias, one.url, one.ca_pem, operators[one.alias].own.token) for one in fleet.lab.clusters
    }
    config.write_text(kubeconfig(list(ways.values())), encoding="utf-8")
    file = Path(fleet.environment["MIGRATE_FLEET"])
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    for cluster in document["clusters"]:
        cluster["kubeconfig"] = {"context": cluster["alias"], "file": str(config)}
    document["waits"] |= _WAITS
    file.write_text(emit(document), encoding="utf-8")
