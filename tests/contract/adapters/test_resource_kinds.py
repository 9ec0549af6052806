"""Keys, queues, topics and secrets over a real socket: each kind in pages, and each thing's policy by its own call."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import pytest

from migrator.adapters.aws.resource_policies import ResourceReading
from migrator.adapters.aws.sessions import AwsSessions
from migrator.model.facts import Unread
from migrator.model.resource_policies import ResourcePolicies
from tests.contract.adapters.scripted import Asked, Said, Server
from tests.contract.adapters.test_aws import HOME, Cloud, fault, xml

WHERE = f"us-east-1:{HOME}"
POLICY = json.dumps({"Version": "2012-10-17", "Statement": []})
URL = f"https://sqs.us-east-1.amazonaws.com/{HOME}"
NAMES = ("a", "b", "c")


class Script(NamedTuple):
    """How a kind is listed and read: the operations, and what they answer."""

    called: str
    listing: str
    page: Callable[[Any, str | None], Any]  # of names and the token of the next page
    reading: str
    policy: Callable[[str], Any]
    name: Callable[[Mapping[str, str]], str]  # whose policy is asked for
    arn: str


def _more(key: str, token: str | None) -> dict[str, Any]:
    return {key: token} if token else {}


KINDS = {
    "kms": Script(
        "KMS key",
        "TrentService.ListKeys",
        lambda names, token: {
            "Keys": [{"KeyId": name, "KeyArn": f"arn:aws:kms:{WHERE}:key/{name}"} for name in names],
            "Truncated": token is not None,
            **_more("NextMarker", token),
        },
        "TrentService.GetKeyPolicy",
        lambda text: {"Policy": text, "PolicyName": "default"},
        lambda asked: asked["KeyId"],
        f"arn:aws:kms:{WHERE}:key/",
    ),
    "sqs": Script(
        "SQS queue",
        "AmazonSQS.ListQueues",
        lambda names, token: {"QueueUrls": [f"{URL}/{name}" for name in names], **_more("NextToken", token)},
        "AmazonSQS.GetQueueAttributes",
        lambda text: {"Attributes": {"Policy": text}} if text else {},
        lambda asked: asked["QueueUrl"].rpartition("/")[2],
        f"arn:aws:sqs:{WHERE}:",
    ),
    "secretsmanager": Script(
        "secret",
        "secretsmanager.ListSecrets",
        lambda names, token: {
            "SecretList": [{"ARN": f"arn:aws:secretsmanager:{WHERE}:secret:{name}"} for name in names],
            **_more("NextToken", token),
        },
        "secretsmanager.GetResourcePolicy",
        lambda text: {"ResourcePolicy": text} if text else {},
        lambda asked: asked["SecretId"].rpartition(":")[2],
        f"arn:aws:secretsmanager:{WHERE}:secret:",
    ),
}


def json_error(status: int, code: str, message: str = "said so") -> Said:
    return Said(status, json.dumps({"__type": code, "message": message}).encode())


@dataclass
class Account:
    """Everything empty but one kind, whose things come two to a page; `policies` are other answers than a policy."""

    service: str
    names: tuple[str, ...] = NAMES
    policies: Mapping[str, Said | str] = field(default_factory=dict)
    sts: Cloud = field(default_factory=Cloud)

    def __call__(self, request: Asked) -> Said:
        if request.path == "/" and request.method == "GET":
            return Said(body=b"<ListAllMyBucketsResult><Buckets></Buckets></ListAllMyBucketsResult>")
        target = request.headers.get("x-amz-target")
        return self._form(request) if target is None else self._json(target, json.loads(request.body))

    def _form(self, request: Asked) -> Said:
        form = dict(parse_qsl(request.body.decode()))
        if form["Action"] == "ListTopics":
            names, token = self._page("sns", form.get("NextToken"))
            rows = "".join(f"<member><TopicArn>arn:aws:sns:{WHERE}:{name}</TopicArn></member>" for name in names)
            return xml("ListTopics", f"<Topics>{rows}</Topics>" + (f"<NextToken>{token}</NextToken>" if token else ""))
        if form["Action"] == "GetTopicAttributes":
            answer = self.policies.get(form["TopicArn"].rpartition(":")[2], POLICY)
            entry = f"<entry><key>Policy</key><value>{answer}</value></entry>"
            return (
                answer if isinstance(answer, Said) else xml("GetTopicAttributes", f"<Attributes>{entry}</Attributes>")
            )
        return self.sts(request)

    def _json(self, target: str, asked: Mapping[str, str]) -> Said:
        service, kind = next((key, kind) for key, kind in KINDS.items() if target in {kind.listing, kind.reading})
        if target == kind.listing:
            names, token = self._page(service, asked.get("NextToken") or asked.get("Marker"))
            return Said(body=json.dumps(kind.page(names, token)).encode())
        answer = self.policies.get(kind.name(asked), POLICY)
        return answer if isinstance(answer, Said) else Said(body=json.dumps(kind.policy(answer)).encode())

    def _page(self, service: str, token: str | None) -> tuple[tuple[str, ...], str | None]:
        start = int(token or "0")
        names = self.names if service == self.service else ()
        return names[start : start + 2], str(start + 2) if len(names) > start + 2 else None


def read(sessions: AwsSessions) -> ResourcePolicies:
    return ResourceReading(sessions).read([(HOME, "us-east-1")])


PREFIXES = {**{service: kind.arn for service, kind in KINDS.items()}, "sns": f"arn:aws:sns:{WHERE}:"}
CALLED = {**{service: kind.called for service, kind in KINDS.items()}, "sns": "SNS topic"}
EACH = pytest.mark.parametrize("service", sorted(PREFIXES))


@EACH
def test_things_come_in_pages_each_with_its_policy(cloud: Server, sessions: AwsSessions, service: str) -> None:
    cloud.answer = Account(service)
    found = read(sessions)
    assert [one.arn for one in found.found] == [PREFIXES[service] + name for name in NAMES]
    assert {(one.kind, one.account, one.document) for one in found.found} == {(CALLED[service], HOME, POLICY)}
    assert {one.decides for one in found.found} == {service == "kms"}
    assert found.unread == {HOME: ()}


GONE = {
    "kms": json_error(400, "NotFoundException"),
    "sqs": json_error(400, "com.amazonaws.sqs#QueueDoesNotExist"),
    "sns": fault("NotFound", 404),
    "secretsmanager": json_error(400, "ResourceNotFoundException"),
}


@EACH
def test_what_is_gone_meanwhile_has_no_policy(cloud: Server, sessions: AwsSessions, service: str) -> None:
    cloud.answer = Account(service, policies={"a": GONE[service]})
    found = read(sessions)
    assert ([one.arn[-1] for one in found.found], found.unread) == (["b", "c"], {HOME: ()})


@pytest.mark.parametrize("service", ["sqs", "secretsmanager"])
def test_what_has_no_policy(cloud: Server, sessions: AwsSessions, service: str) -> None:
    cloud.answer = Account(service, policies={"b": ""})
    found = read(sessions)
    assert ([one.arn[-1] for one in found.found], found.unread) == (["a", "c"], {HOME: ()})


DENIED = {
    "kms": json_error(400, "AccessDeniedException", "User: ann is not authorized to perform: kms:GetKeyPolicy"),
    "sqs": json_error(403, "AccessDeniedException", "User: ann is not authorized to perform: sqs:getqueueattributes"),
    "sns": fault("AuthorizationError", 403, "User: ann is not authorized to perform: SNS:GetTopicAttributes"),
    "secretsmanager": json_error(400, "AccessDeniedException", "User: ann is not authorized to perform: x:GetIt"),
}


@EACH
def test_what_may_not_be_read_is_told(cloud: Server, sessions: AwsSessions, service: str) -> None:
    cloud.answer = Account(service, policies={"b": DENIED[service]})
    found = read(sessions)
    assert [one.arn[-1] for one in found.found] == ["a", "c"]
    (unread,) = found.unread[HOME]
    name = (PREFIXES[service] + "b").split(":", 5)[5]
    assert unread.what == f"policy of {CALLED[service]} {name} of account {HOME} in us-east-1"
    assert "is not permitted" in unread.why


@EACH
def test_a_kind_that_may_not_be_read_at_all_is_told_once(cloud: Server, sessions: AwsSessions, service: str) -> None:
    names = tuple("abcdefgh")
    cloud.answer = Account(service, names=names, policies=dict.fromkeys(names, DENIED[service]))
    found = read(sessions)
    (unread,) = found.unread[HOME]
    what = f"policies of {CALLED[service]}s of account {HOME} in us-east-1"
    assert (found.found, unread) == ((), Unread(what=what, why=unread.why))
