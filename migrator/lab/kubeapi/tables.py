"""The tables that ``kubectl get`` prints: columns of a kind and a row for each object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import table_layouts

if TYPE_CHECKING:
    from migrator.lab.kubeapi.kinds import Kind

Json = dict[str, Any]

_WIDE = "+"
_NAME_TEXT = "Name must be unique within a namespace."


def table(kind: Kind, objects: list[Json], metadata: Json, include: str = "") -> Json:
    """A ``Table`` of objects; ``include`` says how much of each object goes along."""
    columns, cells = table_layouts.layout(kind)
    rows = []
    for obj in objects:
        row: Json = {"cells": cells(obj)}
        if include == "Object":
            row["object"] = obj
        elif include != "None":
            row["object"] = {
                "kind": "PartialObjectMetadata",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": obj["metadata"],
            }
        rows.append(row)
    kept = {key: metadata[key] for key in ("resourceVersion", "continue", "remainingItemCount") if key in metadata}
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": kept,
        "columnDefinitions": [_column(name) for name in columns],
        "rows": rows,
    }


def _column(name: str) -> Json:
    wide = name.startswith(_WIDE)
    name = name.removeprefix(_WIDE)
    number = name in (
        "Desired",
        "Current",
        "Ready",
        "Up-to-date",
        "Available",
        "Active",
        "Secrets",
        "Data",
        "Webhooks",
        "Revision",
    )
    return {
        "name": name,
        "type": "integer" if number else "string",
        "format": "name" if name == "Name" else "",
        "description": _NAME_TEXT if name == "Name" else name,
        "priority": 1 if wide else 0,
    }
