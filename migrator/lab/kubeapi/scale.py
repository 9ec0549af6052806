"""How many there are of a workload, as an object of its own: the same for every kind that can be scaled."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import apply, decoding, errors, patches, patching
from migrator.lab.kubeapi.kinds import Kind
from migrator.lab.kubeapi.reads import object_response
from migrator.lab.kubeapi.table_cells import selector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrator.lab.kubeapi.calls import Call
    from migrator.lab.kubeapi.cluster import Cluster
    from migrator.lab.kubeapi.wire import Response

Json = dict[str, Any]

SCALE = Kind("autoscaling", "v1", "Scale", "scales", namespaced=True)
_KEPT = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
_OWNED: Json = {"f:spec": {"f:replicas": {}}}


def answer(cluster: Cluster, call: Call, obj: Json, warnings: list[str]) -> Response:
    """The answer to a call of an object's scale.

    Raises:
        ApiError: whatever is wrong with what is sent.
    """
    asked = replace(call, kind=SCALE)
    if call.verb == "get":
        return object_response(asked, _of(call.kind, obj))
    if call.verb == "patch" and call.content_type == patches.APPLY_PATCH:
        changed = _applied(cluster, call, asked)
    elif call.verb == "patch":
        changed = cluster.writer.change(
            call, lambda now: _scaled(call.kind, now, patching.patched(asked, _of(call.kind, now), warnings))
        )
    else:
        sent = decoding.of_kind(asked, decoding.document(asked), warnings)
        decoding.check_name(asked, sent["metadata"])
        changed = cluster.writer.change(call, lambda now: _scaled(call.kind, now, sent))
    return object_response(asked, _of(call.kind, changed))


def _applied(cluster: Cluster, call: Call, asked: Call) -> Json:
    applied = apply.configuration(asked)
    force = call.request.flag("force")

    def merged(now: Json) -> Json:
        scale = _of(call.kind, now)
        scale["metadata"]["managedFields"] = [
            {**entry, "fieldsV1": _OWNED}
            for entry in now["metadata"].get("managedFields") or ()
            if "f:replicas" in entry.get("fieldsV1", {}).get("f:spec", {})
        ]
        return _scaled(call.kind, now, apply.merge(asked, scale, applied, force=force))

    return cluster.writer.change(call, merged, applied={"spec": applied.get("spec") or {}})


def _scaled(kind: Kind, obj: Json, scale: Json) -> Json:
    """The object, as many times as the scale says."""
    replicas = (scale.get("spec") or {}).get("replicas", 0)
    if replicas < 0:
        problem = errors.invalid_value("spec.replicas", replicas, "must be greater than or equal to 0")
        raise errors.invalid(SCALE, obj["metadata"]["name"], [problem])
    obj["metadata"] |= {key: scale["metadata"][key] for key in ("uid", "resourceVersion") if key in scale["metadata"]}
    *above, last = kind.scale[0].split(".")
    holder = obj
    for step in above:
        holder = holder.setdefault(step, {})
    holder[last] = replicas
    return obj


def _of(kind: Kind, obj: Json) -> Json:
    wanted, there, chosen = kind.scale
    replicas = _at(obj, wanted.split("."), 0)
    status: Json = {"replicas": _at(obj, there.split("."), 0)}
    text = _at(obj, chosen.split("."), "") if chosen else _selector(obj)
    return {
        "kind": SCALE.kind,
        "apiVersion": SCALE.api_version,
        "metadata": {key: obj["metadata"][key] for key in _KEPT if key in obj["metadata"]},
        "spec": {"replicas": replicas} if replicas else {},  # a wish for none is left out
        "status": status | ({"selector": text} if text else {}),
    }


def _at(value: Any, steps: Sequence[str], otherwise: Any) -> Any:
    for step in steps:
        value = value.get(step) if isinstance(value, dict) else None
    return otherwise if value is None else value


def _selector(obj: Json) -> str:
    found = (obj.get("spec") or {}).get("selector") or {}
    labels = found if "matchLabels" in found or "matchExpressions" in found else {"matchLabels": found}
    return selector(labels, nothing="")
