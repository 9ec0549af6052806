"""Whether a pod of some spec may run on a node, as far as both tell: the filters of the scheduler, not its wishes."""

from migrator.model.facts import Node, PodSpec
from migrator.model.placement import untolerated

NAME_FIELD = "metadata.name"


def may_run(spec: PodSpec, node: Node) -> bool:
    """Whether node selector, required affinity and taints let it; cordons and a node's momentary state do not count."""
    return kept_out(spec, node) == ""


def kept_out(spec: PodSpec, node: Node) -> str:
    """What keeps such a pod away from the node, in one clause, or nothing."""
    for key, value in sorted(spec.node_selector.items()):
        if node.labels.get(key) != value:
            return f"its node selector wants {key}={value}"
    labels = {**node.labels, NAME_FIELD: node.name}
    if spec.node_terms and not any(term.holds(labels) for term in spec.node_terms):
        return "its node affinity leaves the node out"
    taint = untolerated(node.taints, spec.tolerations)
    return f"it does not tolerate the taint {taint}" if taint is not None else ""
