"""botocore's exceptions, and what they become."""

from typing import Any

import pytest
from botocore import exceptions as boto
from botocore.exceptions import ClientError

from migrator.adapters.aws.errors import mapped, transient
from migrator.model.errors import CredentialsExpired, EnvironmentFault, MigrateError, NotPermitted, Rejected
from migrator.model.exits import Exit

PASS_ROLE = (
    "User: arn:aws:sts::111111111111:assumed-role/ops/ann is not authorized to perform: iam:PassRole on resource: "
    "arn:aws:iam::111111111111:role/orders because no identity-based policy allows the iam:PassRole action"
)


def answer(code: str, message: str = "said so", status: int = 400, operation: str = "GetRole") -> ClientError:
    parsed: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(parsed, operation)


def unreachable() -> Exception:
    return boto.EndpointConnectionError(endpoint_url="https://iam.amazonaws.com/")


# name: error, kind, words that must be in the sentence
CASES: dict[str, tuple[Exception, type[MigrateError], str]] = {
    "denied: action from the message": (
        answer("AccessDeniedException", PASS_ROLE, 403, "CreatePodIdentityAssociation"),
        NotPermitted,
        'iam:PassRole is not permitted to "arn:aws:sts::111111111111:assumed-role/ops/ann" on "arn:aws:iam::11',
    ),
    "denied: action from the operation": (
        answer("AccessDenied", "no", 403),
        NotPermitted,
        "iam:GetRole is not permitted",
    ),
    "expired: token": (answer("ExpiredToken", status=403), CredentialsExpired, "have expired"),
    "expired: token, other spelling": (answer("ExpiredTokenException", status=403), CredentialsExpired, "resumes"),
    "expired: sign-in": (boto.UnauthorizedSSOTokenError(), CredentialsExpired, "aws sso login"),
    "throttled to the end": (answer("Throttling"), EnvironmentFault, "went on failing with Throttling"),
    "server fault to the end": (answer("ServiceFailure", status=500), EnvironmentFault, "went on failing"),
    "unknown keys": (answer("InvalidClientTokenId", status=403), EnvironmentFault, "does not know these credentials"),
    "clock or secret": (answer("SignatureDoesNotMatch", status=403), EnvironmentFault, "clock"),
    "no credentials": (boto.NoCredentialsError(), EnvironmentFault, "no usable credentials"),
    "no such profile": (boto.ProfileNotFound(profile="prod"), EnvironmentFault, "(prod)"),
    "unreachable": (unreachable(), EnvironmentFault, "iam could not be reached"),
    "certificate": (
        boto.SSLError(endpoint_url="https://iam.amazonaws.com", error=OSError("self-signed")),
        EnvironmentFault,
        "certificate of iam was not accepted",
    ),
    "refused": (
        answer("MalformedPolicyDocument", "bad principal"),
        Rejected,
        "bad principal (MalformedPolicyDocument)",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_becomes(name: str) -> None:
    error, kind, words = CASES[name]
    found = mapped(error, doing='reading role "orders"', service="iam")
    assert type(found) is kind
    assert words in found.sentence()
    assert found.sentence().startswith('reading role "orders": ')


def test_expired_credentials_end_unfinished() -> None:
    assert mapped(answer("ExpiredToken"), doing="", service="iam").exit is Exit.UNFINISHED


def test_a_rejection_carries_the_services_code() -> None:
    found = mapped(answer("NoSuchEntity", status=404), doing="", service="iam")
    assert isinstance(found, Rejected)
    assert found.reason == "NoSuchEntity"


@pytest.mark.parametrize(
    ("error", "again"),
    [
        pytest.param(answer("Throttling"), True, id="IAM's throttle, a 400"),
        pytest.param(answer("ThrottlingException", status=429), True, id="EKS's throttle"),
        pytest.param(answer("Odd", status=429), True, id="any 429"),
        pytest.param(answer("ServerException", status=500), True, id="500"),
        pytest.param(answer("Odd", status=503), True, id="503"),
        pytest.param(answer("ConcurrentModification", status=409), True, id="IAM's concurrent modification"),
        pytest.param(answer("NotImplemented", status=501), False, id="501"),
        pytest.param(answer("LimitExceeded", status=409), False, id="IAM's quota is for good"),
        pytest.param(answer("ExpiredToken", status=403), False, id="expired"),
        pytest.param(unreachable(), True, id="connect"),
        pytest.param(boto.ReadTimeoutError(endpoint_url="x"), True, id="read timeout"),
        pytest.param(boto.ConnectionClosedError(endpoint_url="x"), True, id="closed"),
        pytest.param(boto.SSLError(endpoint_url="x", error=OSError()), False, id="certificate"),
        pytest.param(boto.NoCredentialsError(), False, id="no credentials"),
        pytest.param(ValueError(), False, id="not of this side"),
    ],
)
def test_worth_another_try(error: Exception, again: bool) -> None:
    assert transient(error) is again
