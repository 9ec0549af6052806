"""Errors as each service spells them."""

from migrator.lab.aws.errors import ApiError
from migrator.lab.kubeapi import errors as kube
from migrator.lab.kubeapi.hooks import Asked
from migrator.lab.kubeapi.rbac import Attributes, refusal

_AWS = {
    "throttled": {
        "iam": ("Throttling", 400, "Rate exceeded"),
        "sts": ("Throttling", 400, "Rate exceeded"),
        "s3": ("SlowDown", 503, "Please reduce your request rate."),
        "": ("ThrottlingException", 429, "Rate exceeded"),
        "dynamodb": ("ThrottlingException", 400, "Rate exceeded"),
        "cloudtrail": ("ThrottlingException", 400, "Rate exceeded"),
    },
    "internal": {
        "iam": ("ServiceFailure", 500, "The request processing has failed because of an unknown error."),
        "sts": ("InternalFailure", 500, "The request processing has failed because of an unknown error."),
        "s3": ("InternalError", 500, "We encountered an internal error. Please try again."),
        "eks": ("ServerException", 500, "Internal server error"),
        "eks-auth": ("InternalServerException", 500, "Internal server error"),
        "dynamodb": ("InternalServerError", 500, "Internal server error"),
        "": ("InternalFailure", 500, "Internal server error"),
    },
    "unavailable": {
        "eks": ("ServiceUnavailableException", 503, "Service unavailable"),
        "eks-auth": ("ServiceUnavailableException", 503, "Service unavailable"),
        "": ("ServiceUnavailable", 503, "Service unavailable"),
    },
    "timeout": {"": ("RequestTimeout", 504, "The request timed out")},
    "denied": {
        "iam": ("AccessDenied", 403, "Access denied"),
        "sts": ("AccessDenied", 403, "Access denied"),
        "s3": ("AccessDenied", 403, "Access Denied"),
        "": ("AccessDeniedException", 403, "Access denied"),
    },
}
_KUBE = {
    "throttled": (
        429,
        "TooManyRequests",
        "the server has received too many requests and has asked us to try again later",
    ),
    "internal": (500, "InternalError", "Internal error occurred: etcdserver: request timed out"),
    "unavailable": (503, "ServiceUnavailable", "the server is currently unable to handle the request"),
    "timeout": (504, "Timeout", "the server was unable to return a response in the time allotted"),
}


def aws_error(what: str, service: str, code: str | None, message: str | None) -> ApiError:
    """The error answer of a service."""
    spelt = _AWS[what].get(service, _AWS[what][""])
    return ApiError(code or spelt[0], message or spelt[2], spelt[1])


def kube_error(what: str, retry_after: int, message: str | None, asked: Asked) -> kube.ApiError:
    """The error answer of an API server to that call; a denial reads as RBAC's."""
    if what == "denied":
        wanted = Attributes(asked.verb, asked.group, asked.resource, asked.namespace, asked.name)
        denial = refusal(asked.user, wanted if asked.resource else Attributes(asked.verb, path=asked.path))
        return kube.ApiError(denial.code, denial.reason, message, {}) if message else denial
    code, reason, text = _KUBE[what]
    if code != 429:
        return kube.ApiError(code, reason, message or text, {})
    details = {"retryAfterSeconds": retry_after}
    return kube.ApiError(code, reason, message or text, details, {"Retry-After": str(retry_after)})
