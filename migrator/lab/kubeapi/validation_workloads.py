"""The checks of what makes pods, and of their budgets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi.errors import FieldError, forbidden_field, invalid_value, required, unsupported_value
from migrator.lab.kubeapi.labels import accepts_labels, from_selector
from migrator.lab.kubeapi.validation_pod import pod_spec_errors

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]

_TEMPLATE = "spec.template.spec"
_SCHEDULE_WORDS = {"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"}
_PERCENT_TEXT = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for "
    "validation is '[0-9]+%')"
)
_STATEFUL_CHANGES = ("replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
                     "persistentVolumeClaimRetentionPolicy", "minReadySeconds")  # fmt: skip


def _deployment(obj: Json) -> list[FieldError]:
    spec, strategy = obj["spec"], obj["spec"].get("strategy") or {}
    found = _template(spec, "deployment")
    rolling, kind = strategy.get("rollingUpdate"), strategy.get("type")
    if kind == "Recreate" and rolling is not None:
        text = "may not be specified when strategy `type` is 'Recreate'"
        found.append(forbidden_field("spec.strategy.rollingUpdate", text))
    elif kind == "RollingUpdate":
        found += _rolling(rolling or {}, "spec.strategy.rollingUpdate")
    elif kind != "Recreate":
        found.append(unsupported_value("spec.strategy", strategy, ["Recreate", "RollingUpdate"]))
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None and deadline <= spec.get("minReadySeconds", 0):
        found.append(invalid_value("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"))
    return found


def _rolling(rolling: Json, where: str) -> list[FieldError]:
    found = [one for name in ("maxUnavailable", "maxSurge") for one in _share(rolling.get(name), f"{where}.{name}")]
    if not found and all(str(rolling.get(name)) in ("0", "0%") for name in ("maxUnavailable", "maxSurge")):
        text = "may not be 0 when `maxSurge` is 0"
        found.append(invalid_value(f"{where}.maxUnavailable", rolling["maxUnavailable"], text))
    return found


def _share(value: Any, where: str) -> list[FieldError]:
    """A number, or a percentage."""
    if isinstance(value, str) and not re.fullmatch("[0-9]+%", value):
        return [invalid_value(where, value, _PERCENT_TEXT)]
    if isinstance(value, int) and value < 0:
        return [invalid_value(where, value, "must be greater than or equal to 0")]
    return []


def _replica_set(obj: Json) -> list[FieldError]:
    return _template(obj["spec"], "replica set")


def _daemon_set(obj: Json) -> list[FieldError]:
    strategy = obj["spec"].get("updateStrategy") or {}
    found = _template(obj["spec"], "daemonset")
    if strategy.get("type") not in ("RollingUpdate", "OnDelete"):
        found.append(unsupported_value("spec.updateStrategy", strategy, ["RollingUpdate", "OnDelete"]))
    return found


def _stateful_set(obj: Json) -> list[FieldError]:
    spec, found = obj["spec"], []
    if spec.get("podManagementPolicy") not in ("OrderedReady", "Parallel"):
        text = "must be 'OrderedReady' or 'Parallel'"
        found.append(invalid_value("spec.podManagementPolicy", spec.get("podManagementPolicy"), text))
    return found + _template(spec, "statefulset")


def _template(spec: Json, noun: str) -> list[FieldError]:
    """A selector, as many replicas as can be, and a template that the selector fits."""
    found = _selected(spec, noun)
    replicas = spec.get("replicas")
    if isinstance(replicas, int) and replicas < 0:
        found.append(invalid_value("spec.replicas", replicas, "must be greater than or equal to 0"))
    pod = (spec.get("template") or {}).get("spec") or {}
    claims = [claim["metadata"]["name"] for claim in spec.get("volumeClaimTemplates") or ()]
    if pod.get("restartPolicy") != "Always":
        found.append(unsupported_value(f"{_TEMPLATE}.restartPolicy", pod.get("restartPolicy"), ["Always"]))
    return found + pod_spec_errors(pod, _TEMPLATE, claims)


def _selected(spec: Json, noun: str) -> list[FieldError]:
    selector = spec.get("selector")
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    if selector == {} and noun:
        return [invalid_value("spec.selector", {}, f"empty selector is invalid for {noun}")]
    found = [required("spec.selector")] if selector is None else []
    if selector is None or not accepts_labels(from_selector(selector), labels):
        text = "`selector` does not match template `labels`"
        shown = dict(sorted(labels.items())) or None
        found.append(invalid_value("spec.template.metadata.labels", shown, text))
    return found


def _job(obj: Json) -> list[FieldError]:
    spec, uid = obj["spec"], obj["metadata"]["uid"]
    found = []
    own = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    if spec.get("selector") is not None and not spec.get("manualSelector") and spec["selector"] != own:
        found.append(invalid_value("spec.selector", spec["selector"], "`selector` not auto-generated"))
    pod = (spec.get("template") or {}).get("spec") or {}
    return found + _selected(spec, "") + pod_spec_errors(pod, _TEMPLATE) + _job_policy(pod, _TEMPLATE)


def _job_policy(pod: Json, where: str) -> list[FieldError]:
    """A Job's pods are not started again for ever."""
    if pod.get("restartPolicy") not in ("OnFailure", "Never"):
        return [required(f"{where}.restartPolicy", 'valid values: "OnFailure", "Never"')]
    return []


def _cron_job(obj: Json) -> list[FieldError]:
    spec, where = obj["spec"], "spec.jobTemplate.spec.template.spec"
    template = ((spec.get("jobTemplate") or {}).get("spec") or {}).get("template") or {}
    pod = template.get("spec") or {}
    return _schedule(spec.get("schedule") or "") + pod_spec_errors(pod, where) + _job_policy(pod, where)


def _schedule(schedule: str) -> list[FieldError]:
    """Five fields, or one of the words that stand for them; what is in the fields is not looked at."""
    if not schedule:
        return [required("spec.schedule")]
    fields = schedule.split()
    if fields[:1] == ["@every"] or (len(fields) == 1 and fields[0] in _SCHEDULE_WORDS):
        return []
    if schedule.startswith("@"):
        return [invalid_value("spec.schedule", schedule, f"unrecognized descriptor: {schedule}")]
    if len(fields) != 5:
        text = f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]"
        return [invalid_value("spec.schedule", schedule, text)]
    return []


def _budget(obj: Json) -> list[FieldError]:
    spec = obj["spec"]
    found = []
    if "minAvailable" in spec and "maxUnavailable" in spec:
        found.append(invalid_value("spec", spec, "minAvailable and maxUnavailable cannot be both set"))
    return found + [
        one for name in ("minAvailable", "maxUnavailable") for one in _share(spec.get(name), f"spec.{name}")
    ]


def _same(*fields: str) -> Callable[[Json, Json], list[FieldError]]:
    """These fields of the spec may not change."""

    def check(old: Json, new: Json) -> list[FieldError]:
        changed = [name for name in fields if old["spec"].get(name) != new["spec"].get(name)]
        return [invalid_value(f"spec.{name}", new["spec"].get(name), "field is immutable") for name in changed]

    return check


def _changed_stateful_set(old: Json, new: Json) -> list[FieldError]:
    before, after = ({k: v for k, v in one["spec"].items() if k not in _STATEFUL_CHANGES} for one in (old, new))
    if before == after:
        return []
    *most, last = (f"'{name}'" for name in _STATEFUL_CHANGES)
    listed = f"{', '.join(most)} and {last}"
    return [forbidden_field("spec", f"updates to statefulset spec for fields other than {listed} are forbidden")]


def _changed_revision(old: Json, new: Json) -> list[FieldError]:
    return [] if old.get("data") == new.get("data") else [invalid_value("data", new.get("data"), "field is immutable")]


CHECKS: dict[str, Callable[[Json], list[FieldError]]] = {
    "deployments.apps": _deployment,
    "replicasets.apps": _replica_set,
    "statefulsets.apps": _stateful_set,
    "daemonsets.apps": _daemon_set,
    "jobs.batch": _job,
    "cronjobs.batch": _cron_job,
    "poddisruptionbudgets.policy": _budget,
}
FIXED: dict[str, Callable[[Json, Json], list[FieldError]]] = {
    "deployments.apps": _same("selector"),
    "replicasets.apps": _same("selector"),
    "daemonsets.apps": _same("selector"),
    "statefulsets.apps": _changed_stateful_set,
    "jobs.batch": _same("completions", "selector", "template"),
    "controllerrevisions.apps": _changed_revision,
}
