"""The one place where botocore's exceptions become ours.

Access denied names the action and who was refused; expired credentials stop the run at a checkpoint; throttling, faults
of the service and lost connections are worth another try and end as an environment fault; all other answers are
rejections that carry the service's own code.
"""

import re
from collections.abc import Mapping
from typing import Any

from botocore import exceptions as boto
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from migrator.model.errors import CredentialsExpired, EnvironmentFault, MigrateError, NotPermitted, Rejected

RENEW = "renew the credentials, then run the same command again: it resumes"

THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_BUSY = frozenset(
    {
        "ConcurrentModification",
        "RequestTimeout",
        "RequestTimeoutException",
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
_DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "UnauthorizedException",
        "UnauthorizedOperation",
    }
)
_BAD_KEYS = frozenset(
    {"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "MissingAuthenticationTokenException"}
)
_SKEWED = frozenset({"InvalidSignatureException", "RequestTimeTooSkewed", "SignatureDoesNotMatch"})

_ACTION = re.compile(r"not authorized to perform:? (?P<action>[\w-]+:\w+)")
_RESOURCE = re.compile(r"on resource: (?P<resource>\S+)")
_WHO = re.compile(r"User: (?P<who>\S+) is not authorized")

_CONNECTION: tuple[type[BaseException], ...] = (
    boto.ConnectionError,
    boto.ConnectionClosedError,
    boto.ReadTimeoutError,
    boto.HTTPClientError,
    boto.IncompleteReadError,
    boto.ResponseStreamingError,
    ResponseParserError,  # a proxy or load balancer answered instead of the service
)

FOREIGN = (
    boto.BotoCoreError,
    ClientError,
    ResponseParserError,
)  # all that botocore raises; the first two are not enough
_Kinds = tuple[type[BaseException], ...]
_FAULTS: tuple[tuple[_Kinds, type[CredentialsExpired | EnvironmentFault], str, str], ...] = (
    (
        (boto.UnauthorizedSSOTokenError, boto.SSOTokenLoadError, boto.TokenRetrievalError),
        CredentialsExpired,
        "the sign-in session is over",
        "sign in again (aws sso login), then run the same command again: it resumes",
    ),
    (
        (boto.ProfileNotFound, boto.ConfigNotFound, boto.ConfigParseError),
        EnvironmentFault,
        "the AWS configuration does not serve",
        'correct "profile" under "accounts" in the fleet file, or the AWS configuration',
    ),
    (
        (
            boto.NoCredentialsError,
            boto.PartialCredentialsError,
            boto.CredentialRetrievalError,
            boto.MetadataRetrievalError,
        ),
        EnvironmentFault,
        "no usable credentials",
        'give the account a profile under "accounts" in the fleet file, or credentials in the environment',
    ),
    (
        (boto.SSLError,),
        EnvironmentFault,
        "the certificate of {service} was not accepted",
        "check the certificate authority the AWS configuration names (ca_bundle, AWS_CA_BUNDLE)",
    ),
    (
        _CONNECTION,
        EnvironmentFault,
        "{service} could not be reached",
        "check the network and the endpoint, then run the same command again",
    ),
)


def code_of(error: BaseException) -> str:
    """The service's error code, or an empty string for anything but an answer of the service."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def message_of(error: BaseException) -> str:
    """The service's own words, without botocore's frame around them."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Message", "")) or str(error)
    return str(error)


def throttled(answer: Mapping[str, Any]) -> bool:
    """Whether a parsed answer says that there were too many calls."""
    code = answer.get("Error", {}).get("Code", "")
    return code in THROTTLED or answer.get("ResponseMetadata", {}).get("HTTPStatusCode") == 429


def transient(error: BaseException) -> bool:
    """Whether another try may help: throttling, faults of the service, lost connections; never a bad certificate."""
    if isinstance(error, ClientError):
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        if code_of(error) == "TransactionCanceledException":
            return _cancelled_by_others(error)
        return throttled(error.response) or code_of(error) in _BUSY or (status >= 500 and status != 501)
    return isinstance(error, _CONNECTION) and not isinstance(error, boto.SSLError)


def _cancelled_by_others(error: ClientError) -> bool:
    """Whether a transaction of DynamoDB met nothing but other transactions, or throttling."""
    reasons: list[dict[str, str]] = error.response.get("CancellationReasons", [])  # type: ignore[assignment] # untyped
    codes = {reason.get("Code", "None") for reason in reasons} - {"None"}
    return bool(codes) and codes <= THROTTLED | _BUSY | {"ThrottlingError"}


def mapped(error: BaseException, *, doing: str, service: str) -> MigrateError:
    """Ours for theirs; the caller raises it from `error`.

    Args:
        error: what botocore raised.
        doing: what was being done, for the sentence.
        service: the API's name as in IAM actions, such as `eks`.
    """
    if isinstance(error, ClientError):
        return _answer(error, doing=doing, service=service)
    if isinstance(error, boto.ParamValidationError):
        return Rejected(" ".join(str(error).split()), reason="ParamValidation", doing=doing)
    for kinds, kind, says, remedy in _FAULTS:
        if isinstance(error, kinds):
            return kind(f"{says.format(service=service)}: {error}", doing=doing, remedy=remedy)
    return EnvironmentFault(f"{type(error).__name__}: {error}", doing=doing)


def _answer(error: ClientError, *, doing: str, service: str) -> MigrateError:
    code, message = code_of(error), message_of(error)
    if code in _EXPIRED:
        return CredentialsExpired("the credentials have expired", doing=doing, remedy=RENEW)
    if code in _DENIED:
        return _denied(error, doing=doing, service=service)
    if code in _BAD_KEYS:
        return EnvironmentFault(
            f"AWS does not know these credentials ({code})", doing=doing, remedy="check the profile's keys"
        )
    if code in _SKEWED:
        remedy = "check the secret key and this machine's clock"
        return EnvironmentFault(f"the signature was not accepted ({code}): {message}", doing=doing, remedy=remedy)
    if transient(error):
        text = f"{service} went on failing with {code}: {message}"
        return EnvironmentFault(text, doing=doing, remedy="run the same command again later")
    return Rejected(f"{message} ({code})", reason=code, doing=doing)


def _denied(error: ClientError, *, doing: str, service: str) -> NotPermitted:
    message = message_of(error)
    action = match["action"] if (match := _ACTION.search(message)) else f"{service}:{error.operation_name}"
    who = f' to "{match["who"]}"' if (match := _WHO.search(message)) else ""
    where = f' on "{match["resource"]}"' if (match := _RESOURCE.search(message)) else ""
    detail = "" if who else f": {message}"
    return NotPermitted(f"{action} is not permitted{who}{where}{detail}", doing=doing, remedy=f'allow "{action}"')
