"""Policies that hang on buckets, keys, queues and the like, as their services give them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from migrator.model.facts import Unread


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ResourcePolicy:
    """One of them; `kind` is what people call such a thing: "S3 bucket". The document is JSON text.

    `decides` where nobody is let in without its word, as with KMS keys: elsewhere what a role of the same account is
    allowed by its own policies is enough.
    """

    arn: str
    kind: str
    account: str
    document: str
    decides: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourcePolicies:
    """What was read of the accounts of a fleet's clusters, and by account what was not."""

    found: tuple[ResourcePolicy, ...] = ()
    unread: Mapping[str, tuple[Unread, ...]] = field(default_factory=dict)
