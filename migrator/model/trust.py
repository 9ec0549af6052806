"""Pure edits of trust policies: JSON text in, JSON text out.

An edit touches our own statements only (see `trust_own`). Everything else in the document stays as it is: order, scalar
or list, unknown keys, `Version`. Ours stand last, in order, under names that follow from cluster and namespace, so that
two services of one role may be merged in either order. Source: the EKS user guide's pages on the role of a pod identity
association and on its session tags.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from migrator.model.facts import Json
from migrator.model.trust_document import TrustUnreadable, minified, parse, same_policy, statements
from migrator.model.trust_document import size as characters
from migrator.model.trust_match import IrsaKind, IrsaMatch, allows_pod_identity, irsa_match
from migrator.model.trust_own import Subject, joined, new_statement, split, unchanged, with_subject
from migrator.model.trust_parties import Trusted, subjects

__all__ = [
    "LARGEST",
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
    "merge_all",
    "ours",
    "remove",
    "same_policy",
    "size",
    "statement_for",
    "subjects",
]

QUOTA = 2048  # characters; the default of quota L-C07B4B0D, which an account may have raised
LARGEST = 8192  # the highest value that quota can be raised to


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
    return merge_all(document, (subject,))


def merge_all(document: str, wanted: Iterable[Subject]) -> Merged:
    """What merging one subject after the other comes to.

    Raises:
        TrustUnreadable: the document is no trust policy.
    """
    data, standing = parse(document), ours(document)
    missing = [one for one in sorted(set(wanted)) if one not in standing and not allows(document, one)]
    if not missing:
        return Merged(document=document, changed=False, size=characters(data))
    foreign, own = split(data)
    for subject in missing:
        own = with_subject(own, subject, foreign)
    made = joined(data, foreign, own)
    return Merged(document=minified(made), changed=True, size=characters(made))


def remove(document: str, subject: Subject, before_image: str | None = None) -> Removed:
    """Takes our word for the subject out; gives `before_image` itself back when nothing at all has changed since.

    Raises:
        TrustUnreadable: the document is no trust policy.
    """
    data = parse(document)
    if subject not in ours(document):
        return Removed(document=document, changed=False, size=characters(data), empty=not statements(data))
    foreign, own = split(data)
    left = [one.with_names(one.names - {subject.name}) if one.about(subject) else one for one in own]
    made = joined(data, foreign, [one for one in left if one.names])
    text = minified(made)
    if before_image is not None and unchanged(made, parse(before_image)):
        text = before_image
    return Removed(document=text, changed=True, size=characters(parse(text)), empty=not statements(made))


def ours(document: str) -> frozenset[Subject]:
    """The subjects that statements of ours let in.

    Raises:
        TrustUnreadable: the document is no trust policy.
    """
    _, own = split(parse(document))
    return frozenset(Subject(one.cluster_arn, one.namespace, name) for one in own for name in one.names)


def size(document: str) -> int:
    """The document's length in characters as the quota counts them.

    Raises:
        TrustUnreadable: the document is no trust policy.
    """
    return characters(parse(document))


def statement_for(subject: Subject) -> dict[str, Json]:
    """The statement that lets in this one subject and nobody else."""
    return dict(new_statement(subject, [], []).with_names(frozenset({subject.name})).written())
