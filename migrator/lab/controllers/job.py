"""Job: pods until enough of them have succeeded or too many have failed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from migrator.lab.controllers.objects import (
    condition,
    is_active,
    is_leaving,
    is_ready,
    moment_of,
    pod_from,
    text_of,
)

if TYPE_CHECKING:
    from migrator.lab.controllers.view import View

Json = dict[str, Any]
_DAY = 86400.0


def reconcile(view: View, job: Json) -> float | None:
    """Start, retire or finish pods; the answer is when to look again."""
    if is_leaving(job):
        return None
    if finished(job):
        return _expire(view, job)
    pods = view.owned("pods", job)
    active = [pod for pod in pods if is_active(pod)]
    verdict = _verdict(view, job, pods, active)
    if verdict is not None or job["spec"].get("suspend"):
        for pod in active:
            view.delete("pods", pod)
        active = []
    else:
        _scale(view, job, active, _count(job, pods, "Succeeded"))
        active = [pod for pod in view.owned("pods", job) if is_active(pod)]
    _write_status(view, job, active, verdict)
    return _deadline(view, job)


def finished(job: Json) -> str:
    """`Complete`, `Failed`, or nothing while the job still runs."""
    for kind in ("Complete", "Failed"):
        found = condition(job, kind)
        if found and found["status"] == "True":
            return kind
    return ""


def _count(job: Json, pods: list[Json], phase: str) -> int:
    """Pods that ended so; one counted before stays counted when it is deleted."""
    now = len([pod for pod in pods if pod.get("status", {}).get("phase") == phase])
    return max(now, int((job.get("status") or {}).get(phase.lower(), 0)))


def _restarts(pods: list[Json]) -> int:
    statuses: list[Json] = [one for pod in pods for one in pod.get("status", {}).get("containerStatuses") or []]
    return sum(int(one.get("restartCount", 0)) for one in statuses)


def _verdict(view: View, job: Json, pods: list[Json], active: list[Json]) -> tuple[str, str, str] | None:
    """Condition type, reason and message if the job is over."""
    spec = job["spec"]
    if _count(job, pods, "Failed") + _restarts(active) > spec.get("backoffLimit", 6):
        return "Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit"
    seconds, started = spec.get("activeDeadlineSeconds"), (job.get("status") or {}).get("startTime")
    if seconds and started and view.now() >= moment_of(started) + timedelta(seconds=seconds):
        return "Failed", "DeadlineExceeded", "Job was active longer than specified deadline"
    succeeded, wanted = _count(job, pods, "Succeeded"), spec.get("completions")
    if (wanted is None and succeeded and not active) or (wanted is not None and succeeded >= wanted):
        return "Complete", "CompletionsReached", "Reached expected number of succeeded pods"
    return None


def _scale(view: View, job: Json, active: list[Json], succeeded: int) -> None:
    spec = job["spec"]
    parallel, completions = spec.get("parallelism", 1), spec.get("completions")
    if completions is not None:
        wanted = min(parallel, completions - succeeded)
    else:
        wanted = len(active) if succeeded else parallel
    uid, name = job["metadata"]["uid"], job["metadata"]["name"]
    labels = {
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": name,
        "controller-uid": uid,
        "job-name": name,
    }
    for _ in range(wanted - len(active)):
        view.create("pods", pod_from(spec["template"], job, labels))
    for pod in active[max(wanted, 0) :]:
        view.delete("pods", pod)


def _write_status(view: View, job: Json, active: list[Json], verdict: tuple[str, str, str] | None) -> None:
    before = dict(job.get("status") or {})
    pods = view.owned("pods", job)
    now = text_of(view.now())
    status: Json = {
        "active": len(active),
        "ready": sum(map(is_ready, active)),
        "succeeded": _count(job, pods, "Succeeded"),
        "failed": _count(job, pods, "Failed"),
        "startTime": None if job["spec"].get("suspend") else before.get("startTime") or now,
        "conditions": _conditions(job, verdict, now),
        "uncountedTerminatedPods": {},
    }
    if verdict and verdict[0] == "Complete":
        status["completionTime"] = now
    view.set_status("jobs", job, status)


def _conditions(job: Json, verdict: tuple[str, str, str] | None, now: str) -> list[Json]:
    found: list[Json] = []
    suspended = "True" if job["spec"].get("suspend") else "False"
    known = condition(job, "Suspended")
    if known and known["status"] == suspended:
        found.append(known)
    elif known or suspended == "True":
        reason = "JobSuspended" if suspended == "True" else "JobResumed"
        found.append(_condition("Suspended", suspended, reason, reason[:3] + " " + reason[3:].lower(), now))
    if verdict:
        kind, reason, message = verdict
        before = "SuccessCriteriaMet" if kind == "Complete" else "FailureTarget"
        found += [_condition(one, "True", reason, message, now) for one in (before, kind)]
    return found


def _condition(kind: str, status: str, reason: str, message: str, now: str) -> Json:
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastProbeTime": now,
        "lastTransitionTime": now,
    }


def _deadline(view: View, job: Json) -> float | None:
    """When the active deadline has to be looked at."""
    seconds, started = job["spec"].get("activeDeadlineSeconds"), (job.get("status") or {}).get("startTime")
    if not seconds:
        return None
    if not started:
        return float(seconds)
    return max(0.0, (moment_of(started) - view.now()).total_seconds() + float(seconds))


def _expire(view: View, job: Json) -> float | None:
    """Delete a finished job whose time to live is over."""
    seconds = job["spec"].get("ttlSecondsAfterFinished")
    if seconds is None:
        return None
    ended = condition(job, finished(job)) or {}
    left = float(seconds) - (view.now() - moment_of(ended["lastTransitionTime"])).total_seconds()
    if left > 0:
        return min(left, _DAY)
    view.delete("jobs", job)
    return None
