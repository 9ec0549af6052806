"""What looking for clusters over accounts and regions comes to."""

from dataclasses import dataclass
from enum import StrEnum

from migrator.model.fleet import FleetCluster


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """One region of one account."""

    account: str
    region: str


@dataclass(frozen=True, slots=True, order=True)
class Listed:
    """A cluster that EKS lists there, by its name."""

    place: Place
    name: str


@dataclass(frozen=True, slots=True, order=True)
class Unreached:
    """A place that could not be looked at, and why."""

    place: Place
    why: str


class Known(StrEnum):
    """How a cluster stands to the fleet file: to be added, in it, or in it and no longer listed."""

    NEW = "new"
    KNOWN = "known"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Entry:
    """A cluster of the fleet file, or one that belongs into it."""

    cluster: FleetCluster
    known: Known
