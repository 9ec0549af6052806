"""What the server itself writes into an object's metadata, and what it keeps callers from changing."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import errors

if TYPE_CHECKING:
    from migrator.lab.kubeapi.kinds import Kind

Json = dict[str, Any]

_SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX_LENGTH = 5
_MAX_GENERATED_BASE = 58
_SERVERS_OWN = (
    "creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "resourceVersion", "selfLink",
    "uid",
)  # fmt: skip
_KEPT = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation")
# what counts as part of the wish besides: a Deployment's annotations, since they are copied to its replica sets
_COUNTED_TOO = {("apps", "deployments"): "annotations", ("discovery.k8s.io", "endpointslices"): "labels"}


def now() -> str:
    """The time as the API writes it, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_now() -> str:
    """The time as the API writes it where microseconds count."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def generated_name(base: str) -> str:
    """A name from a ``generateName``."""
    suffix = "".join(random.choices(_SUFFIX_LETTERS, k=_SUFFIX_LENGTH))
    return base[:_MAX_GENERATED_BASE] + suffix


def ordered(kind: Kind, obj: Json) -> Json:
    """The object with ``kind`` and ``apiVersion`` first, as answers have them."""
    rest = {key: value for key, value in obj.items() if key not in ("kind", "apiVersion")}
    return {"kind": kind.kind, "apiVersion": kind.api_version, **rest}


def wipe(kind: Kind, obj: Json, namespace: str) -> None:
    """Take away from a new object what only the server may say, and put it into its namespace."""
    metadata = obj.setdefault("metadata", {})
    for name in _SERVERS_OWN:
        metadata.pop(name, None)
    if kind.namespaced:
        metadata["namespace"] = namespace
    else:
        metadata.pop("namespace", None)
    drop_empty(metadata)


def fill_new(kind: Kind, obj: Json) -> None:
    """Give a new object its uid, its time, and a name if it wants one.

    Raises:
        ApiError: 422, it has no name and no beginning of one.
    """
    metadata = obj["metadata"]
    metadata["uid"] = str(uuid.uuid4())
    metadata["creationTimestamp"] = now()
    if kind.generation or kind.custom:
        metadata["generation"] = 1
    if not metadata.get("name") and metadata.get("generateName"):
        metadata["name"] = generated_name(metadata["generateName"])
    if not metadata.get("name"):
        raise errors.invalid(kind, "", [errors.required("metadata.name", "name or generateName is required")])


def drop_empty(metadata: Json) -> None:
    """Empty lists and maps in metadata are not kept, as with Go's ``omitempty``."""
    for name in ("labels", "annotations", "ownerReferences", "finalizers", "managedFields"):
        if name in metadata and not metadata[name]:
            del metadata[name]


def carry_over(old: Json, new: Json) -> None:
    """Keep what a caller may not change when an object is updated."""
    before, after = old["metadata"], new.setdefault("metadata", {})
    for name in _KEPT:
        if name in before:
            after[name] = before[name]
        else:
            after.pop(name, None)
    after["name"] = before["name"]
    if "namespace" in before:
        after["namespace"] = before["namespace"]
    else:
        after.pop("namespace", None)
    drop_empty(after)


def bump_generation(kind: Kind, old: Json, new: Json) -> None:
    """Raise the generation if what is wished for has changed."""
    if not (kind.generation or kind.custom):
        return
    changed = _wish(kind, old) != _wish(kind, new)
    too = _COUNTED_TOO.get(kind.key)
    if too is not None:
        changed = changed or old["metadata"].get(too) != new["metadata"].get(too)
    if changed:
        new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1


def _wish(kind: Kind, obj: Json) -> Json:
    apart = {"metadata", "apiVersion", "kind"}
    if kind.has_status:
        apart.add("status")
    return {key: value for key, value in obj.items() if key not in apart}
