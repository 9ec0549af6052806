"""Pure edits of trust policies: JSON text in, JSON text out.

An edit touches our own statements only (see `own`). Everything else in the document stays as it is: order, scalar
or list, unknown keys, `Version`. Ours stand last, in order, and follow from whom they let in, so that two services of
one role may be merged in either order. Source: the EKS user guide's pages on the role of a pod identity
association and on its session tags.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from migrator.model.facts import Json
from migrator.model.trust.document import minified, parse, statements
from migrator.model.trust.document import size as characters
from migrator.model.trust.match import Assumer, by_agent, by_source
from migrator.model.trust.own import Own, joined, packed, shares_of, split, unchanged
from migrator.model.trust.parties import Trusted, subjects
from migrator.model.trust.subject import Scope, Subject

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

    The conditions that our own statements carry over from IRSA are taken as met: it is as narrow as before the move.

    Raises:
        TrustUnreadable: the document is no trust policy.
    """
    foreign, own = split(parse(document))
    return _let_in(subject, foreign, own)


def granted(document: str, subject: Subject) -> bool:
    """The same, by the subject's own share or by statements of others: what our other shares let in may go any time.

    Raises:
        TrustUnreadable: the document is no trust policy.
    """
    foreign, own = split(parse(document))
    return _let_in(subject, foreign, [one for one in own if subject.share in one.shares])


def standing(document: str, subject: Subject) -> Subject | None:
    """The subject as the narrowest share of ours lets it in now; None when none does.

    Raises:
        TrustUnreadable: the document is no trust policy.
    """
    foreign, own = split(parse(document))
    for scope in Scope:
        for share in sorted(shares_of(one for one in own if one.scope is scope)):
            wanted = replace(subject, scope=scope, carried=share.carried)
            if wanted.share == share and _let_in(subject, foreign, own):
                return wanted
    return None


def denials(document: str, subject: Subject) -> list[str]:
    """The statements that keep the subject out, or may, for people.

    Raises:
        TrustUnreadable: the document is no trust policy.
    """
    return _assumer(subject).denials(parse(document))


def _let_in(subject: Subject, foreign: Sequence[Json], own: Iterable[Own]) -> bool:
    every = {"Statement": [*foreign, *(one.bare.written() for one in own)]}
    at_home = subject.cluster_arn.split(":")[4:5] == [subject.account]
    return (at_home or bool(subject.path)) and _assumer(subject).let_in(every)


def _assumer(subject: Subject) -> Assumer:
    who = (subject.cluster_arn, subject.namespace, subject.name)
    if subject.path:
        return by_source(*who, source=subject.source, external_id=subject.external_id)
    return by_agent(*who)


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
    data = parse(document)
    foreign, own = split(data)
    there = shares_of(own)
    missing = {one.share for one in set(wanted) if one.share not in there and not _let_in(one, foreign, ())}
    if not missing:
        return Merged(document=document, changed=False, size=characters(data))
    made = joined(data, foreign, packed(there | missing, foreign, own))
    return Merged(document=minified(made), changed=True, size=characters(made))


def remove(document: str, subject: Subject, before_image: str | None = None, earlier: Iterable[str] = ()) -> Removed:
    """Takes our word for the subject out; gives an image itself back when nothing at all has changed since.

    Args:
        document: as it is now.
        subject: whose share goes; with a wide scope, whoever else it serves.
        before_image: the document as it was before the share came.
        earlier: the document as it was before shares of others came, which may be gone by now.

    Raises:
        TrustUnreadable: the document is no trust policy.
    """
    data = parse(document)
    foreign, own = split(data)
    if subject.share not in shares_of(own):
        return Removed(document=document, changed=False, size=characters(data), empty=not statements(data))
    made = joined(data, foreign, packed(shares_of(own) - {subject.share}, foreign, own))
    images = (image for image in (before_image, *earlier) if image is not None)
    text = next((image for image in images if unchanged(made, parse(image))), minified(made))
    return Removed(document=text, changed=True, size=characters(parse(text)), empty=not statements(made))


def ours(document: str) -> frozenset[Subject]:
    """The shares that statements of ours are: of a narrow scope, the subjects themselves.

    Raises:
        TrustUnreadable: the document is no trust policy.
    """
    _, own = split(parse(document))
    return shares_of(own)


def others(document: str) -> tuple[Trusted, ...]:
    """Everybody whom Allow statements that are not ours name, in the document's order.

    Raises:
        TrustUnreadable: the document is no trust policy.
    """
    foreign, _ = split(parse(document))
    return subjects(minified({"Statement": foreign}))


def size(document: str) -> int:
    """The document's length in characters as the quota counts them.

    Raises:
        TrustUnreadable: the document is no trust policy.
    """
    return characters(parse(document))


def statement_for(subject: Subject) -> dict[str, Json]:
    """The statement that lets in this one subject, by its scope, and nobody else."""
    return dict(packed([subject.share])[0].written())
