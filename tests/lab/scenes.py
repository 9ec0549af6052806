"""Worlds for the scenario tests, made as data: many like services, or one odd one; and what a person edits."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from migrator.documents.emit import emit
from tests.lab.harness import Fleet

ACCOUNT = "111111111111"
CLUSTER = "main"
LABELS = {"team": "shop"}
"""Of every ServiceAccount: of an object without any field that somebody set, no API server tells who changes it."""

BRISK = {"poll": 0.2, "settle": 0.3, "reconcile": 0.3, "trust_settle": 0.1}
"""Waits for tests that are about something else; longer ones are most of what a there-and-back takes."""

Service = dict[str, Any]


def service(name: str, **workload: Any) -> Service:
    """A service `main/shop/NAME` with a role of its own and one workload of its name."""
    return {"name": name, "workloads": [{"name": name, "serviceAccount": name, **workload}]}


def write(folder: Path, services: Sequence[Service], **cluster: Any) -> Path:
    """Writes a world of one cluster with these services in namespace `shop`; `cluster` overrides its fields."""
    roles = [one.get("role", {"name": one["name"]}) for one in services]
    accounts = [
        {"name": one["name"], "role": one.get("role", one)["name"], "labels": LABELS, **one.get("account", {})}
        for one in services
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
    return saved(folder, world)


def saved(folder: Path, world: Mapping[str, Any]) -> Path:
    """The world as a file in the folder."""
    path = folder / "world.yaml"
    path.write_text(emit(world), encoding="utf-8")
    return path


def unique(roles: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """One role of each name, the first."""
    return list({role["name"]: role for role in reversed(roles)}.values())[::-1]


def edit(fleet: Fleet, service: str, **fields: Any) -> None:
    """Edits the part of a service's plan file that people may edit, such as `verify`, `hold` or `order`."""
    path = fleet.plan_file(service)
    text = path.read_text(encoding="utf-8")
    for field, value in fields.items():
        lines = [line for line in text.splitlines() if line.startswith(f"  {field}:")]
        assert len(lines) == 1, text
        text = text.replace(lines[0], f"  {field}: {json.dumps(value)}")
    path.write_text(text, encoding="utf-8")


def waits(fleet: Fleet, **seconds: float) -> None:
    """Sets how long the program waits for what, in the fleet file."""
    file = Path(fleet.environment["MIGRATE_FLEET"])
    kept = [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip().split(":")[0] not in seconds]
    at = kept.index("waits:") + 1
    kept[at:at] = [f"  {name}: {value}" for name, value in seconds.items()]
    file.write_text("\n".join(kept) + "\n", encoding="utf-8")
