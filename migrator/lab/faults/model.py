"""A fault as it was declared, checked and with its references resolved."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from migrator.documents.yaml_file import FieldPath
from migrator.lab.faults.often import Often

Json = dict[str, Any]
KINDS = (
    "associationLate",
    "iamLate",
    "trustLate",
    "fail",
    "drop",
    "slow",
    "expire",
    "webhookMisses",
    "webhookOff",
    "crashLoop",
    "addonSick",
    "addonUpdateFails",
    "agentMissing",
    "putBack",
    "edit",
)
NEVER = float("inf")


@dataclass(frozen=True)
class RolePattern:
    """Which roles: a pattern of names, in one account or in any."""

    account: str | None
    name: str

    def fits(self, account: str, name: str) -> bool:
        """Whether a role is meant."""
        return self.account in (None, account) and fnmatchcase(name, self.name)


@dataclass(frozen=True)
class AwsCalls:
    """Which calls of AWS; what is None does not matter."""

    service: str | None
    operation: str | None
    region: str | None
    role: RolePattern | None
    service_account: str | None
    by: str


@dataclass(frozen=True)
class KubeCalls:
    """Which calls of an API server; what is None does not matter."""

    verb: str | None
    resource: str | None
    namespace: str | None
    name: str | None
    dry_run: bool | None
    by: str


@dataclass(frozen=True)
class Moment:
    """A call at which something begins, the `skip`+1-th that fits; `side` is before or after."""

    side: str
    aws: AwsCalls | None
    kube: KubeCalls | None
    skip: int


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        name: unique among those there are.
        kind: one of `KINDS`.
        given: the fields of its kind, as declared.
        cluster: alias of the only cluster it is on, or None.
        account: id of the only account it is in, or None.
        when: the call at which it begins, or None.
        after: seconds until it begins, from then on or from being switched on.
        lasting: seconds until it ends, or None.
        often: which occasions it takes.
        aws: the AWS calls it is about, of kinds that are about calls.
        kube: the Kubernetes calls it is about, of kinds that are about calls.
        role: the roles it is about, or None.
        declared: the whole entry, to be shown.
        at: where it was declared.
    """

    name: str
    kind: str
    given: Any
    cluster: str | None
    account: str | None
    when: Moment | None
    after: float
    lasting: float | None
    often: Often = field(default_factory=Often)
    aws: AwsCalls | None = None
    kube: KubeCalls | None = None
    role: RolePattern | None = None
    declared: Mapping[str, Any] = field(default_factory=dict)
    at: FieldPath = ()

    def on_cluster(self, alias: str) -> bool:
        """Whether it is about a cluster."""
        return self.cluster in (None, alias)

    def in_account(self, account: str) -> bool:
        """Whether it is about an account."""
        return self.account in (None, account)


def named(pattern: str | None, namespace: str, name: str) -> bool:
    """Whether NAMESPACE/NAME fits a pattern of that form; everything does if there is none."""
    return pattern is None or fnmatchcase(f"{namespace}/{name}", pattern)


def seconds(value: float | str | None) -> float:
    """A delay as it is written: a number, or `never`."""
    return NEVER if value == "never" else float(value or 0)
