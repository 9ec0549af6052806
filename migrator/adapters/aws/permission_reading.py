"""IAM: what the roles of one account may do, in pages of the whole account or part by part."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote

from migrator.adapters.aws.sessions import AwsSessions
from migrator.model.errors import EnvironmentFault, NotPermitted
from migrator.model.facts import Json, Role, Unread
from migrator.model.permissions import Permissions, Policy

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

T = TypeVar("T")
Kept = Callable[[str, Callable[[], str | None]], str | None]
"""Gives the document of a managed policy of AWS's own, by ARN: from memory, or by the call, which may be refused."""

_PAGE = 1000
_OF_AWS = ":iam::aws:policy/"
_DETAILS = "iam:GetAccountAuthorizationDetails"


class Reading:
    """The passes of one planning over one account; an action that was refused once is not asked for again."""

    def __init__(self, sessions: AwsSessions, client: "IAMClient", account: str, kept: Kept) -> None:
        self._sessions = sessions
        self._client = client
        self._account = account
        self._kept = kept
        self._documents: dict[str, str | None] = {}  # managed policies: ARN -> document, None when refused
        self._refused: set[str] = set()  # actions that are not permitted
        self._problems: dict[str, str] = {}  # action -> why it gave nothing

    def in_bulk(self, arns: Collection[str]) -> Mapping[str, Permissions] | None:
        """The roles among `arns` that there are, through GetAccountAuthorizationDetails; None when that is refused."""
        if _DETAILS in self._refused:
            return None
        details: list[Any] = []
        marker: dict[str, Any] = {}
        while True:
            try:
                page = self._details(marker)
            except NotPermitted:
                self._refused.add(_DETAILS)
                return None
            details += [detail for detail in page["RoleDetailList"] if detail["Arn"] in arns]
            self._documents |= {policy["Arn"]: _default(policy) for policy in page["Policies"]}
            if not page.get("IsTruncated"):
                return {detail["Arn"]: self._of_detail(detail) for detail in details}
            marker = {"Marker": page["Marker"]}

    def one(self, role: Role) -> Permissions:
        """One role, asked for part by part."""
        unread: list[Unread] = []
        inline = self._inline(role, unread)
        pages = self._pages(
            "iam:ListAttachedRolePolicies",
            lambda more: self._client.list_attached_role_policies(RoleName=role.name, MaxItems=_PAGE, **more),
            "AttachedPolicies",
        )
        whole = self._ask("iam:GetRole", lambda: self._client.get_role(RoleName=role.name)["Role"])
        if pages is None or whole is None:
            unread.append(unread_role(role.arn, self._why("iam:ListAttachedRolePolicies", "iam:GetRole")))
        attached = self._attached([entry["PolicyArn"] for entry in pages or ()], unread)
        boundary = self._boundary(whole or {}, unread)
        return _permissions(inline + attached, boundary, whole or {}, unread)

    def _of_detail(self, detail: Any) -> Permissions:
        unread: list[Unread] = []
        inline = [Policy(name=p["PolicyName"], document=_text(p["PolicyDocument"])) for p in detail["RolePolicyList"]]
        attached = self._attached([entry["PolicyArn"] for entry in detail["AttachedManagedPolicies"]], unread)
        return _permissions(sorted(inline) + attached, self._boundary(detail, unread), detail, unread)

    def _inline(self, role: Role, unread: list[Unread]) -> list[Policy]:
        names = self._pages(
            "iam:ListRolePolicies",
            lambda more: self._client.list_role_policies(RoleName=role.name, MaxItems=_PAGE, **more),
            "PolicyNames",
        )
        if names is None:
            unread.append(unread_role(role.arn, self._why("iam:ListRolePolicies")))
        found = [(name, self._inline_document(role.name, name)) for name in sorted(names or ())]
        if any(document is None for _, document in found):
            unread.append(unread_role(role.arn, self._why("iam:GetRolePolicy")))
        return [Policy(name=name, document=document) for name, document in found if document is not None]

    def _inline_document(self, role: str, name: str) -> str | None:
        found = self._ask(
            "iam:GetRolePolicy",
            lambda: self._client.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"],
        )
        return None if found is None else _text(found)

    def _attached(self, arns: Sequence[str], unread: list[Unread]) -> list[Policy]:
        documents = [(arn, self._managed(arn)) for arn in sorted(arns)]
        unread += [Unread(what=f"policy {arn}", why=self._why_managed()) for arn, text in documents if text is None]
        return [Policy(name=arn, document=text) for arn, text in documents if text is not None]

    def _boundary(self, entry: Mapping[str, Any], unread: list[Unread]) -> Policy | None:
        arn = entry.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "")
        if not arn:
            return None
        document = self._managed(arn)
        if document is None:
            unread.append(Unread(what=f"permissions boundary {arn}", why=self._why_managed()))
        return Policy(name=arn, document=document or "")

    def _managed(self, arn: str) -> str | None:
        if arn not in self._documents:
            read = self._kept(arn, lambda: self._read(arn)) if _OF_AWS in arn else self._read(arn)
            self._documents[arn] = read
        return self._documents[arn]

    def _read(self, arn: str) -> str | None:
        policy = self._ask("iam:GetPolicy", lambda: self._client.get_policy(PolicyArn=arn)["Policy"])
        if policy is None:
            return None
        version = policy["DefaultVersionId"]
        found = self._ask(
            "iam:GetPolicyVersion",
            lambda: self._client.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"],
        )
        return None if found is None else _text(found)

    def _details(self, marker: Mapping[str, Any]) -> Any:
        return self._sessions.run(
            lambda: self._client.get_account_authorization_details(
                Filter=["Role", "LocalManagedPolicy"], MaxItems=_PAGE, **marker
            ),
            doing=f'reading the policies of account "{self._account}"',
            service="iam",
        )

    def _pages(self, action: str, page: Callable[[Mapping[str, Any]], Any], key: str) -> list[Any] | None:
        found: list[Any] = []
        more: dict[str, Any] = {}
        while True:
            answer = self._ask(action, partial(page, more))
            if answer is None:
                return None
            found += answer[key]
            if not answer.get("IsTruncated"):
                return found
            more = {"Marker": answer["Marker"]}

    def _ask(self, action: str, call: Callable[[], T]) -> T | None:
        """What the call gives; None when it is refused or fails: `_why` then says why."""
        if action in self._refused:
            return None
        try:
            return self._sessions.run(call, doing=f'reading policies of account "{self._account}"', service="iam")
        except EnvironmentFault as error:
            self._problems[action] = error.message
            self._refused |= {action} if isinstance(error, NotPermitted) else set()
            return None

    def _why(self, *actions: str) -> str:
        return next((self._problems[action] for action in actions if action in self._problems), "IAM does not give it")

    def _why_managed(self) -> str:
        return self._why("iam:GetPolicy", "iam:GetPolicyVersion")


def _permissions(
    policies: Sequence[Policy], boundary: Policy | None, entry: Mapping[str, Any], unread: Sequence[Unread]
) -> Permissions:
    tags = {tag["Key"]: tag["Value"] for tag in entry.get("Tags") or ()}
    return Permissions(policies=tuple(policies), boundary=boundary, tags=tags, unread=tuple(sorted(set(unread))))


def unread_role(arn: str, why: str) -> Unread:
    """What is told of a role whose policies, or some of them, could not be read."""
    return Unread(what=f"permission policies of role {arn}", why=why)


def _default(policy: Any) -> str | None:
    versions = policy.get("PolicyVersionList") or ()
    return next((_text(one["Document"]) for one in versions if one.get("IsDefaultVersion")), None)


def _text(document: Json) -> str:
    """A policy as JSON text: botocore hands it over parsed, and other services' doubles URL-encoded."""
    return unquote(document) if isinstance(document, str) else json.dumps(document)
