"""Which nodes a pod may run on: node selector, required node affinity, taints. Pure.

Preferred terms, resource requests, pod affinity and topology spread are not looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Json = dict[str, Any]
_REPELLING = frozenset({"NoSchedule", "NoExecute"})


def fits(pod_spec: Json, node: Json) -> bool:
    """Whether the scheduler could put a pod with this spec on the node."""
    return not blocker(pod_spec, node)


def blocker(pod_spec: Json, node: Json) -> str:
    """Why the pod cannot run on the node, in the scheduler's words; empty if it can."""
    if not selected(pod_spec, node):
        return "didn't match Pod's node affinity/selector"
    if node.get("spec", {}).get("unschedulable") and not _tolerated(
        {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}, pod_spec
    ):
        return "were unschedulable"
    for taint in node.get("spec", {}).get("taints") or []:
        if taint.get("effect") in _REPELLING and not _tolerated(taint, pod_spec):
            return f"had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"
    return ""


def selected(pod_spec: Json, node: Json) -> bool:
    """Whether node selector and required node affinity both match the node."""
    labels = node["metadata"].get("labels") or {}
    wanted = pod_spec.get("nodeSelector") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    affinity = (pod_spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if required is None:
        return True
    fields = {"metadata.name": node["metadata"]["name"]}
    return any(_term(term, labels, fields) for term in required.get("nodeSelectorTerms") or [])


def _term(term: Json, labels: Mapping[str, str], fields: Mapping[str, str]) -> bool:
    expressions = term.get("matchExpressions") or []
    names = term.get("matchFields") or []
    if not expressions and not names:
        return False
    return all(_matches(one, labels) for one in expressions) and all(_matches(one, fields) for one in names)


def _matches(expression: Json, values: Mapping[str, str]) -> bool:
    """One requirement of a node selector term; an unknown operator matches nothing."""
    value, wanted = values.get(expression["key"]), expression.get("values") or []
    match expression["operator"]:
        case "In":
            return value in wanted
        case "NotIn":
            return value not in wanted
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt" as operator:
            return _compares(operator, value, wanted)
    return False


def _compares(operator: str, value: str | None, wanted: Sequence[str]) -> bool:
    try:
        left, right = int(value or ""), int(wanted[0])
    except (ValueError, IndexError):
        return False
    return left > right if operator == "Gt" else left < right


def _tolerated(taint: Json, pod_spec: Json) -> bool:
    return any(_tolerates(toleration, taint) for toleration in pod_spec.get("tolerations") or [])


def _tolerates(toleration: Json, taint: Json) -> bool:
    if toleration.get("effect") not in (None, "", taint.get("effect")):
        return False
    key, operator = toleration.get("key"), toleration.get("operator") or "Equal"
    if not key:
        return operator == "Exists"
    if key != taint["key"]:
        return False
    return operator == "Exists" or toleration.get("value", "") == taint.get("value", "")
