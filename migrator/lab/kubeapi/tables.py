"""The tables that ``kubectl get`` prints: columns of a kind and a row for each object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import table_layouts
from migrator.lab.kubeapi.defaults import TEMPLATE_GENERATION
from migrator.lab.kubeapi.table_pods import pod_conditions

if TYPE_CHECKING:
    from migrator.lab.kubeapi.kinds import Kind

Json = dict[str, Any]


def table(kind: Kind, objects: list[Json], metadata: Json, include: str = "") -> Json:
    """A ``Table`` of objects; ``include`` says how much of each object goes along."""
    columns, cells = table_layouts.layout(kind)
    kept = {key: metadata[key] for key in ("resourceVersion", "continue", "remainingItemCount") if key in metadata}
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": kept,
        "columnDefinitions": columns,
        "rows": [_row(kind, obj, cells(obj), include) for obj in objects],
    }


def _row(kind: Kind, obj: Json, cells: list[Any], include: str) -> Json:
    row: Json = {"cells": cells}
    conditions = pod_conditions(obj) if kind.key == ("", "pods") else []
    if conditions:
        row["conditions"] = conditions
    if include == "Object":
        row["object"] = obj
    elif include != "None":
        head = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
        row["object"] = {**head, "metadata": bare_metadata(obj)}
    return row


def bare_metadata(obj: Json) -> Json:
    """The metadata of an object that is not shown itself: without what stands in the spec on a real server."""
    metadata: Json = obj["metadata"]
    annotations = metadata.get("annotations") or {}
    if obj.get("kind") != "DaemonSet" or TEMPLATE_GENERATION not in annotations:
        return metadata
    kept = {key: text for key, text in annotations.items() if key != TEMPLATE_GENERATION}
    bare = {**metadata, "annotations": kept}
    if not kept:
        del bare["annotations"]
    return bare
