"""PodDisruptionBudget: how many of its pods may go now, which the API server asks before it evicts one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from migrator.lab.controllers.objects import controller_of, is_leaving, is_ready, moment_of, share, text_of
from migrator.lab.controllers.view import PLURALS
from migrator.lab.kubeapi.labels import accepts_labels, from_selector

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from migrator.lab.controllers.view import View

Json = dict[str, Any]
_SIZED = frozenset({"Deployment", "ReplicaSet", "StatefulSet", "Rollout"})
_ALLOWED, _NOT_ALLOWED = ("True", "SufficientPods"), ("False", "InsufficientPods")
_GOING = timedelta(minutes=2)  # an evicted pod that is still there after that will not go any more
_SOON = timedelta(seconds=2)  # by then a pod made in the second of an eviction is seen to go, or is the one that came


def reconcile(view: View, budget: Json) -> float | None:
    """Count; the answer is when a pod that was let go has to be counted again if it is still there."""
    pods = _pods(view, budget)
    sizes = wanted(view, budget["spec"], pods)
    if sizes is None:
        _give_up(view, budget)
        return None
    expected, desired = sizes
    until = going(budget, pods)
    disrupted = {name: text for name, (text, end) in until.items() if end > view.now()}
    healthy = sum(_healthy(pod, disrupted) for pod in pods)
    allowed = max(0, healthy - desired) if expected > 0 else 0
    view.set_status(
        "poddisruptionbudgets",
        budget,
        {
            "observedGeneration": budget["metadata"].get("generation", 1),
            "expectedPods": expected,
            "desiredHealthy": desired,
            "currentHealthy": healthy,
            "disruptionsAllowed": allowed,
            "disruptedPods": disrupted,
            "conditions": [_condition(view, budget, *_ALLOWED if allowed else _NOT_ALLOWED)],
        },
    )
    first = min((until[name][1] for name in disrupted), default=None)
    return None if first is None else max(0.1, (first - view.now()).total_seconds())


def wanted(view: View, spec: Json, pods: Sequence[Json]) -> tuple[int, int] | None:
    """How many pods there should be, and how many of them healthy; None when the first cannot be told."""
    if "maxUnavailable" not in spec and not isinstance(spec.get("minAvailable", 1), str):
        return len(pods), int(spec.get("minAvailable", 1))
    expected = _scale(view, pods)
    if expected is None:
        return None
    if "maxUnavailable" in spec:
        return expected, max(0, expected - share(spec["maxUnavailable"], expected, up=True))
    return expected, share(spec["minAvailable"], expected, up=True)


def _give_up(view: View, budget: Json) -> None:
    """No disruption at all, as the real controller decides when it cannot count."""
    failed = _condition(view, budget, "False", "SyncFailed")
    status = {**(budget.get("status") or {}), "disruptionsAllowed": 0, "conditions": [failed]}
    view.set_status("poddisruptionbudgets", budget, status)


def _pods(view: View, budget: Json) -> list[Json]:
    selector = budget["spec"].get("selector")
    if selector is None:
        return []
    requirements = from_selector(selector)
    inside = (pod for pod in view.all("pods") if pod["metadata"]["namespace"] == budget["metadata"]["namespace"])
    return [pod for pod in inside if accepts_labels(requirements, pod["metadata"].get("labels"))]


def _scale(view: View, pods: Sequence[Json]) -> int | None:
    """The size of everything that makes these pods, None if one of them has no size; pods of nobody do not count."""
    heads = {head["metadata"]["uid"]: head for pod in pods if (head := _head(view, pod)) is not None}
    if any(head["kind"] not in _SIZED for head in heads.values()):
        return None
    return sum(int(head["spec"].get("replicas", 1)) for head in heads.values())


def _head(view: View, pod: Json) -> Json | None:
    """The scalable object at the head of a pod's owner chain."""
    head, document = None, pod
    while (owner := controller_of(document)) is not None:
        found = view.get(PLURALS.get(owner["kind"], ""), pod["metadata"]["namespace"], owner["name"])
        if found is None:
            break
        head = document = found
    return head


def going(budget: Json, pods: Sequence[Json]) -> dict[str, tuple[str, datetime]]:
    """Pods that were let go and have not begun to go yet: when that was, and until when they count as going.

    A StatefulSet gives a new pod the old one's name, and all times are whole seconds.
    """
    known: dict[str, str] = (budget.get("status") or {}).get("disruptedPods") or {}
    made = {pod["metadata"]["name"]: pod["metadata"]["creationTimestamp"] for pod in pods if not is_leaving(pod)}
    same = {name: (made[name], text) for name, text in known.items() if name in made and made[name] <= text}
    return {name: (text, moment_of(text) + (_GOING if born < text else _SOON)) for name, (born, text) in same.items()}


def _healthy(pod: Json, disrupted: dict[str, str]) -> bool:
    return is_ready(pod) and not is_leaving(pod) and pod["metadata"]["name"] not in disrupted


def _condition(view: View, budget: Json, status: str, reason: str) -> Json:
    for known in (budget.get("status") or {}).get("conditions") or ():
        if (known["status"], known["reason"]) == (status, reason):
            return {**known, "observedGeneration": budget["metadata"].get("generation", 1)}
    return {
        "type": "DisruptionAllowed",
        "status": status,
        "reason": reason,
        "message": "",
        "observedGeneration": budget["metadata"].get("generation", 1),
        "lastTransitionTime": text_of(view.now()),
    }
