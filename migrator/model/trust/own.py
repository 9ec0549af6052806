"""Our own statements in a trust policy: how they look, how they are recognised, how they are put back among the others.

They are recognised by name *and* form: a `Sid` that begins with `IrsaMigrator`, and exactly the content written here.
One that somebody changed has become theirs. Which statements there are follows from whom they let in and nothing else
(see `boxes`), so that services may come and go in any order.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count, groupby, product

from migrator.model.facts import Json
from migrator.model.trust.boxes import Box, boxes
from migrator.model.trust.conditions import entries
from migrator.model.trust.document import as_list, minified, same_policy, size, statements
from migrator.model.trust.hop import by_external_id, hop_statement, is_hop_line, path_of
from migrator.model.trust.match import ACTIONS, CLUSTER_TAG, NAME_TAG, NAMESPACE_TAG, SERVICE
from migrator.model.trust.subject import Carried, Scope, Subject, carriable, carried

SID_PREFIX = "IrsaMigrator"
_TAG_KEYS = (CLUSTER_TAG, NAMESPACE_TAG, NAME_TAG)
_ASKED = {Scope.SERVICE: 3, Scope.CLUSTER: 1, Scope.NONE: 0}  # how many of the tags a statement asks for


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """One of our statements: whom it lets in, and the very object in the document while it is unchanged.

    `box`: what cluster, namespace and ServiceAccount are compared with, as far as `scope` asks for them.
    """

    scope: Scope
    carried: Carried
    box: Box
    sid: str
    path: str = ""
    tagged: bool = True
    body: Mapping[str, Json] | None = None

    @property
    def shares(self) -> frozenset[Subject]:
        """Every share that the statement is."""
        arns, namespaces, names = [*self.box, ("",), ("",), ("",)][:3]
        return frozenset(
            Subject(arn, namespace, name, self.scope, self.carried, self.path, self.tagged)
            for arn, namespace, name in product(arns, namespaces, names)
        )

    @property
    def bare(self) -> "Own":
        """The same without the conditions that were carried over."""
        return replace(self, carried=(), body=None) if self.carried else self

    def written(self) -> Mapping[str, Json]:
        """The statement as it goes into the document."""
        return self.body or _statement(self)


def split(data: Mapping[str, Json]) -> tuple[list[Mapping[str, Json]], list[Own]]:
    """The statements of others, in their order, and ours, sorted by what they are about."""
    judged = [(statement, own_statement(statement)) for statement in statements(data)]
    foreign: list[Mapping[str, Json]] = [statement for statement, own in judged if own is None]
    return foreign, sorted((own for _, own in judged if own is not None), key=_order)


def shares_of(own: Iterable[Own]) -> frozenset[Subject]:
    """Every share that these statements are."""
    return frozenset(share for one in own for share in one.shares)


def joined(data: Mapping[str, Json], foreign: Sequence[Mapping[str, Json]], own: Iterable[Own]) -> dict[str, Json]:
    """The document anew: the statements of others first, as they are, then ours in order."""
    return {**data, "Statement": [*foreign, *(one.written() for one in sorted(own, key=_order))]}


def packed(
    shares: Iterable[Subject], foreign: Sequence[Mapping[str, Json]] = (), standing: Iterable[Own] = ()
) -> list[Own]:
    """The statements that let in exactly these, under names that nobody else in the document bears.

    One that stands already is kept as it is written.
    """
    taken = {str(statement.get("Sid")) for statement in foreign}
    known = {(one.sid, one.shares): one for one in standing}
    made: list[Own] = []
    for kind, group in groupby(sorted(shares, key=_kind), key=_kind):
        for box in _boxes(kind, group):
            sid = next(sid for sid in _sids(kind, box) if sid not in taken)
            taken.add(sid)
            new = _own(kind, box, sid)
            made.append(known.get((sid, new.shares), new))
    return made


_Kind = tuple[Scope, Carried, str, bool]  # what services of one statement have in common; the last two: by which hop


def _kind(share: Subject) -> _Kind:
    return share.scope, share.carried, share.path, share.tagged


def _own(kind: _Kind, box: Box, sid: str) -> Own:
    scope, conditions, path, tagged = kind
    return Own(scope=scope, carried=conditions, box=box, sid=sid, path=path, tagged=tagged)


def _boxes(kind: _Kind, shares: Iterable[Subject]) -> Sequence[Box]:
    asked = _ASKED[kind[0]]
    cells = {(one.cluster_arn, one.namespace, one.name)[:asked] for one in shares}
    if not asked:
        return [()]

    def weight(box: Box) -> int:
        return size(_statement(_own(kind, box, SID_PREFIX)))

    return boxes(cells, weight)


def _sids(kind: _Kind, box: Box) -> Iterable[str]:
    """Names that follow from the first of what the statement is about."""
    scope, conditions, path, tagged = kind
    about = "\n".join([values[0] for values in box[:2]])
    if conditions or scope is not Scope.SERVICE:
        about = f"{scope}\n{conditions}\n{about}"
    if path:
        about = f"{path}\n{tagged}\n{about}"
    return (SID_PREFIX + hashlib.sha256(f"{about}\n{attempt}".encode()).hexdigest()[:12] for attempt in count())


def unchanged(now: Mapping[str, Json], then: Mapping[str, Json]) -> bool:
    """Whether others have left everything of theirs to the letter as it was, and ours lets the same subjects in.

    A single statement without its list is the same as a list of one: that form is lost as soon as ours joins it.
    """
    return _apart(now) == _apart(then)


def _apart(data: Mapping[str, Json]) -> tuple[str, frozenset[Subject]]:
    foreign, own = split(data)
    return minified({**data, "Statement": foreign}), shares_of(own)


def _order(own: Own) -> tuple[int, Carried, str, bool, Box, str]:
    return _ASKED[own.scope], own.carried, own.path, own.tagged, own.box, own.sid


def _statement(own: Own) -> dict[str, Json]:
    block = Subject("", "", "", own.scope, own.carried).condition
    if own.path:
        return hop_statement(own.sid, own.box, path=own.path, tagged=own.tagged, more=block)
    tags = {key: _scalar(values) for key, values in zip(_TAG_KEYS, own.box, strict=False)}
    if tags:
        block = {"StringEquals": tags, **block}
    made = {"Sid": own.sid, "Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": list(ACTIONS)}
    return {**made, "Condition": block} if block else made


def _scalar(values: Sequence[str]) -> Json:
    return values[0] if len(values) == 1 else list(values)


def own_statement(statement: Mapping[str, Json]) -> Own | None:
    """The statement as one of ours, or None when name or form say that it is not."""
    sid, condition = statement.get("Sid"), statement.get("Condition")
    if not isinstance(sid, str) or not sid.startswith(SID_PREFIX):
        return None
    path, spelled = path_of(statement), by_external_id(statement)
    box = spelled if path and spelled else _tags(condition)
    rest = [line for line in entries(condition) if not _is_own(line.operator, line.key, path)]
    scope = next((scope for scope, asked in _ASKED.items() if box is not None and len(box) == asked), None)
    if box is None or scope is None or not all(map(carriable, rest)):
        return None
    own = replace(_own((scope, carried(rest), path, box is not spelled), box, sid), body=statement)
    if path and scope is not Scope.SERVICE:
        return None
    if not same_policy(minified({"Statement": statement}), minified({"Statement": _statement(own)})):
        return None
    return own


def _is_own(operator: str, key: str, path: str) -> bool:
    return (operator == "StringEquals" and key in _TAG_KEYS) or (bool(path) and is_hop_line(operator, key))


def _tags(condition: Json) -> Box | None:
    """The values our conditions compare with, as many as there are; None where something else stands."""
    equals = condition.get("StringEquals", {}) if isinstance(condition, Mapping) else {}
    found = [as_list(equals[key]) for key in _TAG_KEYS if key in equals] if isinstance(equals, Mapping) else []
    if any(not values or any(not isinstance(item, str) for item in values) for values in found):
        return None
    return tuple(tuple(sorted(set(values))) for values in found)
