"""Structs to facts: taints, tolerations, required node affinity. Pure."""

from collections.abc import Iterator

from migrator.adapters.kube.structs import Affinity, Expression, TaintSpec, Term, TolerationSpec
from migrator.model.placement import NodeTerm, Requirement, Taint, Toleration


def taint(found: TaintSpec) -> Taint:
    """A node's taint."""
    return Taint(key=found.key, value=found.value or "", effect=found.effect)


def toleration(found: TolerationSpec) -> Toleration:
    """A pod's toleration; the API's default operator is Equal."""
    return Toleration(
        key=found.key or "", operator=found.operator or "Equal", value=found.value or "", effect=found.effect or ""
    )


def node_terms(affinity: Affinity | None) -> tuple[NodeTerm, ...]:
    """The terms of the required node affinity, if there is any."""
    node = affinity.node_affinity if affinity is not None else None
    required = node.required_during_scheduling_ignored_during_execution if node is not None else None
    terms = required.node_selector_terms or () if required is not None else ()
    return tuple(NodeTerm(requirements=tuple(_requirements(term))) for term in terms)


def _requirements(term: Term) -> Iterator[Requirement]:
    """Expressions over labels and over fields; of fields there is only the node's name."""
    for found in (*(term.match_expressions or ()), *(term.match_fields or ())):
        yield _requirement(found)


def _requirement(found: Expression) -> Requirement:
    return Requirement(key=found.key, operator=found.operator, values=tuple(found.values or ()))
