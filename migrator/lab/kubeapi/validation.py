"""What is checked before an object is stored: names, metadata, and what each kind asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import errors, names, validation_others, validation_pod, validation_workloads
from migrator.lab.kubeapi.errors import FieldError, invalid_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from migrator.lab.kubeapi.cluster import Cluster
    from migrator.lab.kubeapi.kinds import Kind

Json = dict[str, Any]

_LABEL_NAMED = {"namespaces", "services"}
_FREE_NAMED = "rbac.authorization.k8s.io"
_ANNOTATIONS_LIMIT = 256 * 1024
_OWNER = {"apiVersion": "version must not be empty", "kind": "must not be empty", "name": "must not be empty",
          "uid": "must not be empty"}  # fmt: skip
_CHECKED_TWICE = {"events", "poddisruptionbudgets.policy"}
_CHECKED_FOUR_TIMES = {
    "clusterrolebindings.rbac.authorization.k8s.io", "clusterroles.rbac.authorization.k8s.io", "configmaps",
    "controllerrevisions.apps", "endpoints", "ingressclasses.networking.k8s.io", "ingresses.networking.k8s.io",
    "jobs.batch", "namespaces", "nodes", "persistentvolumeclaims", "persistentvolumes", "pods",
    "rolebindings.rbac.authorization.k8s.io", "roles.rbac.authorization.k8s.io", "secrets", "serviceaccounts",
    "storageclasses.storage.k8s.io",
}  # fmt: skip
_CHECKS: dict[str, Callable[[Json], list[FieldError]]] = {
    "pods": validation_pod.errors_of,
    **validation_workloads.CHECKS,
    **validation_others.CHECKS,
}
_FIXED: dict[str, Callable[[Json, Json], list[FieldError]]] = {
    "pods": validation_pod.changed_errors,
    **validation_workloads.FIXED,
    **validation_others.FIXED,
}


def validate_new(kind: Kind, obj: Json, cluster: Cluster) -> None:
    """Check a new object.

    Raises:
        ApiError: 422, with everything that is wrong.
    """
    found = [*_name_errors(kind, obj["metadata"]), *_metadata_errors(kind, obj), *_spec_errors(kind, obj)]
    if kind.key == ("", "pods") and obj["spec"].get("ephemeralContainers"):
        found.append(errors.forbidden_field("spec.ephemeralContainers", "cannot be set on create"))
    if kind.custom:
        found += cluster.definitions.errors(kind, obj)
    _fail(kind, obj, found)


def validate_change(kind: Kind, old: Json, new: Json, subresource: str, cluster: Cluster) -> None:
    """Check a changed object.

    Raises:
        ApiError: 422, with everything that is wrong.
    """
    found = _metadata_change_errors(kind, old, new, _times(kind, subresource))
    if subresource in ("", "resize"):
        # a real server checks a Job's spec twice, and says everything twice
        found += _spec_errors(kind, new) * (2 if kind.key == ("batch", "jobs") else 1)
        fixed = _FIXED.get(kind.qualified)
        found += fixed(old, new) if fixed is not None else []
    if subresource == "finalize":
        found += _finalizers_errors(kind, "spec.finalizers", new["spec"].get("finalizers") or ())
    if subresource == "ephemeralcontainers":
        found += _spec_errors(kind, new) + validation_pod.ephemeral_errors(old, new)
    if kind.custom:
        found += cluster.definitions.errors(kind, new)
    _fail(kind, new, found)


def _metadata_change_errors(kind: Kind, old: Json, new: Json, times: int) -> list[FieldError]:
    """A real server checks metadata several times, twice at most with an eye on what there was."""
    found, added = _metadata_errors(kind, new), _new_finalizers(old, new)
    return found + (added + found) * min(times - 1, 2) + found * (times - 3)


def _times(kind: Kind, subresource: str) -> int:
    """How often a real server checks the metadata of a changed object, and says what is wrong with it."""
    if kind.qualified in _CHECKED_TWICE or (subresource and kind.key == ("batch", "cronjobs")):
        return 2
    return 4 if kind.qualified in _CHECKED_FOUR_TIMES and not subresource else 3


def _fail(kind: Kind, obj: Json, found: list[FieldError]) -> None:
    if found:
        raise errors.invalid(kind, obj["metadata"].get("name", ""), found)


def _spec_errors(kind: Kind, obj: Json) -> list[FieldError]:
    checks = _CHECKS.get(kind.qualified)
    return checks(obj) if checks is not None else []


def _name_errors(kind: Kind, metadata: Json) -> list[FieldError]:
    check = names.subdomain
    if kind.group == _FREE_NAMED:
        check = names.path_segment
    elif kind.qualified in _LABEL_NAMED:
        check = names.label
    beginning = metadata.get("generateName", "")
    # what comes behind the last dash is not known yet, but it will be something
    found = [("generateName", beginning, text) for text in check(beginning.removesuffix("-") + "a") if beginning]
    found += [("name", metadata["name"], text) for text in check(metadata["name"])]
    return [invalid_value(f"metadata.{field}", value, text) for field, value, text in found]


def _metadata_errors(kind: Kind, obj: Json) -> list[FieldError]:
    metadata = obj["metadata"]
    found = []
    annotations = metadata.get("annotations") or {}
    for key, value in (metadata.get("labels") or {}).items():
        found += [invalid_value("metadata.labels", key, text) for text in names.label_key(key)]
        found += [invalid_value("metadata.labels", value, text) for text in names.label_value(value)]
    for key in annotations:
        found += [invalid_value("metadata.annotations", key, text) for text in names.label_key(key.lower())]
    if sum(len(k) + len(v) for k, v in annotations.items()) > _ANNOTATIONS_LIMIT:
        found.append(FieldError("metadata.annotations", "FieldValueTooLong", "may not be more than 262144 bytes"))
    for owner in metadata.get("ownerReferences") or ():
        missing = [(field, text) for field, text in _OWNER.items() if not owner.get(field)]
        found += [invalid_value(f"metadata.ownerReferences.{field}", "", text) for field, text in missing]
    return found + _finalizers_errors(kind, "metadata.finalizers", metadata.get("finalizers") or ())


def _finalizers_errors(kind: Kind, path: str, given: Iterable[str]) -> list[FieldError]:
    return [
        invalid_value(f"{path}[{number}]", finalizer, text)
        for number, finalizer in enumerate(given)
        for text in names.finalizer(finalizer, short=not kind.custom)
    ]


def _new_finalizers(old: Json, new: Json) -> list[FieldError]:
    """Nobody can begin to wait for what is going already."""
    if "deletionTimestamp" not in old["metadata"]:
        return []
    before = old["metadata"].get("finalizers") or ()
    added = sorted(one for one in new["metadata"].get("finalizers") or () if one not in before)
    listed = ", ".join(errors.shown_value(one) for one in added)
    text = f"no new finalizers can be added if the object is being deleted, found new finalizers []string{{{listed}}}"
    return [errors.forbidden_field("metadata.finalizers", text)] if added else []
