"""Puts a world's buckets, keys, queues, topics and secrets into the AWS front, with the policies that hang on them."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from migrator.lab.world.attempt import attempt
from migrator.lab.world.model import Account, Bucket, Guarded, Json

_ROLE_ID = re.compile(r"\$\{roleId:([^}]*)\}")
_Client = Callable[[str, str], Any]  # of a service, in a region


def seed_resources(account: Account, client: _Client) -> None:
    """Makes them; the account's roles are there.

    Raises:
        SeedError: AWS refuses one of them.
    """
    text = _Text(client("iam", account.home_region))
    for bucket in account.buckets:
        _bucket(client("s3", bucket.region), bucket, text)
    for thing in account.guarded:
        service, make = _MAKERS[thing.kind]
        make(client(service, thing.region), thing, text.of(thing))


class _Text:
    """Policies as JSON text; the ids that IAM gave the roles are asked for once each."""

    def __init__(self, iam: Any) -> None:
        self._iam = iam
        self._ids: dict[str, str] = {}

    def of(self, thing: Bucket | Guarded) -> str:
        """The thing's policy; empty without one."""

        def role_id(match: re.Match[str]) -> str:
            name = match[1]
            if name not in self._ids:
                self._ids[name] = attempt((*thing.at, "policy"), self._iam.get_role, RoleName=name)["Role"]["RoleId"]
            return self._ids[name]

        return _ROLE_ID.sub(role_id, _minified(thing.policy)) if thing.policy else ""


def _minified(document: Json) -> str:
    return json.dumps(document, separators=(",", ":"))


def _bucket(s3: Any, bucket: Bucket, text: _Text) -> None:
    where = None if bucket.region == "us-east-1" else {"LocationConstraint": bucket.region}
    attempt(bucket.at, s3.create_bucket, Bucket=bucket.name, CreateBucketConfiguration=where)
    if policy := text.of(bucket):
        attempt((*bucket.at, "policy"), s3.put_bucket_policy, Bucket=bucket.name, Policy=policy)
    for key, content in bucket.objects.items():
        attempt((*bucket.at, "objects", key), s3.put_object, Bucket=bucket.name, Key=key, Body=content.encode())


def _key(kms: Any, key: Guarded, policy: str) -> None:
    attempt(key.at, kms.create_key, Description=key.name, Policy=policy)


def _queue(sqs: Any, queue: Guarded, policy: str) -> None:
    attempt(queue.at, sqs.create_queue, QueueName=queue.name, Attributes=_attributes(policy))


def _topic(sns: Any, topic: Guarded, policy: str) -> None:
    attempt(topic.at, sns.create_topic, Name=topic.name, Attributes=_attributes(policy))


def _secret(secrets: Any, secret: Guarded, policy: str) -> None:
    attempt(secret.at, secrets.create_secret, Name=secret.name, SecretString="practice")
    if policy:
        at = (*secret.at, "policy")
        attempt(at, secrets.put_resource_policy, SecretId=secret.name, ResourcePolicy=policy)


def _attributes(policy: str) -> dict[str, str]:
    return {"Policy": policy} if policy else {}


_MAKERS: Mapping[str, tuple[str, Callable[[Any, Guarded, str], None]]] = {
    "keys": ("kms", _key),
    "queues": ("sqs", _queue),
    "topics": ("sns", _topic),
    "secrets": ("secretsmanager", _secret),
}
