"""botocore's service models, loaded once, and the few questions the front asks of them."""

from __future__ import annotations

from functools import cache
from typing import Any

from botocore.exceptions import UnknownServiceError
from botocore.loaders import create_loader
from botocore.model import OperationModel, ServiceModel

GUARDED = ("kms", "sqs", "sns", "secretsmanager")  # served for the sake of the policies that hang on their things
_OWN = ("eks", "eks-auth", "iam", "sts", "cloudformation", "cloudtrail", "dynamodb", "s3", "ec2", "servicequotas")
SERVED = (*_OWN, *GUARDED)
_NAMED = {"servicequotas": "service-quotas"}  # models whose file has another name than requests are signed with


@cache
def _loader() -> Any:
    return create_loader()


@cache
def service_model(name: str) -> ServiceModel | None:
    """The model of a service by its signing name, or None when botocore has none of that name."""
    try:
        return ServiceModel(_loader().load_service_model(_NAMED.get(name, name), "service-2"), name)
    except UnknownServiceError:
        return None


@cache
def known_services() -> frozenset[str]:
    """Every service name botocore has a model for."""
    return frozenset(_loader().list_available_services("service-2"))


def partition_of(region: str) -> str:
    """The partition a Region lies in, by the Region's name."""
    for prefix, partition in (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"), ("eusc-", "aws-eusc")):
        if region.startswith(prefix):
            return partition
    return "aws"


def error_status(operation: OperationModel | None, code: str) -> int:
    """HTTP status the model gives for an error code; 400 when it says nothing."""
    if operation is None:
        return 400
    for shape in operation.service_model.error_shapes:
        error = shape.metadata.get("error") or {}
        if code in (shape.name, error.get("code")):
            return int(error.get("httpStatusCode", 500 if shape.metadata.get("fault") else 400))
    return 400
