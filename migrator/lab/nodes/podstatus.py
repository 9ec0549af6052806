"""The status a kubelet writes for a pod. Pure."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def unschedulable(pod: Json, message: str, now: str) -> Json:
    """The condition of a pod that fits nowhere."""
    found = _condition(pod, "PodScheduled", "False", now, "Unschedulable")
    return {**found, "message": message}


def waiting(pod: Json, reason: str, message: str, now: str) -> Json:
    """The status of a bound pod whose containers cannot be made."""
    state = {"waiting": {"reason": reason, "message": message}}
    fresh = {"ready": False, "started": False, "state": state}
    statuses = [{**_container(one, now, None), **fresh} for one in pod["spec"]["containers"]]
    return {
        **(pod.get("status") or {}),
        "phase": "Pending",
        "hostIP": "127.0.0.1",
        "startTime": (pod.get("status") or {}).get("startTime") or now,
        "containerStatuses": statuses,
        "conditions": _conditions(pod, now, ready="False"),
    }


def running(pod: Json, address: str, now: str, crashes: dict[str, tuple[int, int]]) -> Json:
    """The status of a started pod.

    Args:
        pod: the pod.
        address: its IP.
        now: the time.
        crashes: exit code and restart count of containers that do not stay up, by name.
    """
    spec, before = pod["spec"], pod.get("status") or {}
    started = before.get("startTime") or now
    containers = [_container(one, started, crashes.get(one["name"])) for one in spec["containers"]]
    ready = all(one["ready"] for one in containers)
    status = {
        **before,
        "phase": "Running",
        "startTime": started,
        "hostIP": "127.0.0.1",
        "podIP": address,
        "podIPs": [{"ip": address}],
        "qosClass": before.get("qosClass", "BestEffort"),
        "containerStatuses": containers,
        "conditions": _conditions(pod, now, ready="True" if ready else "False"),
    }
    if spec.get("initContainers"):
        status["initContainerStatuses"] = [_init(one, started) for one in spec["initContainers"]]
    return status


def finished(pod: Json, codes: dict[str, int], now: str) -> Json:
    """The status of a pod whose containers have all ended."""
    before = pod.get("status") or {}
    started = before.get("startTime") or now
    statuses = []
    for container in pod["spec"]["containers"]:
        ended = _terminated(container, codes[container["name"]], started, now)
        statuses.append({**_container(container, started, None), **ended})
    return {
        **before,
        "phase": "Failed" if any(codes.values()) else "Succeeded",
        "startTime": started,
        "containerStatuses": statuses,
        "conditions": _conditions(pod, now, ready="False", reason="PodCompleted"),
    }


def _terminated(container: Json, code: int, started: str, now: str) -> Json:
    state = _ended(container, code, started, now)
    return {"ready": False, "started": False, "state": {"terminated": state}}


def _ended(container: Json, code: int, started: str, now: str) -> Json:
    return {
        "exitCode": code,
        "reason": "Error" if code else "Completed",
        "startedAt": started,
        "finishedAt": now,
        "containerID": _identity(container),
    }


def _identity(container: Json) -> str:
    return f"practice://{container['name']}"


def _container(container: Json, started: str, crash: tuple[int, int] | None) -> Json:
    status: Json = {
        "name": container["name"],
        "image": container.get("image", ""),
        "imageID": container.get("image", ""),
        "containerID": _identity(container),
        "ready": True,
        "started": True,
        "restartCount": 0,
        "state": {"running": {"startedAt": started}},
        "lastState": {},
    }
    if crash is not None:
        code, count = crash
        message = f"back-off restarting failed container={container['name']}"
        status.update(
            ready=False,
            started=False,
            restartCount=count,
            state={"waiting": {"reason": "CrashLoopBackOff", "message": message}},
            lastState={"terminated": _ended(container, code, started, started)},
        )
    return status


def _init(container: Json, started: str) -> Json:
    status = _container(container, started, None)
    if container.get("restartPolicy") == "Always":
        return status  # a sidecar runs on beside the others
    return {**status, **_terminated(container, 0, started, started), "ready": True}


def _conditions(pod: Json, now: str, ready: str, reason: str = "") -> list[Json]:
    names = reason or ("" if ready == "True" else "ContainersNotReady")
    return [
        _condition(pod, "PodReadyToStartContainers", "True", now),
        _condition(pod, "Initialized", "True", now, reason),
        _condition(pod, "Ready", ready, now, names),
        _condition(pod, "ContainersReady", ready, now, names),
        _condition(pod, "PodScheduled", "True", now),
    ]


def _condition(pod: Json, kind: str, status: str, now: str, reason: str = "") -> Json:
    known: Json = next((one for one in (pod.get("status") or {}).get("conditions") or [] if one["type"] == kind), {})
    since = known.get("lastTransitionTime") if known.get("status") == status else None
    found = {"type": kind, "status": status, "lastTransitionTime": since or now}
    if reason:
        found["reason"] = reason
    return found
