"""Whom a statement of ours lets in, and how narrowly: the one thing that plan, journal and trust policy agree on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from migrator.model.facts import Json
from migrator.model.source_role import external_id, source_arn
from migrator.model.trust.conditions import Entry, entries


class Scope(StrEnum):
    """What a statement of ours is conditioned on, the narrowest first."""

    SERVICE = "service"  # cluster, namespace and ServiceAccount
    CLUSTER = "cluster"  # the cluster alone
    NONE = "none"  # nothing: every association in the role's account


Carried = tuple[tuple[str, str, tuple[str, ...]], ...]  # operator, key, values; sorted


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """One ServiceAccount of one cluster, by which scope it is let in, and the IRSA conditions carried over with it.

    With `path`, in the trust policy of a role of another account, it comes as the session of its source role of that
    path; `tagged` tells whether that session bears EKS's tags. Its scope is then its own: a source role is no wider.
    """

    cluster_arn: str
    namespace: str
    name: str
    scope: Scope = Scope.SERVICE
    carried: Carried = ()
    path: str = ""
    tagged: bool = True

    @property
    def source(self) -> str:
        """ARN of its source role; empty where EKS itself assumes the role."""
        return source_arn(self.cluster_arn, self.namespace, self.name, self.path) if self.path else ""

    @property
    def external_id(self) -> str:
        """What EKS sends instead of tags; empty with them."""
        return "" if self.tagged else external_id(self.cluster_arn, self.namespace, self.name)

    @property
    def account(self) -> str:
        """The cluster's account."""
        return self.cluster_arn.split(":")[4]

    @property
    def share(self) -> "Subject":
        """What stands for it in the document: with a wider scope, one share serves several services."""
        if self.scope is Scope.SERVICE:
            return self
        return replace(self, cluster_arn=self.cluster_arn if self.scope is Scope.CLUSTER else "", namespace="", name="")

    @property
    def condition(self) -> dict[str, dict[str, Json]]:
        """The carried conditions as a Condition block."""
        made: dict[str, dict[str, Json]] = {}
        for operator, key, values in self.carried:
            made.setdefault(operator, {})[key] = values[0] if len(values) == 1 else list(values)
        return made

    def plain(self) -> dict[str, Json]:
        """As plans and the journal keep it; what is usual is left out."""
        made: dict[str, Json] = {"cluster_arn": self.cluster_arn, "namespace": self.namespace, "name": self.name}
        if self.scope is not Scope.SERVICE:
            made["trust_conditions"] = str(self.scope)
        if self.path:
            made |= {"path": self.path, "tagged": self.tagged}
        return {**made, "carried": self.condition} if self.carried else made


def subject_from(plain: Mapping[str, Json]) -> Subject:
    """What `plain` gave."""
    return Subject(
        plain["cluster_arn"],
        plain["namespace"],
        plain["name"],
        Scope(plain.get("trust_conditions", Scope.SERVICE)),
        carried(entries(plain.get("carried"))),
        plain.get("path", ""),
        plain.get("tagged", True),
    )


def carried(lines: Iterable[Entry]) -> Carried:
    """The lines of a Condition block in the one form in which equal ones are equal."""
    return tuple(sorted((line.operator, line.key, tuple(sorted(set(line.values)))) for line in lines))


_AT_ANY_TIME = frozenset({"aws:currenttime", "aws:epochtime"})


def carriable(entry: Entry) -> bool:
    """Whether the condition says of a Pod Identity session what it said of a web identity.

    Only the time of the request is sure to be in both, with the same meaning (IAM user guide, global condition keys:
    "always included in the request context"). A policy variable may stand for anything.
    """
    operator = entry.operator.lower()
    timed = operator.startswith(("date", "numeric")) and entry.key.lower() in _AT_ANY_TIME
    return timed and bool(entry.values) and not any("${" in value for value in entry.values)
