"""What is checked before an object is stored: names, required fields, what may not change."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import errors, validation_pod
from migrator.lab.kubeapi.errors import FieldError, invalid_value, required
from migrator.lab.kubeapi.labels import accepts_labels, from_selector

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.lab.kubeapi.cluster import Cluster
    from migrator.lab.kubeapi.kinds import Kind

Json = dict[str, Any]

_SUBDOMAIN = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
_LABEL = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
_LABEL_VALUE = re.compile(r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$")
_LABEL_KEY = re.compile(r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$")
_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_KEY_TEXT = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_LABEL_NAMED = {("", "namespaces"), ("", "services")}
_FREE_NAMED = {"rbac.authorization.k8s.io"}
_WITH_TEMPLATE = {"deployments", "replicasets", "statefulsets", "daemonsets", "jobs"}
_SCHEDULE_WORDS = {"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"}
_CHECKED_TWICE = {"events", "poddisruptionbudgets.policy"}
_CHECKED_FOUR_TIMES = {
    "clusterrolebindings.rbac.authorization.k8s.io", "clusterroles.rbac.authorization.k8s.io", "configmaps",
    "controllerrevisions.apps", "endpoints", "ingressclasses.networking.k8s.io", "ingresses.networking.k8s.io",
    "jobs.batch", "namespaces", "nodes", "persistentvolumeclaims", "persistentvolumes", "pods",
    "rolebindings.rbac.authorization.k8s.io", "roles.rbac.authorization.k8s.io", "secrets", "serviceaccounts",
    "storageclasses.storage.k8s.io",
}  # fmt: skip
_SEALED = "field is immutable when `immutable` is set"
_ANNOTATIONS_LIMIT = 256 * 1024


def validate_new(kind: Kind, obj: Json, cluster: Cluster) -> None:
    """Check a new object.

    Raises:
        ApiError: 422, with everything that is wrong.
    """
    found = [*_name_errors(kind, obj), *_metadata_errors(obj), *_spec_errors(kind, obj)]
    if kind.custom:
        found += cluster.definitions.errors(kind, obj)
    _fail(kind, obj, found)


def validate_change(kind: Kind, old: Json, new: Json, subresource: str, cluster: Cluster) -> None:
    """Check a changed object.

    Raises:
        ApiError: 422, with everything that is wrong.
    """
    found = _metadata_errors(new) * _times(kind, subresource)
    if subresource != "status":
        # a real server checks a Job's spec twice, and says everything twice
        found += _spec_errors(kind, new) * (2 if kind.key == ("batch", "jobs") else 1)
        found += _fixed_field_errors(kind, old, new, subresource)
    if kind.custom:
        found += cluster.definitions.errors(kind, new)
    _fail(kind, new, found)


def _times(kind: Kind, subresource: str) -> int:
    """How often a real server checks the metadata of a changed object, and says what is wrong with it."""
    if kind.qualified in _CHECKED_TWICE or (subresource and kind.key == ("batch", "cronjobs")):
        return 2
    return 4 if kind.qualified in _CHECKED_FOUR_TIMES and not subresource else 3


def _fail(kind: Kind, obj: Json, found: list[FieldError]) -> None:
    if found:
        raise errors.invalid(kind, obj["metadata"].get("name", ""), found)


def _name_errors(kind: Kind, obj: Json) -> list[FieldError]:
    name = obj["metadata"]["name"]
    if kind.group in _FREE_NAMED:
        bad = name in (".", "..") or "/" in name or "%" in name
        text, longest = ("may not contain '/'" if bad else ""), 253
    elif kind.key in _LABEL_NAMED:
        text, longest = ("" if _LABEL.match(name) else _LABEL_TEXT), 63
    else:
        text, longest = ("" if _SUBDOMAIN.match(name) else _SUBDOMAIN_TEXT), 253
    if not text and len(name) > longest:
        text = f"must be no more than {longest} characters"
    return [invalid_value("metadata.name", name, text)] if text else []


def _metadata_errors(obj: Json) -> list[FieldError]:
    found = []
    metadata = obj["metadata"]
    for key, value in (metadata.get("labels") or {}).items():
        if not _LABEL_KEY.match(key):
            found.append(invalid_value("metadata.labels", key, _KEY_TEXT))
        if not _LABEL_VALUE.match(value):
            found.append(invalid_value("metadata.labels", value, _VALUE_TEXT))
        elif len(value) > 63:
            found.append(invalid_value("metadata.labels", value, "must be no more than 63 characters"))
    annotations = metadata.get("annotations") or {}
    found += [
        invalid_value("metadata.annotations", key, _KEY_TEXT)
        for key in annotations
        if not _LABEL_KEY.match(key.lower())
    ]
    if sum(len(k) + len(v) for k, v in annotations.items()) > _ANNOTATIONS_LIMIT:
        found.append(FieldError("metadata.annotations", "FieldValueTooLong", "may not be more than 262144 bytes"))
    for number, owner in enumerate(metadata.get("ownerReferences") or ()):
        found += [
            required(f"metadata.ownerReferences[{number}].{name}", f"{name} must not be empty")
            for name in ("apiVersion", "kind", "name", "uid")
            if not owner.get(name)
        ]
    return found


def _spec_errors(kind: Kind, obj: Json) -> list[FieldError]:
    if kind.key == ("", "pods"):
        return validation_pod.pod_spec_errors(obj.get("spec") or {}, "spec")
    if kind.plural in _WITH_TEMPLATE and not kind.custom:
        return _template_errors(kind, obj.get("spec") or {})
    if kind.key == ("batch", "cronjobs"):
        spec = obj.get("spec") or {}
        found = _schedule_errors(spec.get("schedule") or "")
        template = ((spec.get("jobTemplate") or {}).get("spec") or {}).get("template") or {}
        return found + validation_pod.pod_spec_errors(template.get("spec") or {}, "spec.jobTemplate.spec.template.spec")
    checks = _CHECKS.get(kind.plural) if not kind.custom else None
    return checks(obj) if checks is not None else []


def _schedule_errors(schedule: str) -> list[FieldError]:
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


def _reference_errors(obj: Json) -> list[FieldError]:
    named = (obj.get("roleRef") or {}).get("name")
    return [] if named else [required("roleRef.name", "name is required")]


def _webhook_errors(obj: Json) -> list[FieldError]:
    found = []
    for number, hook in enumerate(obj.get("webhooks") or ()):
        where = f"webhooks[{number}]"
        if hook.get("name", "").count(".") < 2:
            text = "should be a domain with at least three segments separated by dots"
            found.append(invalid_value(f"{where}.name", hook.get("name", ""), text))
        versions = hook.get("admissionReviewVersions")
        if not versions:
            text = "must specify one of v1, v1beta1"
            found.append(required(f"{where}.admissionReviewVersions", text))
        effects = hook.get("sideEffects")
        if effects is None:
            text = "must specify one of None, NoneOnDryRun"
            found.append(required(f"{where}.sideEffects", text))
        elif effects not in ("None", "NoneOnDryRun"):
            found.append(errors.unsupported_value(f"{where}.sideEffects", effects, ["None", "NoneOnDryRun"]))
        config = hook.get("clientConfig") or {}
        if ("url" in config) == ("service" in config):
            found.append(required(f"{where}.clientConfig", "exactly one of url or service is required"))
    return found


def _key_errors(obj: Json) -> list[FieldError]:
    text = (
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  "
        "or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
    )
    keys = obj.get("data") or {}
    return [invalid_value(f"data[{k}]", k, text) for k in keys if not re.match(r"^[-._a-zA-Z0-9]+$", k)]


def _template_errors(kind: Kind, spec: Json) -> list[FieldError]:
    found = []
    template = spec.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels") or {}
    selector = spec.get("selector")
    if selector is None:
        found.append(required("spec.selector"))
    if selector is None or not accepts_labels(from_selector(selector), labels):
        text = "`selector` does not match template `labels`"
        found.append(invalid_value("spec.template.metadata.labels", labels or None, text))
    if isinstance(spec.get("replicas"), int) and spec["replicas"] < 0:
        found.append(invalid_value("spec.replicas", spec["replicas"], "must be greater than or equal to 0"))
    pod = template.get("spec") or {}
    policy = pod.get("restartPolicy")
    if kind.plural == "jobs":
        if policy not in ("OnFailure", "Never"):
            allowed = ["OnFailure", "Never"]
            found.append(errors.unsupported_value("spec.template.spec.restartPolicy", policy, allowed))
    elif policy != "Always":
        found.append(errors.unsupported_value("spec.template.spec.restartPolicy", policy, ["Always"]))
    claims = [claim["metadata"]["name"] for claim in spec.get("volumeClaimTemplates") or ()]
    return found + validation_pod.pod_spec_errors(pod, "spec.template.spec", claims)


def _service_errors(obj: Json) -> list[FieldError]:
    spec = obj.get("spec") or {}
    if spec.get("type") != "ExternalName" and not spec.get("ports") and spec.get("clusterIP") != "None":
        return [required("spec.ports")]
    return []


_CHECKS: dict[str, Callable[[Json], list[FieldError]]] = {
    "services": _service_errors,
    "rolebindings": _reference_errors,
    "clusterrolebindings": _reference_errors,
    "mutatingwebhookconfigurations": _webhook_errors,
    "validatingwebhookconfigurations": _webhook_errors,
    "configmaps": _key_errors,
    "secrets": _key_errors,
}


def _fixed_field_errors(kind: Kind, old: Json, new: Json, subresource: str) -> list[FieldError]:
    if kind.key == ("", "pods"):
        fixed = subresource in ("", "resize")
        return validation_pod.changed_spec_errors(old.get("spec") or {}, new.get("spec") or {}) if fixed else []
    if kind.key in (("", "configmaps"), ("", "secrets")):
        return _fixed_data_errors(kind, old, new)
    if kind.plural in ("rolebindings", "clusterrolebindings") and old.get("roleRef") != new.get("roleRef"):
        return [invalid_value("roleRef", new.get("roleRef"), "cannot change roleRef")]
    names: tuple[str, ...] = ()
    if kind.key == ("batch", "jobs"):
        names = ("selector", "template", "completions")
    elif kind.group == "apps" and kind.plural in _WITH_TEMPLATE:
        names = ("selector",)
    return [error for name in names for error in _immutable(old, new, name)]


def _fixed_data_errors(kind: Kind, old: Json, new: Json) -> list[FieldError]:
    if kind.plural == "secrets" and old.get("type") != new.get("type"):
        return [invalid_value("type", new.get("type"), "field is immutable")]
    if not old.get("immutable"):
        return []
    if not new.get("immutable"):
        return [errors.forbidden_field("immutable", _SEALED)]
    return [
        errors.forbidden_field(name, _SEALED)
        for name in ("data", "binaryData")
        if (old.get(name) or {}) != (new.get(name) or {})
    ]


def _immutable(old: Json, new: Json, name: str) -> list[FieldError]:
    after = (new.get("spec") or {}).get(name)
    if (old.get("spec") or {}).get(name) == after:
        return []
    return [invalid_value(f"spec.{name}", after, "field is immutable")]
