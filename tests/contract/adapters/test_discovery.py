"""ListClusters over a real socket: page after page, and what is said of a region that refuses."""

import json
from collections.abc import Callable

import pytest

from migrator.adapters.aws.discovery import Discovery, regions_like
from migrator.adapters.aws.sessions import AwsSessions
from migrator.model.errors import NotPermitted
from tests.contract.adapters.scripted import Asked, Said, Server
from tests.contract.adapters.test_aws import HOME, Cloud

NAMES = [f"c{number}" for number in range(250)]


def listing(clusters: Callable[[Asked], Said]) -> Callable[[Asked], Said]:
    """STS as ever, and EKS by this."""
    sts = Cloud()
    return lambda request: clusters(request) if request.path.startswith("/clusters") else sts(request)


def pages(request: Asked) -> Said:
    start, size = int(request.query.get("nextToken", "0")), int(request.query["maxResults"])
    assert "include" not in request.query  # else connected clusters are listed too
    more = {"nextToken": str(start + size)} if start + size < len(NAMES) else {}
    return Said(body=json.dumps({"clusters": NAMES[start : start + size], **more}).encode())


def refusal(_request: Asked) -> Said:
    body = {"message": "User: arn:aws:iam::111111111111:user/ann is not authorized to perform: eks:ListClusters"}
    return Said(403, json.dumps(body).encode(), {"x-amzn-ErrorType": "AccessDeniedException"})


def test_every_page_is_read(cloud: Server, sessions: AwsSessions) -> None:
    cloud.answer = listing(pages)

    assert Discovery(sessions).clusters(HOME, "us-east-1") == NAMES


def test_a_refusal_names_the_permission(cloud: Server, sessions: AwsSessions) -> None:
    cloud.answer = listing(refusal)

    with pytest.raises(NotPermitted, match="eks:ListClusters is not permitted"):
        Discovery(sessions).clusters(HOME, "us-east-1")


def test_regions_by_name_and_by_glob() -> None:
    assert regions_like(["eu-nowhere-9", "cn-*", "us-gov-*", "cn-north-1"]) == [
        "eu-nowhere-9",
        "cn-north-1",
        "cn-northwest-1",
        "us-gov-east-1",
        "us-gov-west-1",
    ]
