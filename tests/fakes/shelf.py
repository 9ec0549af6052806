"""Policies of buckets and the like that are simply there."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from migrator.model.resource_policies import ResourcePolicies


@dataclass
class Shelf:
    """A `ResourceReader`; `asked` are the places of each reading."""

    holds: ResourcePolicies = field(default_factory=ResourcePolicies)
    asked: list[list[tuple[str, str]]] = field(default_factory=list)

    def read(self, places: Iterable[tuple[str, str]]) -> ResourcePolicies:
        self.asked.append(sorted(places))
        return self.holds
