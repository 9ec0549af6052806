"""What decides on which nodes a pod may run: taints, tolerations, required node affinity, as the scheduler judges them.

Source: the Kubernetes documentation, "Assigning Pods to Nodes" and "Taints and Tolerations".
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

_REPELLING = frozenset({"NoSchedule", "NoExecute"})
_OF_ITS_CONDITION = "node.kubernetes.io/"  # put on and taken off by the node's own state


@dataclass(frozen=True, slots=True, kw_only=True)
class Taint:
    """A node's taint; `effect` is NoSchedule, PreferNoSchedule or NoExecute."""

    key: str
    value: str = ""
    effect: str = "NoSchedule"

    @property
    def repels(self) -> bool:
        """Whether it keeps pods away for good: not only as long as the node is in some state, nor as a preference."""
        return self.effect in _REPELLING and not self.key.startswith(_OF_ITS_CONDITION)

    def __str__(self) -> str:
        """As kubectl writes it."""
        return f"{self.key}={self.value}:{self.effect}" if self.value else f"{self.key}:{self.effect}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Toleration:
    """A pod's toleration; an empty key with `Exists` tolerates everything, an empty effect every effect."""

    key: str = ""
    operator: str = "Equal"
    value: str = ""
    effect: str = ""

    def covers(self, taint: Taint) -> bool:
        """Whether a pod with it may run in spite of the taint."""
        if self.effect not in {"", taint.effect} or self.key not in {"", taint.key}:
            return False
        return self.operator == "Exists" or (self.key != "" and self.value == taint.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One expression of a node affinity: a label, or `metadata.name` as a field, compared by the operator."""

    key: str
    operator: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeTerm:
    """One term of a required node affinity: all its requirements must hold, and an empty one never does."""

    requirements: tuple[Requirement, ...] = ()

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether a node with these labels, its name under `metadata.name`, is one of those it means."""
        return bool(self.requirements) and all(
            _JUDGES[one.operator](labels.get(one.key), one.values)
            for one in self.requirements
            if one.operator in _JUDGES
        )


def untolerated(taints: Iterable[Taint], tolerations: Iterable[Toleration]) -> Taint | None:
    """The first taint that keeps a pod with these tolerations away, or None."""
    tolerated = tuple(tolerations)
    return next((taint for taint in taints if taint.repels and not any(t.covers(taint) for t in tolerated)), None)


def _number(text: str | None) -> int | None:
    try:
        return int(text) if text is not None else None
    except ValueError:
        return None


def _compared(judge: Callable[[int, int], bool]) -> Callable[[str | None, tuple[str, ...]], bool]:
    def holds(value: str | None, values: tuple[str, ...]) -> bool:
        one, other = _number(value), _number(values[0] if values else None)
        return one is not None and other is not None and judge(one, other)

    return holds


_JUDGES: Mapping[str, Callable[[str | None, tuple[str, ...]], bool]] = {
    "In": lambda value, values: value in values,
    "NotIn": lambda value, values: value not in values,
    "Exists": lambda value, _values: value is not None,
    "DoesNotExist": lambda value, _values: value is None,
    "Gt": _compared(lambda one, other: one > other),
    "Lt": _compared(lambda one, other: one < other),
}
