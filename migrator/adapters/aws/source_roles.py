"""IAM with the roles that this tool makes: source roles in a cluster's account, each with one inline policy."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from migrator.adapters.aws.errors import code_of
from migrator.adapters.aws.iam import IamRoles, document_text, same_document
from migrator.model.errors import Rejected
from migrator.model.facts import SourceRole
from migrator.model.ids import RoleArn
from migrator.model.source_role import POLICY_NAME

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

T = TypeVar("T")

_GONE = "NoSuchEntity"
_REASONS = {"EntityAlreadyExists": "exists", "DeleteConflict": "in-use"}
_PAGE = 1000


class Iam(IamRoles):
    """The port `IamWorld`; the account is taken from the ARN."""

    def source_role(self, arn: str) -> SourceRole | None:
        """The live role of that name, with its tags and our inline policy.

        Raises:
            Rejected: reason `other-path` when a role of that name has another path: names are unique without it.
        """
        client, name = self._named(arn)
        doing = f'reading role "{arn}"'
        found = self._told(lambda: _unless_gone(lambda: client.get_role(RoleName=name)["Role"]), doing)
        if found is None:
            return None
        if found["Arn"] != arn:
            raise Rejected(f'there is a role of that name at "{found["Arn"]}"', reason="other-path", doing=doing)
        return SourceRole(
            arn=arn,
            id=found["RoleId"],
            trust=document_text(found.get("AssumeRolePolicyDocument", {})),
            policy=self._told(lambda: _policy(client, name), doing),
            tags={tag["Key"]: tag["Value"] for tag in found.get("Tags", ())},
        )

    def create_source_role(self, arn: str, *, trust: str, tags: Mapping[str, str]) -> None:
        """Makes the role, still without its policy; documents are JSON text.

        Raises:
            Rejected: reason `exists` when there is one of that name, or IAM's own code.
        """
        client, name = self._named(arn)
        path = _parsed(arn).path
        pairs = [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
        self._told(
            lambda: client.create_role(
                RoleName=name,
                Path=path,
                AssumeRolePolicyDocument=trust,
                Description="assumes the role of another account for one EKS ServiceAccount",
                Tags=pairs,  # type: ignore[arg-type] # two texts each
            ),
            f'making role "{arn}"',
        )

    def permit(self, arn: str, policy: str) -> None:
        """Writes the role's inline policy of our name, which it does not have yet; one that says the same is well.

        Looked for before every try: a lost answer never makes us overwrite what somebody wrote in between.

        Raises:
            Rejected: reason `conflict` when it has another one.
        """
        client, name = self._named(arn)
        doing = f'writing policy "{POLICY_NAME}" of role "{arn}"'

        def write() -> None:
            there = _policy(client, name)
            if there is None:
                client.put_role_policy(RoleName=name, PolicyName=POLICY_NAME, PolicyDocument=policy)
            elif not same_document(there, policy):
                raise Rejected("somebody wrote it at the same time", reason="conflict", doing=doing)

        self._told(write, doing)

    def attached_to(self, arn: str) -> Sequence[str]:
        """What else hangs on the role, by name: other inline policies, attached policies, instance profiles."""
        client, name = self._named(arn)
        doing = f'listing what hangs on role "{arn}"'

        def listed() -> list[str]:
            inline = _pages(client.list_role_policies, "PolicyNames", name)
            attached = _pages(client.list_attached_role_policies, "AttachedPolicies", name)
            profiles = _pages(client.list_instance_profiles_for_role, "InstanceProfiles", name)
            return [
                *(f"policy {one}" for one in inline if one != POLICY_NAME),
                *(f"policy {one['PolicyName']}" for one in attached),
                *(f"instance profile {one['InstanceProfileName']}" for one in profiles),
            ]

        return sorted(self._told(lambda: _unless_gone(listed), doing) or ())

    def delete_source_role(self, role: SourceRole) -> None:
        """Takes away our inline policy, then the role, as just read; what is gone already is well.

        Looked at before every try: a lost answer never makes us delete what somebody made in between.

        Raises:
            Rejected: reason `in-use` while something else hangs on it, `replaced` when there is another of that name.
        """
        client, name = self._named(role.arn)
        doing = f'deleting role "{role.arn}"'

        def delete(call: Callable[[], object]) -> None:
            live = _unless_gone(lambda: client.get_role(RoleName=name)["Role"])
            if live is None:
                return
            if live["RoleId"] != role.id:
                raise Rejected("somebody made another role of that name", reason="replaced", doing=doing)
            _unless_gone(call)

        if role.policy is not None:
            self._told(lambda: delete(partial(client.delete_role_policy, RoleName=name, PolicyName=POLICY_NAME)), doing)
        self._told(lambda: delete(partial(client.delete_role, RoleName=name)), doing)

    def _named(self, arn: str) -> "tuple[IAMClient, str]":
        parsed = _parsed(arn)
        return self._sessions.iam(parsed.account, parsed.partition), parsed.name

    def _told(self, call: Callable[[], T], doing: str) -> T:
        try:
            return self._sessions.run(call, doing=doing, service="iam")
        except Rejected as error:
            reason = _REASONS.get(error.reason, error.reason)
            raise Rejected(error.message, reason=reason, doing=error.doing, remedy=error.remedy) from error


def _unless_gone(call: Callable[[], T]) -> T | None:
    """What `call` gives, None when the thing is not there."""
    try:
        return call()
    except ClientError as error:
        if code_of(error) == _GONE:
            return None
        raise


def _policy(client: "IAMClient", name: str) -> str | None:
    """The role's inline policy of our name as JSON text, None without."""
    found = _unless_gone(lambda: client.get_role_policy(RoleName=name, PolicyName=POLICY_NAME))
    return None if found is None else document_text(found["PolicyDocument"])


def _pages(listing: Callable[..., Any], key: str, role: str) -> Iterator[Any]:
    """Every entry: IAM may cut a list short of what was asked for."""
    more: dict[str, str] = {}
    while True:
        page = listing(RoleName=role, MaxItems=_PAGE, **more)
        yield from page[key]
        if not page.get("IsTruncated"):
            return
        more = {"Marker": page["Marker"]}


def _parsed(arn: str) -> RoleArn:
    parsed = RoleArn.parse(arn)
    if parsed is None:
        raise Rejected(f'"{arn}" is no role ARN', reason="malformed")
    return parsed
