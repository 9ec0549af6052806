"""The cells of pods, and of the nodes on which they run."""

from __future__ import annotations

from typing import Any

from migrator.lab.kubeapi.ages import age
from migrator.lab.kubeapi.table_cells import NONE, age_of, at, name_of

Json = dict[str, Any]

_TERMINAL = ("Succeeded", "Failed")
_ROLE = "node-role.kubernetes.io/"


def pod(obj: Json) -> list[Any]:
    """The row of a pod."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    restartable = {one["name"] for one in spec.get("initContainers") or () if one.get("restartPolicy") == "Always"}
    ready, restarts, state = _pod_state(obj, status, restartable)
    addresses = status.get("podIPs") or [{}]
    return [
        name_of(obj),
        f"{ready}/{len(spec.get('containers') or []) + len(restartable)}",
        state,
        restarts,
        age_of(obj),
        addresses[0].get("ip") or NONE,
        spec.get("nodeName") or NONE,
        status.get("nominatedNodeName") or NONE,
        _gates(spec, status),
    ]


def _pod_state(obj: Json, status: Json, restartable: set[str]) -> tuple[int, str, str]:
    """How many containers are ready, the restarts, and the word for how the pod is."""
    phase = str(status.get("phase") or "")
    said = str(status.get("reason") or phase)
    if _condition(status, "PodScheduled").get("reason") == "SchedulingGated":
        said = "SchedulingGated"
    inits = status.get("initContainerStatuses") or []
    ready, initializing = _initializing(inits, restartable, len(at(obj, "spec.initContainers", [])))
    counted = inits
    if initializing is not None:
        said = initializing
    if initializing is None or _condition(status, "Initialized").get("status") == "True":
        mains = status.get("containerStatuses") or []
        counted = [one for one in inits if one["name"] in restartable] + mains
        ready += sum(1 for one in mains if one.get("ready") and at(one, "state.running") is not None)
        said = _of_containers(mains, status, said)
    if "deletionTimestamp" in obj["metadata"]:
        said = "Unknown" if status.get("reason") == "NodeLost" else said if phase in _TERMINAL else "Terminating"
    return ready, _restarts(counted), said


def _initializing(inits: list[Json], restartable: set[str], total: int) -> tuple[int, str | None]:
    """How many sidecars are ready, and what is said while init containers are not through."""
    ready = 0
    for number, one in enumerate(inits):
        ended, waiting = at(one, "state.terminated"), at(one, "state.waiting", {})
        if ended is not None and not ended.get("exitCode"):
            continue
        if one["name"] in restartable and one.get("started"):
            ready += bool(one.get("ready"))
            continue
        if ended is not None:
            return ready, f"Init:{_ended(ended)}"
        if waiting.get("reason") and waiting["reason"] != "PodInitializing":
            return ready, f"Init:{waiting['reason']}"
        return ready, f"Init:{number}/{total}"
    return ready, None


def _of_containers(statuses: list[Json], status: Json, said: str) -> str:
    """The word for the first container that has one; a pod with something left running has not completed."""
    running, error = False, ""
    for one in reversed(statuses):
        ended, waiting = at(one, "state.terminated"), at(one, "state.waiting", {})
        if waiting.get("reason"):
            said = waiting["reason"]
        elif ended is not None:
            said = _ended(ended)
            error = said if ended.get("exitCode") else error
        elif one.get("ready") and at(one, "state.running") is not None:
            running = True
    if said != "Completed":
        return said
    if running and _condition(status, "Ready").get("status") == "True":
        return "Running"
    return error or ("NotReady" if running else said)


def _ended(state: Json) -> str:
    if state.get("reason"):
        return str(state["reason"])
    return f"Signal:{state['signal']}" if state.get("signal") else f"ExitCode:{state.get('exitCode', 0)}"


def _restarts(statuses: list[Json]) -> str:
    count = sum(one.get("restartCount", 0) for one in statuses)
    last = max((at(one, "lastState.terminated.finishedAt", "") for one in statuses), default="")
    return f"{count} ({age(last)} ago)" if count and last else str(count)


def _condition(status: Json, kind: str) -> Json:
    return next((one for one in status.get("conditions") or () if one["type"] == kind), {})


def _gates(spec: Json, status: Json) -> str:
    gates = spec.get("readinessGates") or []
    through = sum(_condition(status, gate["conditionType"]).get("status") == "True" for gate in gates)
    return f"{through}/{len(gates)}" if gates else NONE


def pod_conditions(obj: Json) -> list[Json]:
    """What the row of a pod says apart: that it has ended."""
    phase = at(obj, "status.phase")
    if phase not in _TERMINAL:
        return []
    text = "The pod has completed successfully." if phase == "Succeeded" else "The pod failed."
    return [{"type": "Completed", "status": "True", "reason": phase, "message": text}]


def node(obj: Json) -> list[Any]:
    """The row of a node."""
    conditions = {one["type"]: one["status"] for one in at(obj, "status.conditions", [])}
    ready = conditions.get("Ready")
    state = "Unknown" if ready is None else "Ready" if ready == "True" else "NotReady"
    state += ",SchedulingDisabled" if at(obj, "spec.unschedulable") else ""
    addresses = {one["type"]: one["address"] for one in reversed(at(obj, "status.addresses", []))}
    info = at(obj, "status.nodeInfo", {})
    kernel = info.get("kernelVersion") or "<unknown>"
    kernel += f" ({info['architecture']})" if info.get("architecture") else ""
    return [
        name_of(obj),
        state,
        ",".join(sorted(_roles(obj["metadata"].get("labels") or {}))) or NONE,
        age_of(obj),
        info.get("kubeletVersion", ""),
        addresses.get("InternalIP", NONE),
        addresses.get("ExternalIP", NONE),
        info.get("osImage") or "<unknown>",
        kernel,
        info.get("containerRuntimeVersion") or "<unknown>",
    ]


def _roles(found: Json) -> set[str]:
    named = {key.removeprefix(_ROLE) for key in found if key.startswith(_ROLE)}
    return {role for role in (*named, found.get("kubernetes.io/role", "")) if role}
