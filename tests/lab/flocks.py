"""Worlds of many small services over several clusters and accounts, for runs that nobody watches."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from migrator.documents.emit import emit
from tests.lab import scenes
from tests.lab.harness import Fleet
from tests.lab.scenes import LABELS, Service

ACCOUNTS = ("111111111111", "222222222222")


def many(count: int, prefix: str = "s", **workload: Any) -> list[Service]:
    """So many services, each with one pod and a role of its own."""
    return [scenes.service(f"{prefix}{number}", replicas=1, **workload) for number in range(count)]


def write(folder: Path, clusters: Mapping[str, Sequence[Service]], **fields: Any) -> Path:
    """Writes a world: by alias each cluster's services in namespace `shop`; accounts take turns; `fields`: of all."""
    where = {alias: ACCOUNTS[number % len(ACCOUNTS)] for number, alias in enumerate(clusters)}
    world = {
        "version": 1,
        "accounts": [
            {
                "id": account,
                "roles": [
                    {"name": f"{alias}-{one['name']}"}
                    for alias, services in clusters.items()
                    if where[alias] == account
                    for one in services
                ],
            }
            for account in ACCOUNTS[: len(clusters)]
        ],
        "clusters": [_cluster(alias, where[alias], services, fields) for alias, services in clusters.items()],
    }
    path = folder / "world.yaml"
    path.write_text(emit(world), encoding="utf-8")
    return path


def _cluster(alias: str, account: str, services: Sequence[Service], fields: Mapping[str, Any]) -> dict[str, Any]:
    namespace = {
        "name": "shop",
        "serviceAccounts": [
            {"name": one["name"], "role": f"{alias}-{one['name']}", "labels": LABELS} for one in services
        ],
        "workloads": [workload for one in services for workload in one["workloads"]],
    }
    given = {
        "name": alias,
        "account": account,
        "region": "eu-west-1",
        "associationDelay": 0.2,
        "addons": ["eks-pod-identity-agent"],
        "nodes": [{"name": f"{alias}-n", "count": 2}],
    }
    return {**given, **fields, "namespaces": [namespace]}


def policy(fleet: Fleet, **fields: Any) -> None:
    """Sets the fleet file's `batch`, and waits that suit a fleet next door."""
    scenes.waits(fleet, poll=0.1, trust_settle=0.1, gate_probes=2, reconcile=0.2, settle=0.4)
    file = Path(fleet.environment["MIGRATE_FLEET"])
    text = file.read_text(encoding="utf-8").split("\nbatch:\n", maxsplit=1)[0].rstrip("\n")
    file.write_text(f"{text}\n{emit({'batch': fields})}" if fields else f"{text}\n", encoding="utf-8")


def state(fleet: Fleet, **kind: Any) -> None:
    """Sets the fleet file's `state`."""
    file = Path(fleet.environment["MIGRATE_FLEET"])
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    file.write_text(emit({**data, "state": kind}), encoding="utf-8")


def standings(fleet: Fleet) -> dict[str, str]:
    """By service, where it stands."""
    return {one["service"]: one["standing"] for one in fleet.migrate("status", "--output", "json").data["services"]}
