"""What stands in the columns of each kind."""

from __future__ import annotations

from typing import Any

from migrator.lab.kubeapi.ages import age, between

Json = dict[str, Any]

_NONE = "<none>"


def at(obj: Json, path: str, default: Any = None) -> Any:
    """What stands at a dotted path of an object."""
    found: Any = obj
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return default if found is None else found


def name_of(obj: Json) -> str:
    """An object's name."""
    return str(obj["metadata"]["name"])


def age_of(obj: Json) -> str:
    """An object's age."""
    return age(obj["metadata"].get("creationTimestamp"))


def _containers(obj: Json) -> tuple[str, str]:
    found = at(obj, "spec.template.spec.containers", [])
    return ",".join(c["name"] for c in found), ",".join(c.get("image", "") for c in found)


def _selector(selector: Json | None) -> str:
    labels = (selector or {}).get("matchLabels") or {}
    return ",".join(f"{k}={v}" for k, v in sorted(labels.items())) or _NONE


def pod(obj: Json) -> list[Any]:
    """The row of a pod."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    states = status.get("containerStatuses") or []
    ready = sum(1 for s in states if s.get("ready"))
    restarts = sum(s.get("restartCount", 0) for s in states)
    node = spec.get("nodeName") or _NONE
    return [
        name_of(obj),
        f"{ready}/{len(spec.get('containers') or [])}",
        _pod_state(obj, status),
        str(restarts),
        age_of(obj),
        status.get("podIP") or _NONE,
        node,
        status.get("nominatedNodeName") or _NONE,
        _NONE,
    ]


def _pod_state(obj: Json, status: Json) -> str:
    if "deletionTimestamp" in obj["metadata"]:
        return "Terminating"
    for state in status.get("containerStatuses") or ():
        waiting = (state.get("state") or {}).get("waiting") or {}
        ended = (state.get("state") or {}).get("terminated") or {}
        if waiting.get("reason"):
            return str(waiting["reason"])
        if ended.get("reason"):
            return str(ended["reason"])
    return str(status.get("reason") or status.get("phase") or "Unknown")


def deployment(obj: Json) -> list[Any]:
    """The row of a deployment."""
    status = obj.get("status") or {}
    return [
        name_of(obj),
        f"{status.get('readyReplicas', 0)}/{at(obj, 'spec.replicas', 0)}",
        status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0),
        age_of(obj),
        *_containers(obj),
        _selector(at(obj, "spec.selector")),
    ]


def replica_set(obj: Json) -> list[Any]:
    """The row of a replica set."""
    status = obj.get("status") or {}
    return [
        name_of(obj),
        at(obj, "spec.replicas", 0),
        status.get("replicas", 0),
        status.get("readyReplicas", 0),
        age_of(obj),
        *_containers(obj),
        _selector(at(obj, "spec.selector")),
    ]


def stateful_set(obj: Json) -> list[Any]:
    """The row of a stateful set."""
    ready = f"{at(obj, 'status.readyReplicas', 0)}/{at(obj, 'spec.replicas', 0)}"
    return [name_of(obj), ready, age_of(obj), *_containers(obj)]


def daemon_set(obj: Json) -> list[Any]:
    """The row of a daemon set."""
    status = obj.get("status") or {}
    labels = at(obj, "spec.template.spec.nodeSelector", {})
    return [
        name_of(obj),
        status.get("desiredNumberScheduled", 0),
        status.get("currentNumberScheduled", 0),
        status.get("numberReady", 0),
        status.get("updatedNumberScheduled", 0),
        status.get("numberAvailable", 0),
        ",".join(f"{k}={v}" for k, v in labels.items()) or _NONE,
        age_of(obj),
        *_containers(obj),
        _selector(at(obj, "spec.selector")),
    ]


def job(obj: Json) -> list[Any]:
    """The row of a job."""
    status = obj.get("status") or {}
    done = {c["type"] for c in status.get("conditions") or () if c.get("status") == "True"}
    state = "Complete" if "Complete" in done else "Failed" if "Failed" in done else "Running"
    if "Suspended" in done:
        state = "Suspended"
    return [
        name_of(obj),
        state,
        f"{status.get('succeeded', 0)}/{at(obj, 'spec.completions', 1)}",
        _job_duration(status),
        age_of(obj),
        *_containers(obj),
        _selector(at(obj, "spec.selector")),
    ]


def _job_duration(status: Json) -> str:
    if not status.get("startTime"):
        return ""
    if not status.get("completionTime"):
        return age(status["startTime"])
    return between(status["startTime"], status["completionTime"])


def cron_job(obj: Json) -> list[Any]:
    """The row of a cron job."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    found = at(obj, "spec.jobTemplate.spec.template.spec.containers", [])
    last = status.get("lastScheduleTime")
    return [
        name_of(obj),
        spec.get("schedule", ""),
        spec.get("timeZone") or _NONE,
        "True" if spec.get("suspend") else "False",
        len(status.get("active") or []),
        age(last) if last else _NONE,
        age_of(obj),
        ",".join(c["name"] for c in found),
        ",".join(c.get("image", "") for c in found),
        _NONE,
    ]


def node(obj: Json) -> list[Any]:
    """The row of a node."""
    conditions = {c["type"]: c["status"] for c in at(obj, "status.conditions", [])}
    state = {"True": "Ready"}.get(conditions.get("Ready", ""), "NotReady")
    if at(obj, "spec.unschedulable"):
        state += ",SchedulingDisabled"
    prefix = "node-role.kubernetes.io/"
    roles = [k.removeprefix(prefix) for k in obj["metadata"].get("labels") or {} if k.startswith(prefix)]
    addresses = {a["type"]: a["address"] for a in at(obj, "status.addresses", [])}
    info = at(obj, "status.nodeInfo", {})
    return [
        name_of(obj),
        state,
        ",".join(roles) or _NONE,
        age_of(obj),
        info.get("kubeletVersion", ""),
        addresses.get("InternalIP", _NONE),
        addresses.get("ExternalIP", _NONE),
        info.get("osImage", "<unknown>"),
        info.get("kernelVersion", "<unknown>"),
        info.get("containerRuntimeVersion", "<unknown>"),
    ]


def service(obj: Json) -> list[Any]:
    """The row of a service."""
    spec = obj.get("spec") or {}
    ports = ",".join(f"{p.get('port')}/{p.get('protocol', 'TCP')}" for p in spec.get("ports") or ())
    labels = spec.get("selector") or {}
    return [
        name_of(obj),
        spec.get("type", "ClusterIP"),
        spec.get("clusterIP") or _NONE,
        _NONE,
        ports or _NONE,
        age_of(obj),
        ",".join(f"{k}={v}" for k, v in labels.items()) or _NONE,
    ]


def event(obj: Json) -> list[Any]:
    """The row of a event."""
    involved = obj.get("involvedObject") or {}
    last = obj.get("lastTimestamp") or obj.get("eventTime") or obj["metadata"].get("creationTimestamp")
    first = obj.get("firstTimestamp") or last
    source = at(obj, "source.component") or obj.get("reportingComponent") or ""
    return [
        age(last),
        obj.get("type", ""),
        obj.get("reason", ""),
        f"{involved.get('kind', '').lower()}/{involved.get('name', '')}",
        involved.get("fieldPath", ""),
        source,
        (obj.get("message") or "").strip(),
        age(first),
        obj.get("count", 1),
        name_of(obj),
    ]


def budget(obj: Json) -> list[Any]:
    """The row of a disruption budget."""
    spec = obj.get("spec") or {}
    return [
        name_of(obj),
        str(spec.get("minAvailable", "N/A")),
        str(spec.get("maxUnavailable", "N/A")),
        at(obj, "status.disruptionsAllowed", 0),
        age_of(obj),
    ]


def role_binding(obj: Json) -> list[Any]:
    """The row of a role binding."""
    reference = obj.get("roleRef") or {}
    return [name_of(obj), f"{reference.get('kind', '')}/{reference.get('name', '')}", age_of(obj)]


def stamped(obj: Json) -> list[Any]:
    """The row of a role or definition."""
    return [name_of(obj), obj["metadata"].get("creationTimestamp", "")]
