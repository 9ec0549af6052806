"""Whether a pod of some spec may run on a node, as far as both tell: the filters of the scheduler, not its wishes."""

from migrator.model.facts import Node, PodSpec
from migrator.model.placement import untolerated

OS, ARCH, COMPUTE_TYPE = "kubernetes.io/os", "kubernetes.io/arch", "eks.amazonaws.com/compute-type"
NAME_FIELD = "metadata.name"


def may_run(spec: PodSpec, node: Node) -> bool:
    """Whether node selector, required affinity and taints let it; cordons and a node's momentary state do not count."""
    return kept_out(spec, node) == ""


def kept_out(spec: PodSpec, node: Node) -> str:
    """What keeps such a pod away from the node, in one clause, or nothing."""
    labels = _labels(node)
    for key, value in sorted(spec.node_selector.items()):
        if labels.get(key) != value:
            return f"its node selector wants {key}={value}"
    if spec.node_terms and not any(term.holds(labels) for term in spec.node_terms):
        return "its node affinity leaves the node out"
    taint = untolerated(node.taints, spec.tolerations)
    return f"it does not tolerate the taint {taint}" if taint is not None else ""


def _labels(node: Node) -> dict[str, str]:
    """The node's labels, the well-known ones even where its kubelet alone tells them, and its name as a field."""
    known = {OS: node.os, ARCH: node.arch, **({COMPUTE_TYPE: node.compute_type} if node.compute_type else {})}
    return {**known, **node.labels, NAME_FIELD: node.name}
