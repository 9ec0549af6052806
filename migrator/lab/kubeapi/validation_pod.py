"""The checks of a pod spec: in pods, and in the templates of workloads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import names
from migrator.lab.kubeapi.errors import (
    FieldError,
    compact,
    duplicate,
    forbidden_field,
    invalid_value,
    missing_reference,
    required,
    unsupported_value,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Json = dict[str, Any]

_PULLS = ("Always", "IfNotPresent", "Never")
_OPERATORS = ("Equal", "Exists")
_POLICIES = {
    "restartPolicy": ("Always", "OnFailure", "Never"),
    "dnsPolicy": ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"),
}
_MIRROR = "kubernetes.io/config.mirror"
_MIRROR_FIELD = f"metadata.annotations[{_MIRROR}]"
_CHANGEABLE = "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"  # noqa: E501  one sentence of the real server


def errors_of(pod: Json) -> list[FieldError]:
    """Everything wrong with a pod but its metadata."""
    return _mirror_errors(pod) + pod_spec_errors(pod.get("spec") or {}, "spec")


def _mirror_errors(pod: Json) -> list[FieldError]:
    annotations = pod["metadata"].get("annotations") or {}
    if _MIRROR not in annotations or pod["spec"].get("nodeName"):
        return []
    return [
        invalid_value(_MIRROR_FIELD, annotations[_MIRROR], "must set spec.nodeName if mirror pod annotation is set")
    ]


def pod_spec_errors(spec: Json, path: str, claims: Iterable[str] = ()) -> list[FieldError]:
    """Everything wrong with a pod spec; `claims` are volumes that a StatefulSet will add to its pods."""
    found = _volume_errors(spec, path)
    volumes = [volume.get("name", "") for volume in spec.get("volumes") or ()]
    if not spec.get("containers"):
        found.append(required(f"{path}.containers"))
    seen: list[str] = []
    for where, container in _containers(spec, path):
        found += _container_errors(container, where, seen, [*volumes, *claims])
        seen.append(container.get("name", ""))
    for name, allowed in _POLICIES.items():
        if spec.get(name) not in allowed:
            found.append(unsupported_value(f"{path}.{name}", spec.get(name, ""), allowed))
    for key, value in (spec.get("nodeSelector") or {}).items():
        found += [invalid_value(f"{path}.nodeSelector", key, text) for text in names.label_key(key)]
        found += [invalid_value(f"{path}.nodeSelector", value, text) for text in names.label_value(value)]
    account = spec.get("serviceAccountName")
    if account:
        found += [invalid_value(f"{path}.serviceAccountName", account, text) for text in names.subdomain(account)]
    for number, toleration in enumerate(spec.get("tolerations") or ()):
        if toleration.get("operator", "Equal") not in _OPERATORS:
            where = f"{path}.tolerations[{number}].operator"
            found.append(unsupported_value(where, toleration["operator"], _OPERATORS))
    return found


def _volume_errors(spec: Json, path: str) -> list[FieldError]:
    found: list[FieldError] = []
    seen: list[str] = []
    for number, volume in enumerate(spec.get("volumes") or ()):
        where, name = f"{path}.volumes[{number}].name", volume.get("name", "")
        if not name:
            found.append(required(where))
        elif name in seen:
            found.append(duplicate(where, name))
        else:
            found += [invalid_value(where, name, text) for text in names.label(name)]
        seen.append(name)
    return found


def _containers(spec: Json, path: str) -> Iterator[tuple[str, Json]]:
    for field in ("containers", "initContainers", "ephemeralContainers"):
        for number, container in enumerate(spec.get(field) or ()):
            yield f"{path}.{field}[{number}]", container


def _container_errors(container: Json, where: str, seen: list[str], volumes: list[str]) -> list[FieldError]:
    found = []
    name, image = container.get("name", ""), container.get("image", "")
    if not name:
        found.append(required(f"{where}.name"))
    elif name in seen:
        found.append(duplicate(f"{where}.name", name))
    else:
        found += [invalid_value(f"{where}.name", name, text) for text in names.label(name)]
    if not image:
        found.append(required(f"{where}.image"))
    elif image != image.strip():
        found.append(invalid_value(f"{where}.image", image, "must not have leading or trailing whitespace"))
    if container.get("imagePullPolicy") not in _PULLS:
        found.append(unsupported_value(f"{where}.imagePullPolicy", container.get("imagePullPolicy"), _PULLS))
    for number, variable in enumerate(container.get("env") or ()):
        found += _variable_errors(variable, f"{where}.env[{number}]")
    mounted: list[str] = []
    for number, mount in enumerate(container.get("volumeMounts") or ()):
        found += _mount_errors(mount, f"{where}.volumeMounts[{number}]", mounted, volumes)
        mounted.append(mount.get("mountPath", ""))
    return found


def _variable_errors(variable: Json, where: str) -> list[FieldError]:
    found = [] if variable.get("name") else [required(f"{where}.name")]
    if variable.get("value") and "valueFrom" in variable:
        found.append(invalid_value(f"{where}.valueFrom", "", "may not be specified when `value` is not empty"))
    return found


def _mount_errors(mount: Json, where: str, mounted: list[str], volumes: list[str]) -> list[FieldError]:
    found = []
    name, target = mount.get("name", ""), mount.get("mountPath", "")
    if not name:
        found.append(required(f"{where}.name"))
    elif name not in volumes:
        found.append(missing_reference(f"{where}.name", name))
    if not target:
        found.append(required(f"{where}.mountPath"))
    elif target in mounted:
        found.append(invalid_value(f"{where}.mountPath", target, "must be unique"))
    return found


def changed_errors(old: Json, new: Json) -> list[FieldError]:
    """A pod's spec is fixed but for a few fields, and nobody makes a node's own pod of it."""
    before, after = (one["metadata"].get("annotations") or {} for one in (old, new))
    found = []
    if _MIRROR in after and _MIRROR not in before:
        found.append(forbidden_field(_MIRROR_FIELD, "may not add mirror pod annotation"))
    elif _MIRROR in before and after.get(_MIRROR) != before[_MIRROR]:
        found.append(forbidden_field(_MIRROR_FIELD, "may not remove or update mirror pod annotation"))
    found += _mirror_errors(new)
    said, wanted = old["spec"].get("activeDeadlineSeconds"), new["spec"].get("activeDeadlineSeconds")
    if said is not None and (wanted is None or wanted > said):
        text = (
            "must be less than or equal to previous value"
            if wanted
            else "must not update from a positive integer to nil value"
        )
        found.append(invalid_value("spec.activeDeadlineSeconds", wanted, text))
    return found + changed_spec_errors(old.get("spec") or {}, new.get("spec") or {})


def ephemeral_errors(old: Json, new: Json) -> list[FieldError]:
    """Containers that were added to look at a running pod stay as they are."""
    now = {one["name"]: one for one in new["spec"].get("ephemeralContainers") or ()}
    found = []
    for one in old["spec"].get("ephemeralContainers") or ():
        if now.get(one["name"]) != one:
            what = "changed" if one["name"] in now else "removed"
            text = f'existing ephemeral containers "{one["name"]}" may not be {what}\n'
            found.append(forbidden_field("spec.ephemeralContainers", text))
    return found


def changed_spec_errors(old: Json, new: Json) -> list[FieldError]:
    """A pod's spec is fixed but for a few fields."""
    if _comparable(old, new) == _comparable(new, new):
        return []
    detail = f"pod updates may not change fields other than {_CHANGEABLE}\n{compact(new)}"
    return [forbidden_field("spec", detail)]


def _comparable(spec: Json, changed: Json) -> Json:
    fixed = {k: v for k, v in spec.items() if k not in ("activeDeadlineSeconds", "tolerations")}
    # an unbound pod may be bound by an update of the agent's own; the API has the binding for that
    for field in ("containers", "initContainers"):
        if field in fixed:
            fixed[field] = [{k: v for k, v in c.items() if k != "image"} for c in fixed[field]]
    before = spec.get("tolerations") or []
    after = changed.get("tolerations") or []
    fixed["tolerations kept"] = all(t in after for t in before)
    return fixed


def qos_class(spec: Json) -> str:
    """Guaranteed, Burstable or BestEffort."""
    amounts = [(c.get("resources") or {}) for field in ("initContainers", "containers") for c in spec.get(field) or ()]
    asked = [r for r in amounts if r.get("requests") or r.get("limits")]
    if not asked:
        return "BestEffort"
    for resources in amounts:
        limits = resources.get("limits") or {}
        requests = resources.get("requests") or limits
        if not {"cpu", "memory"} <= set(limits) or any(
            requests.get(n, limits[n]) != limits[n] for n in ("cpu", "memory")
        ):
            return "Burstable"
    return "Guaranteed"
