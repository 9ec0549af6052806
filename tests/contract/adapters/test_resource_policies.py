"""Policies of buckets and the like over a real socket: in pages, region by region, and what is refused of them."""

import json
from dataclasses import dataclass, field

import pytest

from migrator.adapters.aws.resource_kinds import KINDS
from migrator.adapters.aws.resource_policies import ResourceReading
from migrator.adapters.aws.sessions import AwsSessions
from migrator.model.facts import Unread
from migrator.model.resource_policies import ResourcePolicy
from tests.contract.adapters.scripted import Asked, Said, Server
from tests.contract.adapters.test_aws import AWAY, HOME, Cloud, xml

PLACES = [(HOME, "us-east-1")]
POLICY = json.dumps({"Version": "2012-10-17", "Statement": []})
DENIED = (403, "AccessDenied", "User: ann is not authorized to perform: s3:{action} on resource: r")
Answer = tuple[int, str, str] | str


def region_of(asked: Asked) -> str:
    return asked.headers["authorization"].split("Credential=")[1].split("/")[2]


def bucket(name: str, account: str = HOME) -> ResourcePolicy:
    return ResourcePolicy(arn=f"arn:aws:s3:::{name}", kind="S3 bucket", account=account, document=POLICY)


def s3_error(status: int, code: str, message: str = "said so", **headers: str) -> Said:
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
    return Said(
        status, body, {"Content-Type": "application/xml", **{k.replace("_", "-"): v for k, v in headers.items()}}
    )


def named(*names: str) -> list[tuple[str, str]]:
    return [(name, "us-east-1") for name in names]


@dataclass
class Buckets:
    """S3 of every account, with names and regions of buckets, two to a page; STS beside it.

    `policies` are answers other than a plain policy; `told` is whether the list names regions.
    """

    rows: list[tuple[str, str]]
    policies: dict[str, Answer] = field(default_factory=dict)
    listing: Said | None = None
    told: bool = True
    asked: list[tuple[str, str]] = field(default_factory=list)  # what, in which region
    sts: Cloud = field(default_factory=Cloud)

    def __call__(self, request: Asked) -> Said:
        if request.method == "POST":
            return self._others(request)
        self.asked.append((request.path, region_of(request)))
        if request.path == "/":
            return self.listing or self._page(request)
        assert "policy" in request.query or request.query == {}
        return self._policy(request.path.removeprefix("/"), region_of(request))

    def _others(self, request: Asked) -> Said:
        """STS, and no thing of any other kind."""
        if "x-amz-target" in request.headers:
            return Said(body=b'{"Keys": [], "SecretList": []}')
        if b"Action=ListTopics" in request.body:
            return xml("ListTopics", "<Topics></Topics>")
        return self.sts(request)

    def _page(self, request: Asked) -> Said:
        assert request.query["max-buckets"] == "1000"
        start = int(request.query.get("continuation-token", "0"))
        rows = "".join(self._row(*row) for row in self.rows[start : start + 2])
        more = start + 2 < len(self.rows)
        token = f"<ContinuationToken>{start + 2}</ContinuationToken>" if more else ""
        return Said(body=f"<ListAllMyBucketsResult><Buckets>{rows}</Buckets>{token}</ListAllMyBucketsResult>".encode())

    def _row(self, name: str, region: str) -> str:
        where = f"<BucketRegion>{region}</BucketRegion>" if self.told else ""
        return f"<Bucket><Name>{name}</Name><CreationDate>2026-01-01T00:00:00Z</CreationDate>{where}</Bucket>"

    def _policy(self, name: str, region: str) -> Said:
        home = dict(self.rows)[name]
        if home != region:
            return s3_error(301, "PermanentRedirect", x_amz_bucket_region=home)
        answer = self.policies.get(name, POLICY)
        return Said(body=answer.encode()) if isinstance(answer, str) else s3_error(*answer)


@pytest.fixture
def reading(sessions: AwsSessions) -> ResourceReading:
    return ResourceReading(sessions)


def test_buckets_come_in_pages_and_each_is_asked_in_its_own_region(cloud: Server, reading: ResourceReading) -> None:
    script = cloud.answer = Buckets([("a", "us-east-1"), ("b", "eu-west-1"), ("c", "eu-west-1"), ("d", "us-east-1")])
    found = reading.read(PLACES)
    assert (found.found, found.unread) == (tuple(map(bucket, "abcd")), {HOME: ()})
    assert sorted(script.asked) == [
        ("/", "us-east-1"),
        ("/", "us-east-1"),
        ("/a", "us-east-1"),
        ("/b", "eu-west-1"),
        ("/c", "eu-west-1"),
        ("/d", "us-east-1"),
    ]


def test_a_bucket_whose_region_nobody_tells_is_found_by_its_redirect(cloud: Server, reading: ResourceReading) -> None:
    cloud.answer = Buckets([("far", "eu-west-1")], told=False)
    assert reading.read(PLACES).found == (bucket("far"),)


def test_buckets_are_listed_once_for_an_account_of_several_regions(cloud: Server, reading: ResourceReading) -> None:
    script = cloud.answer = Buckets(named("a"))
    found = reading.read([(HOME, "us-east-1"), (HOME, "eu-west-1"), (AWAY, "us-east-1")])
    assert found.found == (bucket("a"), bucket("a", AWAY))
    assert [path for path, _ in script.asked].count("/") == 2


@pytest.mark.parametrize("code", ["NoSuchBucketPolicy", "NoSuchBucket"])
def test_a_bucket_without_a_policy_is_no_error(cloud: Server, reading: ResourceReading, code: str) -> None:
    cloud.answer = Buckets(named("a", "b"), {"a": (404, code, "none")})
    found = reading.read(PLACES)
    assert (found.found, found.unread) == ((bucket("b"),), {HOME: ()})


def test_a_list_that_may_not_be_read_is_told(cloud: Server, reading: ResourceReading) -> None:
    status, code, message = DENIED
    cloud.answer = Buckets([], listing=s3_error(status, code, message.format(action="ListAllMyBuckets")))
    why = 's3:ListAllMyBuckets is not permitted to "ann" on "r"'
    found = reading.read(PLACES)
    assert found.unread == {HOME: (Unread(what=f"policies of S3 buckets of account {HOME}", why=why),)}


def test_policies_that_may_not_be_read_are_told_in_one_line(cloud: Server, reading: ResourceReading) -> None:
    cloud.answer = Buckets(named("a", "b", "c", "d", "e", "f"), dict.fromkeys("bcdef", DENIED))
    found = reading.read(PLACES)
    assert found.found == (bucket("a"),)
    (unread,) = found.unread[HOME]
    assert unread.what == f"policies of S3 buckets b, c, d and 2 more of account {HOME} in us-east-1"


def test_what_is_refused_for_the_first_is_not_asked_for_the_rest(cloud: Server, reading: ResourceReading) -> None:
    script = cloud.answer = Buckets(named(*"abcdefgh"), dict.fromkeys("abcdefgh", DENIED))
    found = reading.read(PLACES)
    assert [one.what for one in found.unread[HOME]] == [f"policies of S3 buckets of account {HOME} in us-east-1"]
    assert {path for path, _ in script.asked} == {"/", "/a", "/b", "/c"}


def test_a_region_that_is_left_alone_takes_no_other_with_it(cloud: Server, reading: ResourceReading) -> None:
    far = [(name, "eu-west-1") for name in "efgh"]
    script = cloud.answer = Buckets([*named(*"abcd"), *far], dict.fromkeys("efgh", DENIED))
    found = reading.read(PLACES)
    assert found.found == tuple(map(bucket, "abcd"))
    assert [one.what for one in found.unread[HOME]] == [f"policies of S3 buckets of account {HOME} in eu-west-1"]
    assert "/h" not in {path for path, _ in script.asked}


def test_one_refusal_says_nothing_of_the_others(cloud: Server, reading: ResourceReading) -> None:
    cloud.answer = Buckets(named(*"abcdefgh"), {"a": DENIED})
    found = reading.read(PLACES)
    assert found.found == tuple(map(bucket, "bcdefgh"))
    assert [one.what for one in found.unread[HOME]] == [f"policy of S3 bucket a of account {HOME} in us-east-1"]


def test_an_account_that_is_not_reached_stops_no_other(cloud: Server, reading: ResourceReading) -> None:
    cloud.answer = Buckets(named("a"))
    found = reading.read([(HOME, "us-east-1"), ("333333333333", "us-east-1")])
    assert found.found == (bucket("a"),)
    assert [one.what.split(" of ")[1] for one in found.unread["333333333333"]] == [f"{one.called}s" for one in KINDS]
    assert all("nowhere" in one.why for one in found.unread["333333333333"])
