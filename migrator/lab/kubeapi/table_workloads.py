"""The cells of what makes pods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi.ages import age, between
from migrator.lab.kubeapi.table_cells import NONE, UNSET, age_of, at, containers, labels, name_of, selector

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]

_JOB_STATES = ("Suspended", "FailureTarget", "SuccessCriteriaMet")


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
