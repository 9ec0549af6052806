"""The pod identity agent of one node: an HTTP credentials endpoint in front of EKS Auth.

Statuses, texts and caching are those of agent 0.1.37; it renews when asked rather than in the background.
"""

from __future__ import annotations

import base64
import binascii
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from migrator.lab.aws.ports import LAB_SECRET, lab_access_key
from migrator.lab.listener import Exchange, Listener
from migrator.lab.nodes.botoclients import Clients, Keys

if TYPE_CHECKING:
    from migrator.lab.nodes.specs import PodAws

HOSTS = ("169.254.170.23", "fd00:ec2::23")
_LONGEST = timedelta(hours=3)
_LEAST = timedelta(seconds=15)
_PER_SECOND, _BURST = 1000.0, 500.0
_DROPPING = frozenset(
    {"ResourceNotFoundException", "ExpiredTokenException", "InvalidTokenException", "AccessDeniedException"}
)
Clock = Callable[[], datetime]


class RefusedError(Exception):
    """A request that is not answered with credentials."""

    def __init__(self, status: int, text: str, code: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.code = code


@dataclass(frozen=True)
class _Entry:
    body: str
    expires: datetime
    renew: datetime


class IdentityAgent:
    """Serves `GET /v1/credentials` for the pods of a node, from `start()` to `stop()`."""

    def __init__(self, aws: PodAws, clients: Clients, now: Clock = lambda: datetime.now(UTC)) -> None:
        self._aws, self._clients, self._now = aws, clients, now
        self._entries: dict[str, _Entry] = {}
        self._waiting: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        self._tokens, self._filled = _BURST, time.monotonic()
        self._listener = Listener(self._respond)
        self.url = self._listener.url

    def start(self) -> None:
        """Listen."""
        self._listener.start()

    def stop(self) -> None:
        """Stop listening."""
        self._listener.stop()

    def _respond(self, exchange: Exchange) -> None:
        exchange.read_body()
        if exchange.path.split("?")[0] != "/v1/credentials":
            exchange.refuse(404, "404 page not found")
            return
        try:
            self._admit(exchange.headers.get("Host", ""))
            body = self.credentials(exchange.headers.get("Authorization", ""))
        except RefusedError as refusal:
            exchange.refuse(refusal.status, str(refusal))
        else:
            exchange.reply(200, body, "application/json")

    def credentials(self, token: str) -> str:
        """The answer's body for a ServiceAccount token.

        Raises:
            RefusedError: with the status and text to answer.
        """
        if not token:
            raise RefusedError(400, "Service account token cannot be empty")
        check_claims(token, self._now())
        with self._lock:
            waiting = self._waiting.setdefault(token, threading.Lock())
        with waiting:
            now, entry = self._now(), self._entries.get(token)
            if entry and now < entry.renew and entry.expires - now > _LEAST:
                return entry.body
            try:
                self._entries[token] = self._fetch(token, now)
            except RefusedError as refusal:
                if refusal.code in _DROPPING or entry is None or entry.expires - now <= _LEAST:
                    self._entries.pop(token, None)
                    raise
            return self._entries[token].body

    def _admit(self, host: str) -> None:
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and "]" not in host[-1:] else host
        name = name.strip("[]")
        if name not in HOSTS:
            raise RefusedError(
                403,
                "Access Denied. Called agent through invalid address, please use either "
                f"[{' '.join(HOSTS)}] address not {name}",
            )
        with self._lock:
            passed = time.monotonic() - self._filled
            self._tokens = min(_BURST, self._tokens + passed * _PER_SECOND)
            self._filled += passed
            if self._tokens < 1:
                raise RefusedError(429, "Too Many Requests")
            self._tokens -= 1

    def _keys(self) -> Keys:
        """The node role's keys; without that role there is nothing to sign with."""
        if self._aws.node_keys is None:
            return Keys(lab_access_key(self._aws.account), LAB_SECRET)
        try:
            return self._aws.node_keys()
        except LookupError as error:
            raise RefusedError(500, f"[]: no credentials of the node: {error}") from error

    def _fetch(self, token: str, now: datetime) -> _Entry:
        client = self._clients.client("eks-auth", self._aws.region, self._keys(), timeout=5.0)
        try:
            answer = client.assume_role_for_pod_identity(clusterName=self._aws.cluster_name, token=token)
        except ClientError as error:
            raise _refusal(error) from error
        except BotoCoreError as error:
            raise RefusedError(500, f"[]: {error}") from error
        found = answer["credentials"]
        expires = found["expiration"].astimezone(UTC)
        body = {
            "AccessKeyId": found["accessKeyId"],
            "SecretAccessKey": found["secretAccessKey"],
            "Token": found["sessionToken"],
            "AccountId": answer["assumedRoleUser"]["arn"].split(":")[4],
            "Expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        return _Entry(json.dumps(body), expires, now + min(expires - now, _LONGEST))


def check_claims(token: str, now: datetime) -> None:
    """Look at a token as the agent does: its shape and its times, not its signature.

    Raises:
        RefusedError: it is not a JWT, or not valid now.
    """
    try:
        _, payload, _ = token.split(".")
        claims: Any = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        expires, begins = float(claims.get("exp", 0)), float(claims.get("nbf", 0))
    except (ValueError, TypeError, AttributeError, binascii.Error) as error:
        raise RefusedError(400, f"Service account token cannot be parsed: {error}") from error
    moment = now.timestamp()
    if moment >= expires:
        text = "token has invalid claims: token is expired"
    elif moment < begins:
        text = "token has invalid claims: token is not valid yet"
    else:
        return
    raise RefusedError(400, f"Service account token failed basic claim validations: {text}")


def _refusal(error: ClientError) -> RefusedError:
    metadata = error.response.get("ResponseMetadata", {})
    status = int(metadata.get("HTTPStatusCode", 500))
    code = str(error.response["Error"].get("Code", ""))
    message = error.response["Error"].get("Message", "")
    fault = "server" if status >= 500 else "client"
    text = f"[{metadata.get('RequestId', '')}]: ({code}): {message}, fault: {fault}"
    return RefusedError(status, text, code)
