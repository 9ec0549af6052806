"""Policies of buckets, keys and queues, made ready for the rules: those that rest on what differs after the move.

An account may have tens of thousands of them, of which hardly any does: each is looked at once, for all services.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from migrator.model.facts import Unread
from migrator.model.resource_policies import ResourcePolicies, ResourcePolicy
from migrator.model.role_session import keyed
from migrator.model.trust.document import TrustUnreadable, parse
from migrator.model.trust.parties import Statement, named

SKIPPED = Unread(what="policies of buckets and the like", why='the fleet file says "policy.resource_policies: skip"')


@dataclass(frozen=True, slots=True)
class Resource:
    """A thing with a policy, and all the statements of that."""

    policy: ResourcePolicy
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """Those that the rules look at, by ARN; and what was not read of an account, or of all."""

    keyed: tuple[Resource, ...] = ()
    unread: Mapping[str, tuple[Unread, ...]] = field(default_factory=dict)
    skipped: bool = False

    def unread_of(self, account: str) -> tuple[Unread, ...]:
        """What to tell the services of an account's clusters."""
        return (SKIPPED,) if self.skipped else self.unread.get(account, ())


NO_RESOURCES = Resources()


def resources(read: ResourcePolicies) -> Resources:
    """What the rules need of what was read; a document that is not understood is told of as unread."""
    unread: dict[str, list[Unread]] = defaultdict(list)
    for account, told in read.unread.items():
        unread[account] += told
    found = []
    for policy in sorted(read.found):
        try:
            statements = tuple(named(parse(policy.document)))
        except TrustUnreadable as error:
            problem = error.message.replace("the trust policy", "it")
            unread[policy.account].append(Unread(what=f"policy of {policy.kind} {policy.arn}", why=problem))
            continue
        if any(map(keyed, statements)):
            found.append(Resource(policy, statements))
    return Resources(keyed=tuple(found), unread={account: tuple(told) for account, told in unread.items()})
