"""IAM's shapes, made from what moto holds; documents URL-encoded, as the API gives them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote


def encoded(document: Any) -> str:
    """A policy document as IAM's XML carries it."""
    return quote(document if isinstance(document, str) else json.dumps(document), safe="")


def _last_used(role: Any) -> dict[str, Any]:
    if role.last_used is None:
        return {}
    return {"LastUsedDate": role.last_used, "Region": role.last_used_region or "us-east-1"}


def _boundary(role: Any) -> dict[str, str] | None:
    arn = role.permissions_boundary_arn
    return {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn} if arn else None


def role_summary(role: Any) -> dict[str, Any]:
    """A `Role` as ListRoles gives it: no tags, no boundary, no last use."""
    return {
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.id,
        "Arn": role.arn,
        "CreateDate": role.create_date,
        "AssumeRolePolicyDocument": encoded(role.assume_role_policy_document),
        "Description": role.description or None,
        "MaxSessionDuration": int(role.max_session_duration or 3600),
    }


def role_whole(role: Any) -> dict[str, Any]:
    """A `Role` as GetRole gives it."""
    return role_summary(role) | {
        "PermissionsBoundary": _boundary(role),
        "Tags": [{"Key": tag["Key"], "Value": tag["Value"]} for tag in role.tags] or None,
        "RoleLastUsed": _last_used(role),
    }


def _inline(policies: dict[str, Any]) -> list[dict[str, str]]:
    return [{"PolicyName": name, "PolicyDocument": encoded(document)} for name, document in list(policies.items())]


def _attached(policies: dict[str, Any]) -> list[dict[str, str]]:
    return [{"PolicyName": policy.name, "PolicyArn": policy.arn} for policy in list(policies.values())]


def _profile(profile: Any) -> dict[str, Any]:
    return {
        "Path": profile.path,
        "InstanceProfileName": profile.name,
        "InstanceProfileId": profile.id,
        "Arn": profile.arn,
        "CreateDate": profile.create_date,
        "Roles": [role_summary(role) for role in profile.roles],
    }


def role_detail(role: Any) -> dict[str, Any]:
    """A `RoleDetail`."""
    return {
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.id,
        "Arn": role.arn,
        "CreateDate": role.create_date,
        "AssumeRolePolicyDocument": encoded(role.assume_role_policy_document),
        "InstanceProfileList": [_profile(profile) for profile in role.instance_profile_list],
        "RolePolicyList": _inline(role.policies),
        "AttachedManagedPolicies": _attached(role.managed_policies),
        "PermissionsBoundary": _boundary(role),
        "Tags": [{"Key": tag["Key"], "Value": tag["Value"]} for tag in role.tags],
        "RoleLastUsed": _last_used(role),
    }


def user_detail(user: Any, groups: list[str]) -> dict[str, Any]:
    """A `UserDetail`."""
    return {
        "Path": user.path,
        "UserName": user.name,
        "UserId": user.id,
        "Arn": user.arn,
        "CreateDate": user.create_date,
        "UserPolicyList": _inline(user.policies),
        "GroupList": groups,
        "AttachedManagedPolicies": _attached(user.managed_policies),
    }


def group_detail(group: Any) -> dict[str, Any]:
    """A `GroupDetail`."""
    return {
        "Path": group.path,
        "GroupName": group.name,
        "GroupId": group.id,
        "Arn": group.arn,
        "CreateDate": group.create_date,
        "GroupPolicyList": _inline(group.policies),
        "AttachedManagedPolicies": _attached(group.managed_policies),
    }


def policy_detail(policy: Any) -> dict[str, Any]:
    """A `ManagedPolicyDetail`."""
    return {
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": policy.default_version_id,
        "AttachmentCount": policy.attachment_count,
        "IsAttachable": True,
        "CreateDate": policy.create_date,
        "UpdateDate": policy.update_date,
        "PolicyVersionList": [
            {
                "Document": encoded(version.document),
                "VersionId": version.version_id,
                "IsDefaultVersion": version.version_id == policy.default_version_id,
                "CreateDate": version.create_date,
            }
            for version in policy.versions
        ],
    }
