"""CronJob: a Job at every due time."""

from __future__ import annotations

import logging
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from migrator.lab.controllers.job import finished
from migrator.lab.controllers.objects import is_leaving, moment_of, owner_reference, text_of
from migrator.lab.controllers.schedule import Schedule, parse
from migrator.lab.kubeclient import KubeError

if TYPE_CHECKING:
    from migrator.lab.controllers.view import View

Json = dict[str, Any]
_LOG = logging.getLogger(__name__)
_SCHEDULED_AT = "batch.kubernetes.io/cronjob-scheduled-timestamp"


def reconcile(view: View, cronjob: Json) -> float | None:
    """Start what is due and forget old jobs; the answer is when the next one is due."""
    if is_leaving(cronjob):
        return None
    jobs = view.owned("jobs", cronjob)
    _forget(view, cronjob, jobs)
    try:
        schedule = parse(cronjob["spec"]["schedule"])
        zone = ZoneInfo(cronjob["spec"].get("timeZone") or "UTC")
    except (ValueError, ZoneInfoNotFoundError) as error:
        _LOG.warning("cronjob %s is not run: %s", cronjob["metadata"]["name"], error)
        return None
    active = [job for job in jobs if not finished(job) and not is_leaving(job)]
    due = None
    if not cronjob["spec"].get("suspend"):
        due = due_time(cronjob, schedule, zone, view.now())
    started = _start(view, cronjob, due, active) if due else None
    _write_status(view, cronjob, started)
    following = schedule.next_after(view.now().astimezone(zone))
    return None if following is None else max(0.05, (following - view.now()).total_seconds())


def due_time(cronjob: Json, schedule: Schedule, zone: ZoneInfo, now: datetime) -> datetime | None:
    """The latest due time that has not been served, unless it is past its starting deadline."""
    last = (cronjob.get("status") or {}).get("lastScheduleTime")
    since = moment_of(last or cronjob["metadata"]["creationTimestamp"])
    due = schedule.latest_until(now.astimezone(zone))
    if due is None or due <= since:
        return None
    deadline = cronjob["spec"].get("startingDeadlineSeconds")
    if deadline is not None and now - due > timedelta(seconds=deadline):
        return None
    return due.astimezone(UTC)


def _start(view: View, cronjob: Json, due: datetime, active: list[Json]) -> datetime | None:
    policy = cronjob["spec"].get("concurrencyPolicy", "Allow")
    if policy == "Forbid" and active:
        return None
    if policy == "Replace":
        for job in active:
            view.delete("jobs", job)
    template = cronjob["spec"]["jobTemplate"]
    metadata = deepcopy(template.get("metadata") or {})
    document = {
        "metadata": {
            "name": f"{cronjob['metadata']['name']}-{int(due.timestamp()) // 60}",
            "namespace": cronjob["metadata"]["namespace"],
            "labels": metadata.get("labels") or {},
            "annotations": {**(metadata.get("annotations") or {}), _SCHEDULED_AT: text_of(due)},
            "ownerReferences": [owner_reference(cronjob)],
        },
        "spec": deepcopy(template["spec"]),
    }
    try:
        view.create("jobs", document)
    except KubeError as error:
        if error.reason != "AlreadyExists":
            raise
    return due


def _forget(view: View, cronjob: Json, jobs: list[Json]) -> None:
    for kind, field, default in (
        ("Complete", "successfulJobsHistoryLimit", 3),
        ("Failed", "failedJobsHistoryLimit", 1),
    ):
        ended = sorted(
            (job for job in jobs if finished(job) == kind and not is_leaving(job)),
            key=lambda job: (job["status"].get("startTime", ""), job["metadata"]["name"]),
        )
        limit = cronjob["spec"].get(field, default)
        for job in ended[: max(0, len(ended) - limit)]:
            view.delete("jobs", job)


def _write_status(view: View, cronjob: Json, started: datetime | None) -> None:
    before = cronjob.get("status") or {}
    jobs = view.owned("jobs", cronjob)
    ended = [job["status"].get("completionTime", "") for job in jobs if finished(job) == "Complete"]
    view.set_status(
        "cronjobs",
        cronjob,
        {
            "active": [_reference(job) for job in jobs if not finished(job) and not is_leaving(job)],
            "lastScheduleTime": text_of(started) if started else before.get("lastScheduleTime"),
            "lastSuccessfulTime": max([*ended, before.get("lastSuccessfulTime") or ""]),
        },
    )


def _reference(job: Json) -> Json:
    metadata = job["metadata"]
    return {
        "kind": "Job",
        "apiVersion": "batch/v1",
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "resourceVersion": metadata["resourceVersion"],
    }
