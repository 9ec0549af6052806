"""Our own statements in a trust policy: how they look, how they are recognised, how they are put back among the others.

They are recognised by name *and* form: a `Sid` that begins with `IrsaMigrator`, and exactly the content written here.
One that somebody changed has become theirs. One statement holds the ServiceAccounts of one namespace of one cluster, so
that the values of its conditions never admit a pair nobody asked for.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

from migrator.model.facts import Json
from migrator.model.trust_document import as_list, minified, same_policy, statements
from migrator.model.trust_match import ACTIONS, CLUSTER_TAG, NAME_TAG, NAMESPACE_TAG, SERVICE

SID_PREFIX = "IrsaMigrator"


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """Whom a statement of ours lets in: one ServiceAccount of one cluster."""

    cluster_arn: str
    namespace: str
    name: str

    @property
    def account(self) -> str:
        """The cluster's account."""
        return self.cluster_arn.split(":")[4]


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """One of our statements: what it is about, and the very object in the document while it is unchanged."""

    cluster_arn: str
    namespace: str
    sid: str
    names: frozenset[str]
    body: Mapping[str, Json] | None = None

    def about(self, subject: Subject) -> bool:
        """Whether the subject belongs into this statement."""
        return (self.cluster_arn, self.namespace) == (subject.cluster_arn, subject.namespace)

    def with_names(self, names: frozenset[str]) -> "Own":
        """The same statement for other ServiceAccounts."""
        return self if names == self.names else replace(self, names=names, body=None)

    def written(self) -> Mapping[str, Json]:
        """The statement as it goes into the document."""
        return self.body or _statement(self.sid, self.cluster_arn, self.namespace, sorted(self.names))


def split(data: Mapping[str, Json]) -> tuple[list[Mapping[str, Json]], list[Own]]:
    """The statements of others, in their order, and ours, sorted by what they are about."""
    judged = [(statement, own_statement(statement)) for statement in statements(data)]
    foreign: list[Mapping[str, Json]] = [statement for statement, own in judged if own is None]
    return foreign, sorted((own for _, own in judged if own is not None), key=_order)


def with_subject(own: Sequence[Own], subject: Subject, foreign: Sequence[Mapping[str, Json]]) -> list[Own]:
    """Our statements with the subject in the one it belongs to, or in a new one."""
    home = next((one for one in own if one.about(subject)), None)
    if home is None:
        return [*own, new_statement(subject, foreign, own).with_names(frozenset({subject.name}))]
    return [one.with_names(one.names | {subject.name}) if one is home else one for one in own]


def joined(data: Mapping[str, Json], foreign: Sequence[Mapping[str, Json]], own: Sequence[Own]) -> dict[str, Json]:
    """The document anew: the statements of others first, as they are, then ours in order."""
    return {**data, "Statement": [*foreign, *(one.written() for one in sorted(own, key=_order))]}


def unchanged(now: Mapping[str, Json], then: Mapping[str, Json]) -> bool:
    """Whether others have left everything of theirs to the letter as it was, and ours lets the same subjects in.

    A single statement without its list is the same as a list of one: that form is lost as soon as ours joins it.
    """
    return _apart(now) == _apart(then)


def _apart(data: Mapping[str, Json]) -> tuple[str, list[tuple[str, str, str, list[str]]]]:
    foreign, own = split(data)
    return minified({**data, "Statement": foreign}), [(*_order(one), sorted(one.names)) for one in own]


def _order(own: Own) -> tuple[str, str, str]:
    return own.cluster_arn, own.namespace, own.sid


def new_statement(subject: Subject, foreign: Sequence[Mapping[str, Json]], own: Sequence[Own]) -> Own:
    """A statement for the subject's namespace, still without names; nobody in the document bears its Sid."""
    taken = {str(statement.get("Sid")) for statement in foreign} | {one.sid for one in own}
    about = f"{subject.cluster_arn}\n{subject.namespace}"
    digests = (hashlib.sha256(f"{about}\n{attempt}".encode()).hexdigest() for attempt in count())
    sid = next(sid for sid in (SID_PREFIX + digest[:12] for digest in digests) if sid not in taken)
    return Own(cluster_arn=subject.cluster_arn, namespace=subject.namespace, sid=sid, names=frozenset())


def _statement(sid: str, cluster_arn: str, namespace: str, names: Sequence[str]) -> dict[str, Json]:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": SERVICE},
        "Action": list(ACTIONS),
        "Condition": {
            "StringEquals": {
                CLUSTER_TAG: cluster_arn,
                NAMESPACE_TAG: namespace,
                NAME_TAG: names[0] if len(names) == 1 else list(names),
            }
        },
    }


def own_statement(statement: Mapping[str, Json]) -> Own | None:
    """The statement as one of ours, or None when name or form say that it is not."""
    sid = statement.get("Sid")
    if not isinstance(sid, str) or not sid.startswith(SID_PREFIX):
        return None
    arns, namespaces, names = _tags(statement.get("Condition"))
    if len(arns) != 1 or len(namespaces) != 1 or not names:
        return None
    expected = minified({"Statement": _statement(sid, arns[0], namespaces[0], sorted(names))})
    if not same_policy(minified({"Statement": statement}), expected):
        return None
    return Own(cluster_arn=arns[0], namespace=namespaces[0], sid=sid, names=frozenset(names), body=statement)


def _tags(condition: Json) -> tuple[list[str], list[str], list[str]]:
    """The values our conditions compare with; empty lists where something else stands."""
    equals = condition.get("StringEquals") if isinstance(condition, Mapping) else None
    found = [as_list(equals.get(key)) if isinstance(equals, Mapping) else [] for key in _TAG_KEYS]
    arns, namespaces, names = ([] if any(not isinstance(item, str) for item in values) else values for values in found)
    return arns, namespaces, names


_TAG_KEYS = (CLUSTER_TAG, NAMESPACE_TAG, NAME_TAG)
