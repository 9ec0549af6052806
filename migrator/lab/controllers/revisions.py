"""The history of a StatefulSet's or DaemonSet's template, kept as ControllerRevisions."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from migrator.lab.controllers.objects import owner_reference, safe_hash

if TYPE_CHECKING:
    from collections.abc import Container

    from migrator.lab.controllers.view import View

Json = dict[str, Any]
HASH = "controller-revision-hash"


def current(view: View, owner: Json) -> Json:
    """The revision of the owner's present template: found, brought to the front, or created."""
    history = ordered(view, owner)
    data = _data(owner)
    highest = history[-1]["revision"] if history else 0
    for revision in history:
        if revision["data"] == data:
            if revision["revision"] == highest:
                return revision
            return view.patch("controllerrevisions", revision, {"revision": highest + 1})
    name = safe_hash(data, len(history) and highest)
    labels = dict((owner["spec"]["template"].get("metadata") or {}).get("labels") or {})
    annotations = owner["metadata"].get("annotations") or {}
    return view.create(
        "controllerrevisions",
        {
            "metadata": {
                "name": f"{owner['metadata']['name']}-{name}",
                "namespace": owner["metadata"]["namespace"],
                "labels": {**labels, HASH: name},
                "annotations": {key: value for key, value in annotations.items() if "last-applied" not in key},
                "ownerReferences": [owner_reference(owner)],
            },
            "data": data,
            "revision": highest + 1,
        },
    )


def ordered(view: View, owner: Json) -> list[Json]:
    """All revisions, oldest first."""
    return sorted(view.owned("controllerrevisions", owner), key=lambda one: int(one["revision"]))


def template_of(revision: Json) -> Json:
    """The pod template that a revision holds."""
    template: Json = deepcopy(revision["data"]["spec"]["template"])
    template.pop("$patch", None)
    return template


def clean_up(view: View, owner: Json, used: Container[str]) -> None:
    """Delete the oldest revisions that no pod uses, beyond the history limit."""
    spare = [one for one in ordered(view, owner) if one["metadata"]["labels"].get(HASH) not in used]
    spare = [one for one in spare if one["metadata"]["name"] not in used]
    limit = owner["spec"].get("revisionHistoryLimit", 10)
    for revision in spare[: max(0, len(spare) - limit)]:
        view.delete("controllerrevisions", revision)


def _data(owner: Json) -> Json:
    return {"spec": {"template": {**deepcopy(owner["spec"]["template"]), "$patch": "replace"}}}
