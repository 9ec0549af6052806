"""The IAM action and the resource ARN that a request is authorised on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.lab.aws.models import partition_of

if TYPE_CHECKING:
    from migrator.lab.aws.wire import Request

UNCHECKED = {
    ("sts", "GetCallerIdentity"),
    ("sts", "AssumeRole"),  # its own rule: the trust policy decides whether the caller's policies are asked
    ("sts", "AssumeRoleWithWebIdentity"),
}
_S3_ACTIONS = {
    "HeadObject": "s3:GetObject",
    "ListObjects": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
    "HeadBucket": "s3:ListBucket",
    "ListBuckets": "s3:ListAllMyBuckets",
    "CopyObject": "s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "DeleteObjects": "s3:DeleteObject",
    "ListObjectVersions": "s3:ListBucketVersions",
}
_TRANSACTED = {
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
    "ConditionCheck": "dynamodb:ConditionCheckItem",
    "Get": "dynamodb:GetItem",
}
_ON_ALL = {"ListTables", "ListClusters", "LookupEvents", "ListRoles", "GetAccountAuthorizationDetails"}


def actions_of(request: Request) -> list[str]:
    """The action names policies use for the operation; a transaction needs those of all its parts."""
    if request.service == "s3":
        return [_S3_ACTIONS.get(request.action, f"s3:{request.action}")]
    if request.service == "dynamodb" and request.action.startswith("Transact"):
        return sorted({_TRANSACTED[kind] for one in request.params.get("TransactItems", ()) for kind in one})
    return [f"{request.service}:{request.action}"]


def resources_of(request: Request) -> list[str]:
    """The ARNs the operation touches; `*` where the service has none for it."""
    if request.action in _ON_ALL:
        return ["*"]
    finder = {"dynamodb": _tables, "s3": _objects, "iam": _iam, "eks": _eks, "eks-auth": _clusters}.get(request.service)
    return (finder(request) if finder else []) or ["*"]


def _arn(request: Request, tail: str) -> str:
    return f"arn:{partition_of(request.region)}:{request.service}:{request.region}:{request.account}:{tail}"


def _tables(request: Request) -> list[str]:
    names: list[str] = []
    _collect_tables(request.params, names)
    tails = [name if name.startswith("arn:") else _arn(request, f"table/{name}") for name in names]
    index = request.params.get("IndexName")
    return [f"{tail}/index/{index}" for tail in tails] if index else tails


def _collect_tables(value: Any, names: list[str]) -> None:
    """Table names anywhere in the input: transactions and batches name several."""
    if isinstance(value, dict):
        if isinstance(value.get("TableName"), str):
            names.append(value["TableName"])
        if isinstance(value.get("RequestItems"), dict):
            names.extend(value["RequestItems"])
        for key in ("TransactItems", "Put", "Update", "Delete", "Get", "ConditionCheck"):
            _collect_tables(value.get(key), names)
    elif isinstance(value, list):
        for item in value:
            _collect_tables(item, names)


def _objects(request: Request) -> list[str]:
    bucket, key = request.path_params.get("Bucket"), request.path_params.get("Key")
    if not bucket:
        return []
    partition = partition_of(request.region)
    return [f"arn:{partition}:s3:::{bucket}/{key}" if key else f"arn:{partition}:s3:::{bucket}"]


def _iam(request: Request) -> list[str]:
    partition = partition_of(request.region)
    for member, kind in (("RoleName", "role"), ("UserName", "user"), ("GroupName", "group")):
        if member in request.params:
            return [f"arn:{partition}:iam::{request.account}:{kind}/{request.params[member]}"]
    for member in ("PolicyArn", "OpenIDConnectProviderArn", "PolicySourceArn"):
        if member in request.params:
            return [str(request.params[member])]
    return []


def _clusters(request: Request) -> list[str]:
    name = request.params.get("clusterName") or request.path_params.get("name")
    return [
        f"arn:{partition_of(request.region)}:eks:{request.region}:{request.account}:cluster/{name}" if name else "*"
    ]


def _eks(request: Request) -> list[str]:
    if "resourceArn" in request.params:
        return [str(request.params["resourceArn"])]
    if "associationId" in request.params:
        tail = f"podidentityassociation/{request.params['clusterName']}/{request.params['associationId']}"
        return [_arn(request, tail)]
    return _clusters(request)
