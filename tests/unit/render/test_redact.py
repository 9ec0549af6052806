"""What never reaches a log, a plan or a report; and what is left alone."""

import pytest

from migrator.render.redact import redact, redacted

HIDDEN = {
    "[cluster token]": ("token k8s-aws-v1.aHR0cHM6Ly9zdHMuYW1hem9u end", "token [hidden] end"),
    "[web token]": ("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4eXoifQ.c2lnbmF0dXJl", "[hidden]"),
    "[bearer]": ("Authorization: Bearer abcdef0123456789", "Authorization: Bearer [hidden]"),
    "[signed URL]": (
        "https://sts/?X-Amz-Security-Token=FwoG%2F&X-Amz-Signature=abc123&x=1",
        "https://sts/?X-Amz-Security-Token=[hidden]&X-Amz-Signature=[hidden]&x=1",
    ),
    "[secret key] in a file": (
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCY",
        "aws_secret_access_key = [hidden]",
    ),
    "[secret key] in JSON": (
        '{"SecretAccessKey": "wJalrXUtnFEMI/K7MDENG", "a": 1}',
        '{"SecretAccessKey": "[hidden]", "a": 1}',
    ),
    "[secret key] in an environment": ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG", "AWS_SECRET_ACCESS_KEY=[hidden]"),
    "[session token]": ("AWS_SESSION_TOKEN=IQoJb3JpZ2luX2Vj/abc", "AWS_SESSION_TOKEN=[hidden]"),
}
KEPT = (
    "arn:aws:iam::111122223333:role/orders",
    "env AWS_SECRET_ACCESS_KEY is set in Deployment orders",
    "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token",
    "the bearer token was refused",
)


@pytest.mark.parametrize(("text", "expected"), HIDDEN.values(), ids=HIDDEN.keys())
def test_hidden(text: str, expected: str) -> None:
    assert redact(text) == expected


@pytest.mark.parametrize("text", KEPT)
def test_kept(text: str) -> None:
    assert redact(text) == text


def test_plain_data_is_walked() -> None:
    token = "k8s-aws-v1.aHR0cHM6"

    assert redacted({"a": [token, {"b": (token, 3, None)}]}) == {"a": ["[hidden]", {"b": ["[hidden]", 3, None]}]}
