"""A role's trust policy as IAM takes it: well formed, within the quota, naming principals that exist."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from migrator.lab.aws.callers import ADMIN_NAME
from migrator.lab.aws.conditions import known_operator, listed
from migrator.lab.aws.errors import ApiError
from migrator.lab.aws.models import known_services

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from migrator.lab.aws.iam_store import IamStore

TRUST_QUOTA = 2048
_STATEMENT_KEYS = {
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Condition",
}
_WEB_PROVIDERS = {
    "cognito-identity.amazonaws.com",
    "accounts.google.com",
    "graph.facebook.com",
    "www.amazon.com",
}
_SERVICES = {
    "pods.eks", "eks", "eks-fargate-pods", "eks-fargate", "eks-nodegroup", "eks-connector", "capabilities.eks",
    "ec2", "ecs", "ecs-tasks", "lambda", "edgelambda", "events", "scheduler", "pipes", "states", "s3", "sns",
    "sqs", "ssm", "cloudformation", "cloudtrail", "cloudwatch", "monitoring", "logs", "delivery.logs", "config",
    "batch", "glue", "firehose", "kinesis", "kinesisanalytics", "codebuild", "codepipeline", "codedeploy", "backup",
    "rds", "monitoring.rds", "export.rds", "redshift", "dms", "apigateway", "appsync", "autoscaling",
    "spotfleet", "spot", "elasticmapreduce", "elasticmapreduce.ec2", "emr-serverless", "emr-containers",
    "elasticloadbalancing", "elasticfilesystem", "es", "opensearchservice", "sagemaker", "bedrock", "transfer",
    "vpc-flow-logs", "vmie", "replicator.lambda", "guardduty", "inspector", "access-analyzer", "organizations",
    "sso", "ram", "secretsmanager", "kms", "acm", "acm-pca", "route53", "cloudfront", "waf", "fis", "grafana",
    "aps", "xray", "build.apprunner", "tasks.apprunner", "imagebuilder", "datasync", "iot", "cognito-idp",
    "application-autoscaling", "dax", "dynamodb", "storagegateway", "rolesanywhere", "servicecatalog",
    "budgets", "billingconsole", "trustedadvisor", "support", "billing", "migrationhub", "dlm", "airflow",
    "airflow-env", "credentials.iot", "quicksight", "osis-pipelines", "resource-groups",
}  # fmt: skip


class TrustRules:
    """Checks a trust document the way CreateRole and UpdateAssumeRolePolicy do."""

    def __init__(self, iam: IamStore, accounts: frozenset[str]) -> None:
        self._iam = iam
        self._accounts = accounts

    def check(self, text: str, quota: int) -> None:
        """Refuses a document IAM would refuse.

        Raises:
            ApiError: `MalformedPolicyDocument` or `LimitExceeded`.
        """
        if not re.fullmatch(r"[\t\n\r\u0020-\u00ff]+", text):
            raise malformed("Policy document contains characters that are not allowed")
        try:
            document = json.loads(text)
        except ValueError as broken:
            raise malformed("This policy contains invalid Json") from broken
        if not isinstance(document, dict):
            raise malformed("Syntax errors in policy.")
        _check_shape(document)
        for statement in listed(document["Statement"]):
            for kind, name in _principals(statement):
                self._check_principal(kind, name)
        if len(re.sub(r"\s", "", text)) > quota:
            raise ApiError("LimitExceeded", f"Cannot exceed quota for ACLSizePerRole: {quota}", 409)

    def _check_principal(self, kind: str, name: str) -> None:
        known = {"AWS": self._aws_known, "Service": service_known, "Federated": _federated_known}.get(kind)
        if kind == "CanonicalUser":
            return
        if known is None or not known(name):
            raise malformed(f'Invalid principal in policy: "{kind}":"{name}"')

    def _aws_known(self, name: str) -> bool:
        if name == "*" or re.fullmatch(r"\d{12}", name):
            return True
        if re.fullmatch(r"(AROA|AIDA)[A-Z0-9]{12,}", name):
            return True  # what IAM shows for a principal deleted since; it takes its own writing back
        parts = name.split(":", 5)
        if len(parts) != 6 or parts[0] != "arn" or not re.fullmatch(r"\d{12}", parts[4]):
            return False
        return self._arn_known(name, parts)

    def _arn_known(self, name: str, parts: list[str]) -> bool:
        partition, service, account, tail = parts[1], parts[2], parts[4], parts[5]
        if "*" in tail or "?" in tail:
            return False
        if service == "sts":
            return bool(re.fullmatch(r"(assumed-role/[^/]+/.+|federated-user/.+)", tail))
        if service != "iam":
            return False
        if tail == "root" or account not in self._accounts:
            return tail == "root" or tail.startswith(("role/", "user/"))
        if tail == f"user/{ADMIN_NAME}":
            return True
        return self._iam.role(name) is not None or (partition != "" and self._iam.user(name) is not None)


def malformed(message: str) -> ApiError:
    """A MalformedPolicyDocument."""
    return ApiError("MalformedPolicyDocument", message, 400)


def service_known(name: str) -> bool:
    """Whether a service principal is one AWS has, the regional form included."""
    found = re.fullmatch(r"([a-z0-9.-]+?)(?:\.[a-z]{2}(?:-[a-z]+)+-\d)?\.amazonaws\.com(?:\.cn)?", name)
    return found is not None and (found[1] in _SERVICES or found[1] in known_services())


def _federated_known(name: str) -> bool:
    pattern = r"arn:[\w-]+:iam::\d{12}:(oidc-provider|saml-provider)/.+"
    return name in _WEB_PROVIDERS or re.fullmatch(pattern, name) is not None


def _check_shape(document: Mapping[str, Any]) -> None:
    if set(document) - {"Version", "Id", "Statement"}:
        raise malformed("Syntax errors in policy.")
    if document.get("Version", "2012-10-17") not in ("2012-10-17", "2008-10-17"):
        raise malformed("The policy must contain a valid version string")
    found = document.get("Statement")
    if not found or not isinstance(found, (list, dict)):
        raise malformed("Syntax errors in policy.")
    sids: list[str] = []
    for statement in listed(found):
        if not isinstance(statement, dict):
            raise malformed("Syntax errors in policy.")
        _check_statement(statement)
        sids += [str(statement["Sid"])] if statement.get("Sid") else []
    if len(sids) != len(set(sids)):
        raise malformed("Statement IDs (SID) in a single policy must be unique.")


def _check_statement(statement: Mapping[str, Any]) -> None:
    for key in ("Resource", "NotResource"):
        if key in statement:
            raise malformed(f"Has prohibited field {key}")
    if set(statement) - _STATEMENT_KEYS:
        raise malformed("Syntax errors in policy.")
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise malformed("Missing required field Effect")
    if not re.fullmatch(r"[A-Za-z0-9]*", str(statement.get("Sid", ""))):
        raise malformed(f"Statement IDs (SID) must be alpha-numeric: '{statement['Sid']}'")
    if not statement.get("Principal") and not statement.get("NotPrincipal"):
        raise malformed("Missing required field Principal")
    _check_actions(statement)
    condition = statement.get("Condition", {})
    if not isinstance(condition, dict):
        raise malformed("Syntax errors in policy.")
    for operator, keys in condition.items():
        if not known_operator(operator) or not isinstance(keys, dict):
            raise malformed(f"Invalid Condition type : {operator}.")


def _check_actions(statement: Mapping[str, Any]) -> None:
    actions = [str(action) for key in ("Action", "NotAction") for action in listed(statement.get(key, [])) if action]
    if not actions:
        raise malformed("Missing required field Action")
    if any(not action.lower().startswith("sts:") for action in actions):
        raise malformed("AssumeRole policy may only specify STS AssumeRole actions.")


def _principals(statement: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key in ("Principal", "NotPrincipal"):
        element = statement.get(key)
        if element is None or element == "*":
            continue
        if not isinstance(element, dict):
            raise malformed("Invalid principal in policy")
        for kind, names in element.items():
            for name in listed(names):
                if not isinstance(name, str):
                    raise malformed(f'Invalid principal in policy: "{kind}":"{name}"')
                yield str(kind), name
