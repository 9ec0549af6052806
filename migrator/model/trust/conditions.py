"""Conditions of a trust policy judged against what is known of a request: surely met, surely not, or not to be told.

Sources: the IAM user guide's pages on condition operators, on set operators, on `...IfExists` and on policy variables.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from migrator.model.facts import Json
from migrator.model.trust.document import as_list, text_of
from migrator.model.wildcards import matches, overlaps


class Sure(IntEnum):
    """Three-valued truth: `min` is and, `max` is or."""

    NO = 0
    MAYBE = 1
    YES = 2

    def negated(self) -> "Sure":
        """Not, which leaves MAYBE as it is."""
        return Sure(2 - self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is known of a request's condition keys, all in lower case."""

    values: Mapping[str, tuple[str, ...]]
    present: frozenset[str] = frozenset()  # surely there, with values nobody knows yet
    begun: Mapping[str, str] = field(default_factory=dict)  # what a value begins with; it goes on without any colon
    absent: Callable[[str], bool] = field(default=lambda _key: False)

    def presence(self, key: str) -> Sure:
        """Whether the request carries the key."""
        if key in self.values or key in self.present or key in self.begun:
            return Sure.YES
        return Sure.NO if self.absent(key) else Sure.MAYBE


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a Condition block: an operator, a key, the values it is compared with."""

    operator: str
    key: str
    values: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.operator} {self.key} = {', '.join(self.values)}"


def entries(condition: Json) -> Iterator[Entry]:
    """The lines of a Condition block; one of an unheard-of form comes as an operator that nobody knows."""
    if not isinstance(condition, Mapping):
        if condition is not None:
            yield Entry(operator="Unreadable", key="", values=(text_of(condition),))
        return
    for operator, keys in condition.items():
        if not isinstance(keys, Mapping):
            yield Entry(operator="Unreadable", key=str(operator), values=(text_of(keys),))
            continue
        for key, values in keys.items():
            yield Entry(operator=operator, key=key, values=tuple(text_of(item) for item in as_list(values)))


def holds(condition: Sequence[Entry], request: Request) -> Sure:
    """Whether all lines are met."""
    return min((judge(entry, request) for entry in condition), default=Sure.YES)


def judge(entry: Entry, request: Request) -> Sure:
    """Whether one line is met."""
    quantifier, base, if_exists = _operator(entry.operator)
    key = entry.key.lower()
    presence = request.presence(key)
    if base == "null":
        return _null(entry.values, presence)
    negated, base = "not" in base, base.replace("not", "", 1)
    compare = _COMPARISONS.get(base)
    if compare is None or presence is Sure.MAYBE:
        return Sure.MAYBE
    if presence is Sure.NO:
        return Sure.YES if if_exists or _met_without_key(quantifier, negated) else Sure.NO
    if key in request.begun:
        met = max((_goes_on(base, p, request.begun[key]) for p in entry.values), default=Sure.NO)
        return met.negated() if negated else met
    return _compared(entry.values, request.values.get(key), compare, quantifier, negated)


def _operator(text: str) -> tuple[str, str, bool]:
    """Quantifier, bare operator, and whether it ends in IfExists; all in lower case."""
    quantifier, _, base = text.lower().rpartition(":")
    return quantifier, base.removesuffix("ifexists"), base.endswith("ifexists")


def _met_without_key(quantifier: str, negated: bool) -> bool:
    return quantifier == "forallvalues" or (negated and quantifier != "foranyvalue")


def _null(values: Sequence[str], presence: Sure) -> Sure:
    wanted = {value.lower() for value in values}
    if wanted == {"true"}:
        return presence.negated()
    return presence if wanted == {"false"} else Sure.MAYBE


def _compared(
    patterns: Sequence[str],
    values: Sequence[str] | None,
    compare: Callable[[str, str], bool],
    quantifier: str,
    negated: bool,
) -> Sure:
    if values is None:
        surely = compare("*", "any text at all") and "*" in patterns
        met = Sure.YES if surely else Sure.MAYBE
        return met.negated() if negated else met
    if len(values) > 1 and quantifier not in _QUANTIFIERS:
        return Sure.MAYBE
    each = [_any(patterns, value, compare) for value in values]
    judged = [met.negated() for met in each] if negated else each
    return min(judged, default=Sure.YES) if quantifier == "forallvalues" else max(judged, default=Sure.NO)


def _goes_on(base: str, pattern: str, beginning: str) -> Sure:
    """Whether a value fits of which only the beginning is known."""
    if base == "stringequalsignorecase":
        pattern, beginning = pattern.casefold(), beginning.casefold()
    if "${" in pattern or not base.startswith("string"):
        return Sure.MAYBE
    if base != "stringlike":
        return Sure.MAYBE if pattern.startswith(beginning) else Sure.NO
    if pattern.endswith("*") and matches(pattern, beginning):
        return Sure.YES
    return Sure.MAYBE if overlaps(pattern, beginning + "*", ":") else Sure.NO


def _any(patterns: Sequence[str], value: str, compare: Callable[[str, str], bool]) -> Sure:
    """A value with a policy variable in it says something only at the time of the request."""
    return max((Sure.MAYBE if "${" in p else Sure(2 * compare(p, value)) for p in patterns), default=Sure.NO)


def _equal(pattern: str, value: str) -> bool:
    return pattern == value


def _equal_in_any_case(pattern: str, value: str) -> bool:
    return pattern.casefold() == value.casefold()


def _arn(pattern: str, value: str) -> bool:
    """ARNs are compared part by part, so that a `*` never reaches over a colon of the first five."""
    parts, texts = pattern.split(":", 5), value.split(":", 5)
    return len(parts) == len(texts) == 6 and all(matches(p, t) for p, t in zip(parts, texts, strict=True))


_QUANTIFIERS = {"foranyvalue", "forallvalues"}
_COMPARISONS: Mapping[str, Callable[[str, str], bool]] = {
    "stringequals": _equal,
    "stringequalsignorecase": _equal_in_any_case,
    "stringlike": matches,
    "arnequals": _arn,
    "arnlike": _arn,
    "bool": _equal_in_any_case,
}
