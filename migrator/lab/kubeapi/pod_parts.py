"""What only pods have: a node that they are bound to, and logs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import decoding, errors
from migrator.lab.kubeapi.calls import Call, copy, number
from migrator.lab.kubeapi.kinds import BUILTIN, POD
from migrator.lab.kubeapi.metadata import now
from migrator.lab.kubeapi.wire import Response, text_response
from migrator.lab.podlogs import written

if TYPE_CHECKING:
    from migrator.lab.kubeapi.cluster import Cluster

Json = dict[str, Any]

_BINDING = next(kind for kind in BUILTIN if kind.plural == "bindings")
_CREATED = 201
_NO_CONTENT = 204


def bind(cluster: Cluster, call: Call, warnings: list[str]) -> Json:
    """Put a pod on a node.

    Raises:
        ApiError: 400 or 500 for a binding that makes no sense, 404, or 409 if the pod cannot go there.
    """
    asked = replace(call, kind=_BINDING)
    binding = decoding.of_kind(asked, decoding.document(asked), warnings)
    name = (binding.get("metadata") or {}).get("name") or ""
    if not call.name and not name:
        raise errors.bad_request("Name parameter required.")
    if call.name not in ("", name):
        raise errors.bad_request("name in URL does not match name in Binding object")
    _check_target(binding.get("target") or {})
    with cluster.store.lock:
        record = cluster.store.get(POD.key, call.namespace, name)
        if record is None:
            raise errors.not_found(POD, name)
        why = _hindrance(record.obj)
        if why:
            details = {"name": name, "kind": "pods/binding"}
            message = f'Operation cannot be fulfilled on pods/binding "{name}": {why}'
            raise errors.ApiError(409, "Conflict", message, details)
        if not call.dry_run:
            cluster.store.put(POD.key, _bound(record.obj, binding["target"]["name"]))
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": _CREATED}


def _check_target(target: Json) -> None:
    found = []
    if target.get("kind") not in (None, "", "Node"):
        found.append(errors.unsupported_value("target.kind", target["kind"], ("Node", "<empty>")))
    if not target.get("name"):
        found.append(errors.required("target.name"))
    if found:  # a real server does not tell this from a failure of its own
        lines = [f"{one.field}: {one.text}" for one in found]
        raise errors.failed(lines[0] if len(lines) == 1 else f"[{', '.join(lines)}]")


def _hindrance(pod: Json) -> str:
    name, spec = pod["metadata"]["name"], pod.get("spec") or {}
    if "deletionTimestamp" in pod["metadata"]:
        return f"pod {name} is being deleted, cannot be assigned to a host"
    if spec.get("nodeName"):
        return f'pod {name} is already assigned to node "{spec["nodeName"]}"'
    return f"pod {name} has non-empty .spec.schedulingGates" if spec.get("schedulingGates") else ""


def _bound(pod: Json, node: str) -> Json:
    changed = copy(pod)
    changed.setdefault("spec", {})["nodeName"] = node
    status = changed.setdefault("status", {})
    kept = [c for c in status.get("conditions") or () if c["type"] != "PodScheduled"]
    scheduled = {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": now()}
    status["conditions"] = [*kept, scheduled]
    return changed


def log(call: Call, pod: Json) -> Response:
    """What a pod wrote; of one without a node that is nothing at all.

    Raises:
        ApiError: 400 or 422, the question makes no sense.
    """
    _check_question(call)
    wanted = container_of(call, pod)
    if not pod["spec"].get("nodeName"):
        return Response(_NO_CONTENT, content_type="")
    tail, limit = (call.request.param(field) for field in ("tailLines", "limitBytes"))
    stamped = call.request.flag("timestamps")
    text = written(
        pod, wanted, stamped=stamped, tail=number(tail) if tail else None, limit=number(limit) if limit else None
    )
    return text_response(text)


def container_of(call: Call, pod: Json) -> str:
    """The container that a call is about; it need not be named if there is but one.

    Raises:
        ApiError: 400, there are several, or none of this name.
    """
    spec = pod.get("spec") or {}
    main, first, late = (
        [one["name"] for one in spec.get(field) or ()]
        for field in ("containers", "initContainers", "ephemeralContainers")
    )
    wanted = call.request.param("container")
    if not wanted and len(main) > 1:
        listed = " ".join((*first, *main, *late))
        raise errors.bad_request(f"a container name must be specified for pod {call.name}, choose one of: [{listed}]")
    wanted = wanted or main[0]
    if wanted not in (*main, *first, *late):
        raise errors.bad_request(f"container {wanted} is not valid for pod {call.name}")
    return wanted


def _check_question(call: Call) -> None:
    found = []
    for field, least in (("tailLines", 0), ("limitBytes", 1), ("sinceSeconds", 1)):
        text = call.request.param(field)
        if text and number(text) < least:
            rule = "must be greater than 0" if least else "must be greater than or equal to 0"
            found.append(errors.invalid_value(field, int(text), rule))
    if call.request.param("sinceSeconds") and call.request.param("sinceTime"):
        text = "at most one of `sinceTime` or `sinceSeconds` may be specified"
        found.append(errors.forbidden_field("[]", text))
    if found:
        raise errors.invalid_question("PodLogOptions", call.name, found)
