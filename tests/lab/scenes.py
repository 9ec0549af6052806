"""Worlds for the scenario tests, made as data: many like services, or one odd one."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from migrator.documents.emit import emit

ACCOUNT = "111111111111"
CLUSTER = "main"

Service = dict[str, Any]


def service(name: str, **workload: Any) -> Service:
    """A service `main/shop/NAME` with a role of its own and one workload of its name."""
    return {"name": name, "workloads": [{"name": name, "serviceAccount": name, **workload}]}


def write(folder: Path, services: Sequence[Service], **cluster: Any) -> Path:
    """Writes a world of one cluster with these services in namespace `shop`; `cluster` overrides its fields."""
    roles = [one.get("role", {"name": one["name"]}) for one in services]
    accounts = [
        {"name": one["name"], "role": one.get("role", one)["name"], **one.get("account", {})} for one in services
    ]
    namespace = {
        "name": "shop",
        "serviceAccounts": accounts,
        "workloads": [workload for one in services for workload in one["workloads"]],
    }
    defaults = {"name": CLUSTER, "region": "eu-west-1", "associationDelay": 0.5, "nodes": [{"name": "n", "count": 2}]}
    world = {
        "version": 1,
        "accounts": [{"id": ACCOUNT, "roles": unique(roles)}],
        "clusters": [{**defaults, **cluster, "namespaces": [namespace]}],
    }
    path = folder / "world.yaml"
    path.write_text(emit(world), encoding="utf-8")
    return path


def unique(roles: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """One role of each name, the first."""
    return list({role["name"]: role for role in reversed(roles)}.values())[::-1]
