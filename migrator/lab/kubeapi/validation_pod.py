"""The checks of a pod spec: in pods, and in the templates of workloads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi.errors import (
    FieldError,
    compact,
    duplicate,
    forbidden_field,
    invalid_value,
    missing_reference,
    required,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Json = dict[str, Any]

_LABEL = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
_LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_CHANGEABLE = "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"  # noqa: E501  one sentence of the real server


def pod_spec_errors(spec: Json, path: str, claims: Iterable[str] = ()) -> list[FieldError]:
    """Everything wrong with a pod spec; `claims` are volumes that a StatefulSet will add to its pods."""
    found: list[FieldError] = []
    volumes = [volume.get("name", "") for volume in spec.get("volumes") or ()]
    for number, name in enumerate(volumes):
        where = f"{path}.volumes[{number}].name"
        if not name:
            found.append(required(where))
        elif not _LABEL.match(name):
            found.append(invalid_value(where, name, _LABEL_TEXT))
        elif name in volumes[:number]:
            found.append(duplicate(where, name))
    if not spec.get("containers"):
        found.append(required(f"{path}.containers"))
    seen: list[str] = []
    for where, container in _containers(spec, path):
        found += _container_errors(container, where, seen, [*volumes, *claims])
        seen.append(container.get("name", ""))
    return found


def _containers(spec: Json, path: str) -> Iterator[tuple[str, Json]]:
    for field in ("initContainers", "containers"):
        for number, container in enumerate(spec.get(field) or ()):
            yield f"{path}.{field}[{number}]", container


def _container_errors(container: Json, where: str, seen: list[str], volumes: list[str]) -> list[FieldError]:
    found = []
    name = container.get("name", "")
    if not name:
        found.append(required(f"{where}.name"))
    elif not _LABEL.match(name):
        found.append(invalid_value(f"{where}.name", name, _LABEL_TEXT))
    elif name in seen:
        found.append(duplicate(f"{where}.name", name))
    if not container.get("image"):
        found.append(required(f"{where}.image"))
    for number, variable in enumerate(container.get("env") or ()):
        if not variable.get("name"):
            found.append(required(f"{where}.env[{number}].name"))
    mounted: list[str] = []
    for number, mount in enumerate(container.get("volumeMounts") or ()):
        found += _mount_errors(mount, f"{where}.volumeMounts[{number}]", mounted, volumes)
        mounted.append(mount.get("mountPath", ""))
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
