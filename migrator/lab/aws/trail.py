"""CloudTrail's memory: the management events of every account and Region."""

from __future__ import annotations

import json
import threading
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from migrator.lab.aws.calls import mutates, redacted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrator.lab.aws.callers import Caller
    from migrator.lab.aws.wire import Request

_DATA_EVENTS = {
    "dynamodb": {
        "GetItem",
        "PutItem",
        "UpdateItem",
        "DeleteItem",
        "Query",
        "Scan",
        "BatchGetItem",
        "BatchWriteItem",
        "TransactGetItems",
        "TransactWriteItems",
    },
    "s3": {
        "GetObject",
        "PutObject",
        "HeadObject",
        "DeleteObject",
        "DeleteObjects",
        "CopyObject",
        "ListObjects",
        "ListObjectsV2",
        "ListObjectVersions",
        "HeadBucket",
        "UploadPart",
        "CreateMultipartUpload",
        "CompleteMultipartUpload",
    },
}


@dataclass(frozen=True)
class TrailEvent:
    """One event, as LookupEvents filters and answers it."""

    id: str
    name: str
    source: str
    time: datetime
    read_only: bool
    username: str
    access_key: str
    resources: tuple[tuple[str, str], ...]
    document: Mapping[str, Any]

    def as_output(self) -> dict[str, Any]:
        """The `Event` of LookupEvents."""
        output = {
            "EventId": self.id,
            "EventName": self.name,
            "ReadOnly": "true" if self.read_only else "false",
            "AccessKeyId": self.access_key or None,
            "EventTime": self.time,
            "EventSource": self.source,
            "Username": self.username or None,
            "Resources": [{"ResourceType": kind, "ResourceName": name} for kind, name in self.resources],
            "CloudTrailEvent": json.dumps(self.document),
        }
        return {key: value for key, value in output.items() if value is not None}


class Trail:
    """Events by account and Region, in the order in which they happened."""

    def __init__(self) -> None:
        self._events: dict[tuple[str, str], list[TrailEvent]] = {}
        self._lock = threading.Lock()

    def add(self, account: str, region: str, document: Mapping[str, Any]) -> TrailEvent:
        """Keeps an event given as the JSON object CloudTrail would deliver; worlds seed history with this too."""
        time = datetime.fromisoformat(str(document["eventTime"])).astimezone(UTC)
        identity = document.get("userIdentity") or {}
        event = TrailEvent(
            id=str(document.get("eventID") or uuid.uuid4()),
            name=str(document["eventName"]),
            source=str(document["eventSource"]),
            time=time,
            read_only=bool(document.get("readOnly", True)),
            username=_username(identity),
            access_key=str(identity.get("accessKeyId", "")),
            resources=tuple(
                (str(item.get("type", "")), str(item.get("ARN", ""))) for item in document.get("resources") or ()
            ),
            document=document,
        )
        with self._lock:
            self._events.setdefault((account, region), []).append(event)
        return event

    def events(self, account: str, region: str) -> list[TrailEvent]:
        """The events of one account and Region, newest first."""
        with self._lock:
            found = list(self._events.get((account, region), ()))
        return sorted(found, key=lambda event: event.time, reverse=True)


def _username(identity: Mapping[str, Any]) -> str:
    if identity.get("type") == "AssumedRole":
        return str(identity.get("arn", "")).rsplit("/", 1)[-1]
    return str(identity.get("userName") or "")


def identity_of(caller: Caller) -> dict[str, Any]:
    """The `userIdentity` of a signed call."""
    if caller.session is None:
        return {
            "type": "IAMUser",
            "principalId": caller.user_id,
            "arn": caller.arn,
            "accountId": caller.account,
            "accessKeyId": caller.access_key,
            "userName": caller.username,
        }
    issuer = {
        "type": "Role",
        "principalId": caller.session.role_id,
        "arn": caller.session.role_arn,
        "accountId": caller.account,
        "userName": caller.session.role_arn.rsplit("/", 1)[-1],
    }
    federation = {"federatedProvider": caller.session.federated} if caller.session.federated else {}
    return {
        "type": "AssumedRole",
        "principalId": caller.user_id,
        "arn": caller.arn,
        "accountId": caller.account,
        "accessKeyId": caller.access_key,
        "sessionContext": {"sessionIssuer": issuer, "webIdFederationData": federation, "attributes": {}},
    }


def copy_for(document: Mapping[str, Any], account: str) -> dict[str, Any]:
    """The event as the account of a resource gets it when another account has made the call."""
    identity = document["userIdentity"]
    if identity.get("type") != "AWSService":
        identity = {
            "type": "AWSAccount",
            "principalId": identity.get("principalId", ""),
            "accountId": identity.get("accountId", ""),
        }
    return {
        **document,
        "userIdentity": identity,
        "eventID": str(uuid.uuid4()),
        "sharedEventID": document["eventID"],
        "recipientAccountId": account,
    }


def is_management(service: str, operation: str) -> bool:
    """Whether LookupEvents knows such calls: data events it does not."""
    return bool(operation) and operation not in _DATA_EVENTS.get(service, set())


def event_of(request: Request, error_code: str, error_message: str) -> dict[str, Any]:
    """The event of a finished call; `request.event` holds what its handler knows better."""
    event: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": identity_of(request.caller) if request.caller else {"type": "Unknown"},
        "eventTime": request.time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": f"{request.service}.amazonaws.com",
        "eventName": request.action,
        "awsRegion": request.region,
        "sourceIPAddress": "127.0.0.1",
        "userAgent": request.http.headers.get("user-agent", ""),
        "requestParameters": _lower_keys(redacted(request.params)) or None,
        "responseElements": None,
        "requestID": request.id,
        "eventID": str(uuid.uuid4()),
        "readOnly": not mutates(request.action),
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": request.account,
        "eventCategory": "Management",
    }
    if error_code:
        event |= {"errorCode": error_code, "errorMessage": error_message}
    return event | request.event


def _lower_keys(value: Any) -> Any:
    """Members as CloudTrail spells them: first letter small."""
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: _lower_keys(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_lower_keys(item) for item in value]
    return value
