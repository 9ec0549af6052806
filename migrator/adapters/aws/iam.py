"""IAM over all accounts of the fleet: reads roles, one or in bulk, and replaces trust policies.

IAM's calls take a role's *name*; the whole ARN, path included, is compared afterwards, because EKS and the webhook use
the ARN. A trust policy travels as JSON text: botocore hands it over parsed, and it is written out again in the same key
order.
"""

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from botocore.exceptions import ClientError

from migrator.adapters.aws.errors import code_of
from migrator.adapters.aws.sessions import AwsSessions
from migrator.adapters.aws.stacks import Stacks
from migrator.model.errors import EnvironmentFault, NotPermitted, Rejected
from migrator.model.facts import Role
from migrator.model.ids import RoleArn
from migrator.model.trust.document import minified, parse

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

BULK = 20  # more roles than this of one account are read with ListRoles
_PAGE = 1000
_THREADS = 8

_REASONS = {
    "LimitExceeded": (
        "too-large",
        "the trust policy is larger than the account allows",
        'shorten it, or raise the quota "role trust policy length"',
    ),
    "UnmodifiableEntity": (
        "unmodifiable",
        "only the service that owns this role may change it",
        "give the ServiceAccount a role of its own",
    ),
    "MalformedPolicyDocument": ("malformed", "IAM does not accept the trust policy", "plan again, and read the diff"),
    "NoSuchEntity": ("missing", "the role is gone", "plan again"),
}


class IamRoles:
    """The port `TrustPolicies`, and roles in bulk; the account is taken from the ARN."""

    def __init__(self, sessions: AwsSessions) -> None:
        self._sessions = sessions
        self._stacks = Stacks(sessions)
        self._last = threading.local()  # clusters are planned side by side: each is told of its own reading

    def role(self, arn: str) -> Role | None:
        """The live role whose whole ARN is `arn`; None if its name is free or its path differs."""
        parsed = RoleArn.parse(arn)
        if parsed is None:
            return None
        doing = f'reading role "{arn}"'
        found = self._get(self._sessions.iam(parsed.account, parsed.partition), parsed.name, doing)
        return found if found is not None and found.arn == arn else None

    def roles(self, arns: Iterable[str]) -> Mapping[str, Role]:
        """The live roles among `arns`, with their stacks; an account that cannot be read is remembered in `unreadable`.

        Raises:
            CredentialsExpired: nothing more can be read until they are renewed.
        """
        wanted: dict[str, list[RoleArn]] = {}
        asked = frozenset(arns)
        for parsed in filter(None, map(RoleArn.parse, sorted(asked))):
            wanted.setdefault(parsed.account, []).append(parsed)
        with ThreadPoolExecutor(max_workers=min(_THREADS, len(wanted) or 1)) as pool:
            parts = dict(zip(wanted, pool.map(self._of_account, wanted, wanted.values()), strict=True))
        self._last.unreadable = {account: part for account, part in parts.items() if isinstance(part, str)}
        found = [role for part in parts.values() if not isinstance(part, str) for role in part]
        return {role.arn: role for role in sorted(found, key=lambda role: role.arn) if role.arn in asked}

    def unreadable(self, account: str) -> str | None:
        """Why the account's roles could not be read when this thread last asked for `roles`, or None."""
        found: Mapping[str, str] = getattr(self._last, "unreadable", {})
        return found.get(account)

    def write_trust(self, role: Role, document: str) -> None:
        """Replaces the trust policy with `document`, minified.

        IAM has no compare-and-swap. `role` is the role as just read; right before every try, on the same connection,
        the live document is compared with it. What somebody writes within that one round trip is lost, and a lost
        answer never makes us overwrite what somebody else wrote in between.

        Raises:
            Rejected: reason `too-large`, `unmodifiable`, `malformed`, `missing`, or `conflict` when a foreign edit came
                first.
            TrustUnreadable: `document` is no trust policy.
        """
        client = self._sessions.iam(role.account, role.arn.split(":")[1])
        sent = minified(parse(document))  # to the letter what was measured and judged
        doing = f'writing the trust policy of role "{role.arn}"'

        def write() -> None:
            if not self._written(client, role, sent, doing):
                client.update_assume_role_policy(RoleName=role.name, PolicyDocument=sent)

        try:
            self._sessions.run(write, doing=doing, service="iam")
        except Rejected as error:
            raise _clear(error, doing) from error

    def _written(self, client: "IAMClient", role: Role, document: str, doing: str) -> bool:
        live = _role(client.get_role(RoleName=role.name)["Role"])
        if live.id == role.id and same_document(live.trust, document):
            return True
        if live.id != role.id or not same_document(live.trust, role.trust):
            raise Rejected(
                "somebody changed the trust policy at the same time",
                reason="conflict",
                doing=doing,
                remedy="plan again",
            )
        return False

    def _of_account(self, account: str, wanted: Sequence[RoleArn]) -> list[Role] | str:
        """The roles, or why they cannot be read."""
        try:
            client = self._sessions.iam(account, wanted[0].partition)
            found = self._in_bulk(client, account, wanted) if len(wanted) > BULK else None
            found = self._one_by_one(client, account, wanted) if found is None else found
        except EnvironmentFault as error:
            return error.sentence()
        return self._with_stacks(account, wanted[0].partition, found)

    def _with_stacks(self, account: str, partition: str, roles: Sequence[Role]) -> list[Role]:
        stacks, unread = self._stacks.of_account(account, partition) if roles else ({}, "")
        return [replace(role, stack=stacks.get(role.name), stacks_unread=unread) for role in roles]

    def _in_bulk(self, client: "IAMClient", account: str, wanted: Sequence[RoleArn]) -> list[Role] | None:
        """The wanted roles through ListRoles; None when only that call is refused."""
        names = {role.name for role in wanted}
        found: list[Role] = []
        marker: dict[str, str] = {}
        while True:
            try:
                page = self._page(client, account, marker)
            except NotPermitted:
                return None
            found += [_role(entry) for entry in page["Roles"] if entry["RoleName"] in names]
            if not page.get("IsTruncated"):
                return found
            marker = {"Marker": page["Marker"]}

    def _page(self, client: "IAMClient", account: str, marker: Mapping[str, str]) -> Any:
        doing = f'listing the roles of account "{account}"'
        return self._sessions.run(
            lambda: (
                client.list_roles(MaxItems=_PAGE, Marker=marker["Marker"])
                if marker
                else client.list_roles(MaxItems=_PAGE)
            ),
            doing=doing,
            service="iam",
        )

    def _one_by_one(self, client: "IAMClient", account: str, wanted: Sequence[RoleArn]) -> list[Role]:
        doing = f'reading the roles of account "{account}"'
        return [role for name in wanted if (role := self._get(client, name.name, doing)) is not None]

    def _get(self, client: "IAMClient", name: str, doing: str) -> Role | None:
        def read() -> Any:
            try:
                return client.get_role(RoleName=name)["Role"]
            except ClientError as error:
                if code_of(error) == "NoSuchEntity":
                    return None
                raise

        entry = self._sessions.run(read, doing=doing, service="iam")
        return None if entry is None else _role(entry)


def _role(entry: Any) -> Role:
    """The fact for IAM's `Role` structure."""
    arn = str(entry["Arn"])
    return Role(
        arn=arn,
        name=entry["RoleName"],
        id=entry["RoleId"],
        account=arn.split(":")[4],
        trust=document_text(entry.get("AssumeRolePolicyDocument", {})),
        max_session_seconds=entry.get("MaxSessionDuration", 3600),
        tags={tag["Key"]: tag["Value"] for tag in entry.get("Tags", ())},
    )


def document_text(document: Any) -> str:
    """A policy document as JSON text; botocore hands it over parsed, the raw API URL-encoded."""
    return unquote(document) if isinstance(document, str) else json.dumps(document)


def same_document(one: str, other: str) -> bool:
    """Whether two JSON texts say the same."""
    return bool(json.loads(one) == json.loads(other))


def _clear(error: Rejected, doing: str) -> Rejected:
    known = _REASONS.get(error.reason)
    if known is None:
        return error
    reason, text, remedy = known
    return Rejected(f"{text}: {error.message}", reason=reason, doing=doing, remedy=remedy)
