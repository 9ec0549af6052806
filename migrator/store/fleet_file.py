"""Reads `fleet.yaml`."""

import json
from importlib import resources
from pathlib import Path
from typing import Any

from migrator.documents.errors import DocumentError
from migrator.documents.yaml_file import Document, load
from migrator.model.fleet import (
    Account,
    DynamoState,
    Fleet,
    FleetCluster,
    KubeconfigAccess,
    Policy,
    SqliteState,
    State,
    Waits,
)
from migrator.model.plan import Order
from migrator.model.trust.subject import Scope
from migrator.store.batch_policy import batch_policy
from migrator.store.fleet_paths import path_text


def schema() -> dict[str, Any]:
    """The fleet file's JSON Schema."""
    text = resources.files("migrator.store").joinpath("fleet.schema.json").read_text(encoding="utf-8")
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def load_fleet(path: Path) -> Fleet:
    """The fleet in `path`.

    Raises:
        DocumentError: not readable, not fitting the schema, a cluster without region or account, a name used twice,
            a cluster under two aliases, a role of another account, or a window, path or URL that cannot be read.
    """
    document = _document(path)
    data, folder = document.data, path.resolve().parent
    clusters = _clusters(document, folder)
    return Fleet(
        file=path.resolve(),
        state=_state(document, folder, clusters),
        plans=folder / path_text(document, ("plans",), data.get("plans", "plans")),
        clusters=clusters,
        accounts=_accounts(document),
        excludes=tuple(data.get("excludes", ())),
        policy=_policy(data.get("policy", {})),
        waits=Waits(**data.get("waits", {})),
        batch=batch_policy(document, folder),
    )


def _document(path: Path) -> Document:
    try:
        return load(path, schema())
    except DocumentError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            problem = 'no such file; write one, or name another with "--fleet FILE" or MIGRATE_FLEET'
            raise DocumentError(path, problem) from error
        raise


def _state(document: Document, folder: Path, clusters: tuple[FleetCluster, ...]) -> State:
    entry = document.data.get("state", {})
    if "dynamodb" not in entry:
        return SqliteState(folder / path_text(document, ("state", "sqlite"), entry.get("sqlite", "state.db")))
    table = entry["dynamodb"]
    accounts = {cluster.account for cluster in clusters}
    if "account" not in table and len(accounts) > 1:
        problem = f'missing: "account"; the clusters have several: {", ".join(sorted(accounts))}'
        raise document.error(("state", "dynamodb"), problem)
    return DynamoState(**{"account": accounts.pop(), **table})


def _policy(data: dict[str, Any]) -> Policy:
    order = Order(data.get("order", Order.ANNOTATION_FIRST))
    return Policy(**{**data, "order": order, "trust_conditions": Scope(data.get("trust_conditions", Scope.SERVICE))})


def _clusters(document: Document, folder: Path) -> tuple[FleetCluster, ...]:
    _unique(document, "clusters", "alias")
    defaults = document.data.get("defaults", {})
    clusters = tuple(
        _cluster(document, position, {**defaults, **entry}, folder)
        for position, entry in enumerate(document.data["clusters"])
    )
    _one_alias_each(document, clusters)
    return clusters


def _one_alias_each(document: Document, clusters: tuple[FleetCluster, ...]) -> None:
    """A service has one id, and so one lock, only where its cluster has one alias."""
    seen: dict[tuple[str, str, str], str] = {}
    for position, one in enumerate(clusters):
        first = seen.setdefault((one.name, one.region, one.account), one.alias)
        if first != one.alias:
            field = "name" if "name" in document.data["clusters"][position] else "alias"
            same = f'cluster "{one.name}" in {one.region} of account {one.account}'
            problem = f'"{one.alias}" and "{first}" are both {same}; take one of them out, or mend what it says'
            raise document.error(("clusters", position, field), problem)


def _cluster(document: Document, position: int, entry: dict[str, Any], folder: Path) -> FleetCluster:
    for needed in ("region", "account"):
        if needed not in entry:
            problem = f'missing: "{needed}"; give it here or under "defaults"'
            raise document.error(("clusters", position), problem)
    return FleetCluster(
        alias=entry["alias"],
        name=entry.get("name", entry["alias"]),
        region=entry["region"],
        account=entry["account"],
        kubeconfig=_kubeconfig(document, position, folder),
    )


def _kubeconfig(document: Document, position: int, folder: Path) -> KubeconfigAccess | None:
    entry = document.data["clusters"][position].get("kubeconfig")
    if entry is None:
        return None
    file = path_text(document, ("clusters", position, "kubeconfig", "file"), entry.get("file", ""))
    return KubeconfigAccess(context=entry["context"], file=folder / file if file else None)


def _accounts(document: Document) -> tuple[Account, ...]:
    _unique(document, "accounts", "id")
    accounts = tuple(Account(**entry) for entry in document.data.get("accounts", ()))
    for position, one in enumerate(accounts):
        if one.role and one.role.split(":")[4] != one.id:
            problem = f'"{one.role}" is no role of account "{one.id}"; name one of that account, or mend "id"'
            raise document.error(("accounts", position, "role"), problem)
    return accounts


def _unique(document: Document, section: str, key: str) -> None:
    seen: dict[str, int] = {}
    for position, entry in enumerate(document.data.get(section, ())):
        value = entry[key]
        if value in seen:
            problem = f'"{value}" is used twice, first at {section}[{seen[value]}]'
            raise document.error((section, position, key), problem)
        seen[value] = position
