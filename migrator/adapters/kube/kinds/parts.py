"""What several of these kinds have in common."""

from msgspec import Struct

from migrator.adapters.kube.structs import Expression, Labels, Meta
from migrator.model.selectors import LabelSelector, Requirement
from migrator.model.surroundings import ObjectRef


class Selector(Struct, rename="camel", frozen=True):
    """A label selector."""

    match_labels: Labels = None
    match_expressions: list[Expression] | None = None


class AccountRef(Struct, frozen=True):
    """A serviceAccountRef."""

    name: str = ""
    namespace: str = ""


def selector(found: Selector) -> LabelSelector:
    """The fact for a label selector; matchLabels first, by key."""
    equal = [
        Requirement(key=key, operator="In", values=(value,))
        for key, value in sorted((found.match_labels or {}).items())
    ]
    others = [
        Requirement(key=one.key, operator=one.operator, values=tuple(one.values or ()))
        for one in found.match_expressions or ()
    ]
    return LabelSelector(requirements=(*equal, *others))


def ref(kind: str, meta: Meta) -> ObjectRef:
    """Which object."""
    return ObjectRef(kind=kind, namespace=meta.namespace, name=meta.name)
