"""Pure edits of trust policies: JSON text in, JSON text out.

An edit touches our own statements only. Those are recognised by name *and* form: a `Sid` that begins with
`IrsaMigrator`, and exactly the content written here; a statement of ours that somebody changed has become theirs.
Everything else in the document stays as it is: order, scalar or list, unknown keys, `Version`. One statement of ours
holds the ServiceAccounts of one namespace of one cluster, so that the values of its conditions never admit a pair
nobody asked for; its name follows from cluster and namespace, and ours stand last, in order, so that two services of
one role may be merged in either order. Source: the EKS user guide's pages on the role of a pod identity association
and on its session tags.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

from migrator.model.facts import Json
from migrator.model.trust_document import TrustUnreadable, as_list, minified, parse, same_policy, statements
from migrator.model.trust_document import size as characters
from migrator.model.trust_match import (
    ACTIONS,
    CLUSTER_TAG,
    NAME_TAG,
    NAMESPACE_TAG,
    SERVICE,
    IrsaKind,
    IrsaMatch,
    Trusted,
    allows_pod_identity,
    irsa_match,
    subjects,
)

__all__ = [
    "QUOTA",
    "IrsaKind",
    "IrsaMatch",
    "Merged",
    "Removed",
    "Subject",
    "TrustUnreadable",
    "Trusted",
    "allows",
    "allows_pod_identity",
    "irsa_match",
    "merge",
    "ours",
    "remove",
    "same_policy",
    "size",
    "statement_for",
    "subjects",
]

SID_PREFIX = "IrsaMigrator"
QUOTA = 2048  # characters; the default of quota L-C07B4B0D, which an account may have raised


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
class Merged:
    """The document with the subject let in; `size` in characters as the quota counts them."""

    document: str
    changed: bool
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """The document without our subject; `empty` when no statement is left, which IAM would refuse."""

    document: str
    changed: bool
    size: int
    empty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Own:
    """One of our statements: what it is about, and the very object in the document while it is unchanged."""

    cluster_arn: str
    namespace: str
    sid: str
    names: frozenset[str]
    body: Mapping[str, Json] | None = None

    def about(self, subject: Subject) -> bool:
        """Whether the subject belongs into this statement."""
        return (self.cluster_arn, self.namespace) == (subject.cluster_arn, subject.namespace)

    def with_names(self, names: frozenset[str]) -> "_Own":
        """The same statement for other ServiceAccounts."""
        return self if names == self.names else replace(self, names=names, body=None)

    def written(self) -> Mapping[str, Json]:
        """The statement as it goes into the document."""
        return self.body or _statement(self.sid, self.cluster_arn, self.namespace, sorted(self.names))


def allows(document: str, subject: Subject) -> bool:
    """Whether the document surely lets the subject in through Pod Identity, by whoever's statement.

    Raises:
        TrustUnreadable: the document is no trust policy.
    """
    return allows_pod_identity(document, subject.cluster_arn, subject.namespace, subject.name, subject.account)


def merge(document: str, subject: Subject) -> Merged:
    """Lets the subject in, unless it surely is already; the same twice, and the same in any order of subjects.

    Raises:
        TrustUnreadable: the document is no trust policy.
    """
    data = parse(document)
    if allows(document, subject) or subject in ours(document):
        return Merged(document=document, changed=False, size=characters(data))
    foreign, own = _split(data)
    home = next((one for one in own if one.about(subject)), None) or _new(subject, foreign, own)
    others = [one for one in own if one is not home]
    made = _joined(data, foreign, [*others, home.with_names(home.names | {subject.name})])
    return Merged(document=minified(made), changed=True, size=characters(made))


def remove(document: str, subject: Subject, before_image: str | None = None) -> Removed:
    """Takes our word for the subject out; gives `before_image` itself back when nothing else has changed since.

    Raises:
        TrustUnreadable: the document is no trust policy.
    """
    data = parse(document)
    if subject not in ours(document):
        return Removed(document=document, changed=False, size=characters(data), empty=not statements(data))
    foreign, own = _split(data)
    left = [one.with_names(one.names - {subject.name}) if one.about(subject) else one for one in own]
    made = _joined(data, foreign, [one for one in left if one.names])
    text = minified(made)
    if before_image is not None and same_policy(text, before_image):
        text = before_image
    return Removed(document=text, changed=True, size=characters(parse(text)), empty=not statements(made))


def ours(document: str) -> frozenset[Subject]:
    """The subjects that statements of ours let in.

    Raises:
        TrustUnreadable: the document is no trust policy.
    """
    _, own = _split(parse(document))
    return frozenset(Subject(one.cluster_arn, one.namespace, name) for one in own for name in one.names)


def size(document: str) -> int:
    """The document's length in characters as the quota counts them.

    Raises:
        TrustUnreadable: the document is no trust policy.
    """
    return characters(parse(document))


def statement_for(subject: Subject) -> dict[str, Json]:
    """The statement that lets in this one subject and nobody else."""
    return dict(_new(subject, [], []).with_names(frozenset({subject.name})).written())


def _split(data: Mapping[str, Json]) -> tuple[list[Mapping[str, Json]], list[_Own]]:
    """The statements of others, in their order, and ours, sorted by what they are about."""
    judged = [(statement, _own(statement)) for statement in statements(data)]
    foreign: list[Mapping[str, Json]] = [statement for statement, own in judged if own is None]
    return foreign, sorted((own for _, own in judged if own is not None), key=_order)


def _joined(data: Mapping[str, Json], foreign: Sequence[Mapping[str, Json]], own: Sequence[_Own]) -> dict[str, Json]:
    return {**data, "Statement": [*foreign, *(one.written() for one in sorted(own, key=_order))]}


def _order(own: _Own) -> tuple[str, str, str]:
    return own.cluster_arn, own.namespace, own.sid


def _new(subject: Subject, foreign: Sequence[Mapping[str, Json]], own: Sequence[_Own]) -> _Own:
    """A statement for the subject's namespace, still without names; nobody in the document bears its Sid."""
    taken = {str(statement.get("Sid")) for statement in foreign} | {one.sid for one in own}
    about = f"{subject.cluster_arn}\n{subject.namespace}"
    digests = (hashlib.sha256(f"{about}\n{attempt}".encode()).hexdigest() for attempt in count())
    sid = next(sid for sid in (SID_PREFIX + digest[:12] for digest in digests) if sid not in taken)
    return _Own(cluster_arn=subject.cluster_arn, namespace=subject.namespace, sid=sid, names=frozenset())


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


def _own(statement: Mapping[str, Json]) -> _Own | None:
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
    return _Own(cluster_arn=arns[0], namespace=namespaces[0], sid=sid, names=frozenset(names), body=statement)


def _tags(condition: Json) -> tuple[list[str], list[str], list[str]]:
    """The values our conditions compare with; empty lists where something else stands."""
    equals = condition.get("StringEquals") if isinstance(condition, Mapping) else None
    found = [as_list(equals.get(key)) if isinstance(equals, Mapping) else [] for key in _TAG_KEYS]
    arns, namespaces, names = ([] if any(not isinstance(item, str) for item in values) else values for values in found)
    return arns, namespaces, names


_TAG_KEYS = (CLUSTER_TAG, NAMESPACE_TAG, NAME_TAG)
