"""What a statement of a policy is about: actions and resources, as patterns that are compared with other patterns."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from migrator.model.facts import Json
from migrator.model.trust.document import as_list, text_of
from migrator.model.wildcards import matches, overlaps

_VARIABLE = re.compile(r"\$\{[^}]*\}")


@dataclass(frozen=True, slots=True)
class Scope:
    """Patterns of actions, in lower case, and of resources; `whole` unless it may be about less than they say."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    whole: bool

    def covers(self, other: "Scope") -> bool:
        """Whether it is surely about all that the other one is about."""
        return self.whole and _all(self.actions, other.actions) and _all(self.resources, other.resources)

    def meets(self, other: "Scope") -> bool:
        """Whether both may be about the same."""
        return _any(self.actions, other.actions) and _any(self.resources, other.resources)


def scope_of(body: Mapping[str, Json], own: str = "") -> Scope:
    """The scope of a statement; one that says what it is not about may be about anything.

    Args:
        body: the statement.
        own: ARN of the thing whose policy it stands in, which alone is meant there by `*`.
    """
    actions = [text_of(action).lower() for action in as_list(body.get("Action", "*"))]
    written = [text_of(resource) for resource in as_list(body.get("Resource", "*"))]
    whole = not {"NotAction", "NotResource"} & body.keys() and not any(map(_VARIABLE.search, written))
    resources = [_VARIABLE.sub("*", one) for one in written]
    if own:
        itself = [own, f"{own}/*"] if ":s3:" in own else [own]  # a bucket's policy is about its objects too
        resources = [pattern for one in resources for pattern in (itself if one == "*" else [one])]
    return Scope(tuple(actions), tuple(resources), whole)


def _all(patterns: tuple[str, ...], others: tuple[str, ...]) -> bool:
    return all(any(matches(pattern, other) for pattern in patterns) for other in others)


def _any(patterns: tuple[str, ...], others: tuple[str, ...]) -> bool:
    return any(overlaps(pattern, other) for pattern in patterns for other in others)
