"""What every controller reads and writes on Kubernetes objects. Pure."""

from __future__ import annotations

import hashlib
import json
import math
from copy import deepcopy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Container

Json = dict[str, Any]
_SAFE = "bcdfghjklmnpqrstvwxz2456789"
FINISHED = frozenset({"Succeeded", "Failed"})


def text_of(moment: datetime) -> str:
    """A time as Kubernetes writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_of(text: str) -> datetime:
    """A time as Kubernetes writes it, read."""
    return datetime.fromisoformat(text)


def controller_of(document: Json) -> Json | None:
    """The owner reference marked as the controller."""
    for reference in document["metadata"].get("ownerReferences") or []:
        if reference.get("controller"):
            owner: Json = reference
            return owner
    return None


def owned_by(document: Json) -> tuple[str, ...]:
    """Index entry: the controlling owner's uid."""
    owner = controller_of(document)
    return (owner["uid"],) if owner else ()


def owner_reference(owner: Json) -> Json:
    """The reference that makes `owner` the controller of an object."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def condition(document: Json, kind: str) -> Json | None:
    """The status condition of this type."""
    for one in (document.get("status") or {}).get("conditions") or []:
        if one["type"] == kind:
            found: Json = one
            return found
    return None


def is_leaving(document: Json) -> bool:
    """Whether deletion has been asked for."""
    return "deletionTimestamp" in document["metadata"]


def is_active(pod: Json) -> bool:
    """Neither finished nor being deleted."""
    return pod.get("status", {}).get("phase") not in FINISHED and not is_leaving(pod)


def is_ready(pod: Json) -> bool:
    """Whether the pod's Ready condition is true."""
    found = condition(pod, "Ready")
    return found is not None and found["status"] == "True"


def available_in(pod: Json, minimum: int, now: datetime) -> float | None:
    """Seconds until a ready pod counts as available; 0 when it does; None when it is not ready."""
    found = condition(pod, "Ready")
    if found is None or found["status"] != "True":
        return None
    if not minimum:
        return 0.0
    since = moment_of(found["lastTransitionTime"])
    return max(0.0, minimum - (now - since).total_seconds())


def share(value: int | str | None, total: int, *, up: bool) -> int:
    """An int-or-percent field as a number of pods."""
    if isinstance(value, str) and value.endswith("%"):
        exact = int(value[:-1]) * total / 100
        return math.ceil(exact) if up else math.floor(exact)
    return int(value or 0)


def safe_hash(document: Any, salt: int = 0) -> str:
    """A short name-safe hash, in the alphabet Kubernetes uses for generated names."""
    canonical = json.dumps([document, salt], sort_keys=True).encode()
    number = int.from_bytes(hashlib.sha256(canonical).digest()[:4], "big")
    return "".join(_SAFE[ord(digit) % len(_SAFE)] for digit in str(number))


def pod_from(template: Json, owner: Json, labels: dict[str, str] | None = None) -> Json:
    """A pod made of a template, with `generateName` of its owner."""
    metadata = template.get("metadata") or {}
    pod: Json = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": owner["metadata"]["name"] + "-",
            "namespace": owner["metadata"]["namespace"],
            "labels": {**(metadata.get("labels") or {}), **(labels or {})},
            "ownerReferences": [owner_reference(owner)],
        },
        "spec": deepcopy(template["spec"]),
    }
    for field in ("annotations", "finalizers"):
        if metadata.get(field):
            pod["metadata"][field] = deepcopy(metadata[field])
    return pod


def compact(status: Json, keep: Container[str] = ()) -> Json:
    """A status without zero counts and empty fields, as the API's own types serialise it.

    Fields in `keep` stay: the API always writes them, and typed clients insist on them.
    """
    return {key: value for key, value in status.items() if key in keep or value not in (0, None, "", [], {})}
