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


KINDS = (Kind(called="S3 bucket", service="s3", page=_buckets, thing=_bucket, policy=_bucket_policy, regional=False),)
