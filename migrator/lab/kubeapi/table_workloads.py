"""The cells of pods and of what makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi.ages import age, between
from migrator.lab.kubeapi.table_cells import NONE, UNSET, age_of, at, containers, labels, name_of, selector

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]

_TERMINAL = ("Succeeded", "Failed")
_JOB_STATES = ("Suspended", "FailureTarget", "SuccessCriteriaMet")


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


def deployment(obj: Json) -> list[Any]:
    """The row of a deployment."""
    status = obj.get("status") or {}
    return [
        name_of(obj),
        f"{status.get('readyReplicas', 0)}/{at(obj, 'spec.replicas', 0)}",
        status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0),
        age_of(obj),
        *containers(at(obj, "spec.template.spec")),
        selector(at(obj, "spec.selector"), nothing=""),
    ]


def scale(obj: Json) -> list[Any]:
    """Name, how many there are to be and how many there are, age."""
    return [name_of(obj), at(obj, "spec.replicas", 0), at(obj, "status.replicas", 0), age_of(obj)]


def replicas(picks: Callable[[Json | None], str]) -> Callable[[Json], list[Any]]:
    """The row of a replica set, or of a replication controller, which has labels for a selector."""

    def row(obj: Json) -> list[Any]:
        status = obj.get("status") or {}
        return [
            name_of(obj),
            at(obj, "spec.replicas", 0),
            status.get("replicas", 0),
            status.get("readyReplicas", 0),
            age_of(obj),
            *containers(at(obj, "spec.template.spec")),
            picks(at(obj, "spec.selector")),
        ]

    return row


def stateful_set(obj: Json) -> list[Any]:
    """The row of a stateful set."""
    ready = f"{at(obj, 'status.readyReplicas', 0)}/{at(obj, 'spec.replicas', 0)}"
    return [name_of(obj), ready, age_of(obj), *containers(at(obj, "spec.template.spec"))]


def daemon_set(obj: Json) -> list[Any]:
    """The row of a daemon set."""
    status = obj.get("status") or {}
    counts = ("desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled")
    return [
        name_of(obj),
        *(status.get(name, 0) for name in (*counts, "numberAvailable")),
        labels(at(obj, "spec.template.spec.nodeSelector")),
        age_of(obj),
        *containers(at(obj, "spec.template.spec")),
        selector(at(obj, "spec.selector")),
    ]


def job(obj: Json) -> list[Any]:
    """The row of a job."""
    return [
        name_of(obj),
        _job_state(obj),
        _completions(obj),
        _job_duration(obj.get("status") or {}),
        age_of(obj),
        *containers(at(obj, "spec.template.spec")),
        selector(at(obj, "spec.selector")),
    ]


def _job_state(obj: Json) -> str:
    true = {one["type"] for one in at(obj, "status.conditions", []) if one.get("status") == "True"}
    if "Complete" in true or "Failed" in true:
        return "Complete" if "Complete" in true else "Failed"
    if "deletionTimestamp" in obj["metadata"]:
        return "Terminating"
    return next((state for state in _JOB_STATES if state in true), "Running")


def _completions(obj: Json) -> str:
    succeeded, wanted = at(obj, "status.succeeded", 0), at(obj, "spec.completions")
    if wanted is not None:
        return f"{succeeded}/{wanted}"
    together = at(obj, "spec.parallelism", 0)
    return f"{succeeded}/1 of {together}" if together > 1 else f"{succeeded}/1"


def _job_duration(status: Json) -> str:
    if not status.get("startTime"):
        return ""
    if not status.get("completionTime"):
        return age(status["startTime"])
    return between(status["startTime"], status["completionTime"])


def cron_job(obj: Json) -> list[Any]:
    """The row of a cron job."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    last, suspended = status.get("lastScheduleTime"), spec.get("suspend")
    return [
        name_of(obj),
        spec.get("schedule", ""),
        spec.get("timeZone") or NONE,
        UNSET if suspended is None else str(suspended),
        len(status.get("active") or []),
        age(last) if last else NONE,
        age_of(obj),
        *containers(at(spec, "jobTemplate.spec.template.spec")),
        selector(at(spec, "jobTemplate.spec.selector")),
    ]


def pod_template(obj: Json) -> list[Any]:
    """The row of a pod template."""
    template = obj.get("template") or {}
    return [name_of(obj), *containers(template.get("spec")), labels(at(template, "metadata.labels"))]


def revision(obj: Json) -> list[Any]:
    """The row of a controller revision."""
    owners = obj["metadata"].get("ownerReferences") or ()
    owner = next((one for one in owners if one.get("controller")), None)
    named = NONE
    if owner is not None:
        group = owner["apiVersion"].rpartition("/")[0]
        named = f"{owner['kind']}.{group}".rstrip(".").lower() + f"/{owner['name']}"
    return [name_of(obj), named, obj.get("revision", 0), age_of(obj)]


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


def autoscaler(obj: Json) -> list[Any]:
    """The row of an autoscaler; of its metrics only how many there are is told apart."""
    spec, target = obj.get("spec") or {}, at(obj, "spec.scaleTargetRef", {})
    return [
        name_of(obj),
        f"{target.get('kind', '')}/{target.get('name', '')}",
        ", ".join(_metric(one) for one in spec.get("metrics") or ()) or NONE,
        str(spec.get("minReplicas", UNSET)),
        spec.get("maxReplicas", 0),
        at(obj, "status.currentReplicas", 0),
        age_of(obj),
    ]


def _metric(spec: Json) -> str:
    """One metric of which nobody knows the value; nothing here measures."""
    resource = spec.get("resource") or spec.get("containerResource") or {}
    wanted = at(resource, "target.averageUtilization")
    target = at(resource, "target.averageValue") or (f"{wanted}%" if wanted is not None else "<auto>")
    return f"{resource.get('name', '')}: <unknown>/{target}"
