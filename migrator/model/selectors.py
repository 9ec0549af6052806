"""Label selectors as Kubernetes has them."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One requirement on a label; `operator` is In, NotIn, Exists or DoesNotExist."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    @property
    def of_absence(self) -> bool:
        """Whether something without the label meets it."""
        return self.operator in {"NotIn", "DoesNotExist"}

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether these labels meet it."""
        if self.operator in {"Exists", "DoesNotExist"}:
            return (self.key in labels) == (self.operator == "Exists")
        return (labels.get(self.key) in self.values) == (self.operator == "In")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSelector:
    """All requirements must be met; without any it selects everything."""

    requirements: tuple[Requirement, ...] = ()

    def selects(self, labels: Mapping[str, str]) -> bool:
        """Whether something with these labels is selected."""
        return all(requirement.holds(labels) for requirement in self.requirements)
