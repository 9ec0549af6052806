"""The kinds of things whose policies are read: how each is listed, and how one's policy is asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

_Page = tuple[Sequence[Any], str | None]  # rows, and the token of the next page


@dataclass(frozen=True, slots=True)
class Place:
    """A region of an account."""

    account: str
    region: str

    def __str__(self) -> str:
        return f"account {self.account} in {self.region}"


@dataclass(frozen=True, slots=True, order=True)
class Thing:
    """A bucket, a key ...; `name` is what its service is asked by, `region` where it is, if elsewhere than asked."""

    arn: str
    name: str
    region: str = ""

    @property
    def shown(self) -> str:
        """What people call it: its ARN without what is the same for all of a place."""
        return self.arn.split(":", 5)[5]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How a kind of things is read: in pages by a token, each policy by its thing's name; None where it has none.

    `decides` as in `ResourcePolicy`; what is not `regional` is listed for all regions at once.
    """

    called: str
    service: str
    page: Callable[[Any, str | None], _Page]
    thing: Callable[[Any, Place, str], Thing]  # of a row, the place asked, the partition
    policy: Callable[[Any, str], str | None]
    regional: bool = True
    decides: bool = False


def _buckets(client: Any, token: str | None) -> _Page:
    """With a parameter, the answer comes in pages and names each bucket's region."""
    answer = client.list_buckets(MaxBuckets=1000, **({"ContinuationToken": token} if token else {}))
    return answer["Buckets"], answer.get("ContinuationToken")


def _bucket(row: Any, _place: Place, partition: str) -> Thing:
    return Thing(f"arn:{partition}:s3:::{row['Name']}", row["Name"], row.get("BucketRegion", ""))


def _bucket_policy(client: Any, name: str) -> str | None:
    text: str = client.get_bucket_policy(Bucket=name)["Policy"]
    return text


def _keys(client: Any, token: str | None) -> _Page:
    """AWS's own keys among them: telling those apart would take more calls than their policies."""
    answer = client.list_keys(Limit=1000, **({"Marker": token} if token else {}))
    return answer["Keys"], answer.get("NextMarker") if answer.get("Truncated") else None


def _key(row: Any, _place: Place, _partition: str) -> Thing:
    return Thing(row["KeyArn"], row["KeyId"])


def _key_policy(client: Any, name: str) -> str | None:
    text: str = client.get_key_policy(KeyId=name, PolicyName="default")["Policy"]
    return text


def _queues(client: Any, token: str | None) -> _Page:
    answer = client.list_queues(MaxResults=1000, **({"NextToken": token} if token else {}))
    return answer.get("QueueUrls", ()), answer.get("NextToken")


def _queue(row: Any, place: Place, partition: str) -> Thing:
    name = row.rpartition("/")[2]
    return Thing(f"arn:{partition}:sqs:{place.region}:{place.account}:{name}", row)


def _queue_policy(client: Any, name: str) -> str | None:
    answer = client.get_queue_attributes(QueueUrl=name, AttributeNames=["Policy"])
    text: str | None = answer.get("Attributes", {}).get("Policy")
    return text


def _topics(client: Any, token: str | None) -> _Page:
    answer = client.list_topics(**({"NextToken": token} if token else {}))
    return [row["TopicArn"] for row in answer["Topics"]], answer.get("NextToken")


def _topic_policy(client: Any, name: str) -> str | None:
    text: str | None = client.get_topic_attributes(TopicArn=name)["Attributes"].get("Policy")
    return text


def _secrets(client: Any, token: str | None) -> _Page:
    answer = client.list_secrets(MaxResults=100, **({"NextToken": token} if token else {}))
    return [row["ARN"] for row in answer["SecretList"]], answer.get("NextToken")


def _secret_policy(client: Any, name: str) -> str | None:
    text: str | None = client.get_resource_policy(SecretId=name).get("ResourcePolicy")
    return text


def _by_arn(row: Any, _place: Place, _partition: str) -> Thing:
    return Thing(row, row)


KINDS = (
    Kind(called="S3 bucket", service="s3", page=_buckets, thing=_bucket, policy=_bucket_policy, regional=False),
    Kind(called="KMS key", service="kms", page=_keys, thing=_key, policy=_key_policy, decides=True),
    Kind(called="SQS queue", service="sqs", page=_queues, thing=_queue, policy=_queue_policy),
    Kind(called="SNS topic", service="sns", page=_topics, thing=_by_arn, policy=_topic_policy),
    Kind(called="secret", service="secretsmanager", page=_secrets, thing=_by_arn, policy=_secret_policy),
)
