"""Whom the statements of a trust policy are about: principals of every kind, and the subjects they are narrowed to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from migrator.model.facts import Json
from migrator.model.trust.conditions import Entry, entries
from migrator.model.trust.document import as_list, parse, statements, text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """One principal that an Allow statement names, with the subjects it is narrowed to (empty: all of them)."""

    statement: str
    kind: str  # Federated, Service, AWS, CanonicalUser, or * for everybody
    principal: str
    subjects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as it stands, with what people call it: its Sid, else its position from 0."""

    label: str
    body: Mapping[str, Json]

    @property
    def condition(self) -> tuple[Entry, ...]:
        """The lines of its Condition block."""
        return tuple(entries(self.body.get("Condition")))


def subject_of(namespace: str, name: str) -> str:
    """A ServiceAccount as its tokens name it."""
    return f"system:serviceaccount:{namespace}:{name}"


def provider_arn(issuer_host: str, account: str, partition: str) -> str:
    """The IAM OIDC provider of a cluster in the role's account."""
    return f"arn:{partition}:iam::{account}:oidc-provider/{issuer_host}"


def subjects(document: str) -> tuple[Trusted, ...]:
    """Everybody the Allow statements name, in the document's order.

    Raises:
        TrustUnreadable: the document is no trust policy.
    """
    return tuple(
        Trusted(statement=s.label, kind=kind, principal=principal, subjects=_subjects_asked(s.body))
        for s in named(parse(document))
        if s.body.get("Effect") == "Allow"
        for kind, principal in principals(s.body.get("Principal"))
    )


def named(data: Mapping[str, Json]) -> list[Statement]:
    """The statements of a parsed document, in its order."""
    return [Statement(str(body.get("Sid", position)), body) for position, body in enumerate(statements(data))]


def principals(value: Json) -> Iterator[tuple[str, str]]:
    """Kind and name of each; `*` and `{"AWS": "*"}` are the same everybody."""
    if isinstance(value, Mapping):
        for kind, names in value.items():
            for name in as_list(names):
                yield ("*", "*") if (kind, name) == ("AWS", "*") else (kind, text_of(name))
    elif value is not None:
        yield "*", text_of(value)


def _subjects_asked(body: Mapping[str, Json]) -> tuple[str, ...]:
    asked = (entry for entry in entries(body.get("Condition")) if entry.key.lower().endswith(":sub"))
    return tuple(value for entry in asked for value in entry.values)
