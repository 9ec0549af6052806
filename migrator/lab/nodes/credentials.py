"""Which credentials a process in a container gets, in the order in which botocore's default chain looks.

The environment's keys, then web identity, then the container provider. There is no instance metadata here.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import urllib3

from migrator.lab.nodes.botoclients import Clients, Keys

if TYPE_CHECKING:
    from migrator.lab.nodes.process import Process

ATTEMPTS = 3
RETRY_SECONDS = 0.2  # botocore waits a second; a practice pod has no reason to
_ALLOWED_HOSTS = ("169.254.170.2", "169.254.170.23", "fd00:ec2::23", "localhost", "127.0.0.1")


class NoCredentialsFoundError(Exception):
    """No source of the chain has anything."""


class CredentialsFailedError(Exception):
    """A source that is configured does not answer as it should."""


class Agents(Protocol):
    """Where the agent of a node listens."""

    def url(self, node: str) -> str | None:
        """Base URL of the credentials endpoint on a node; None while no agent runs there."""


def resolve(process: Process, clients: Clients, agents: Agents, region: str) -> Keys:
    """The credentials of a process.

    Raises:
        NoCredentialsFoundError: nothing is configured.
        CredentialsFailedError: what is configured does not work.
        ClientError: STS refuses the web identity.
    """
    env = process.env
    if env.get("AWS_ACCESS_KEY_ID"):
        if not env.get("AWS_SECRET_ACCESS_KEY"):
            raise CredentialsFailedError("Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY")
        token = env.get("AWS_SESSION_TOKEN") or env.get("AWS_SECURITY_TOKEN")
        return Keys(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], token)
    if env.get("AWS_WEB_IDENTITY_TOKEN_FILE"):
        return _web_identity(process, clients, region)
    if env.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"):
        uri = "http://169.254.170.2" + env["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]
        raise _failed(_unreachable(uri))
    if env.get("AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        return _container(process, agents)
    raise NoCredentialsFoundError


def _web_identity(process: Process, clients: Clients, region: str) -> Keys:
    path, role = process.env["AWS_WEB_IDENTITY_TOKEN_FILE"], process.env.get("AWS_ROLE_ARN")
    if not role:
        raise CredentialsFailedError(
            "The provided profile or the current environment is configured to assume role with web identity "
            "but has no role ARN configured. Ensure that the profile has the role_arn configuration set or "
            "the AWS_ROLE_ARN env var is set."
        )
    try:
        token = process.read(path).decode()
    except OSError:
        raise CredentialsFailedError(f"[Errno 2] No such file or directory: '{path}'") from None
    name = process.env.get("AWS_ROLE_SESSION_NAME") or f"botocore-session-{int(time.time())}"
    with clients.kept("sts", region, None) as client:
        answer = client.assume_role_with_web_identity(RoleArn=role, RoleSessionName=name, WebIdentityToken=token)
    found = answer["Credentials"]
    return Keys(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])


def _container(process: Process, agents: Agents) -> Keys:
    uri = process.env["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
    host = urlsplit(uri).hostname or ""
    if host not in _ALLOWED_HOSTS:
        raise CredentialsFailedError(
            f"Unsupported host '{host}'.  Can only retrieve metadata from a loopback address or "
            f"one of these hosts: {', '.join(_ALLOWED_HOSTS)}"
        )
    headers = {"Accept": "application/json", "Host": urlsplit(uri).netloc, **_authorization(process)}
    problem = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(RETRY_SECONDS)
        base = agents.url(str(process.pod["spec"].get("nodeName", "")))
        found, problem = _ask(base, uri, headers)
        if found is not None:
            return Keys(found["AccessKeyId"], found["SecretAccessKey"], found["Token"])
    raise _failed(problem)


def _authorization(process: Process) -> dict[str, str]:
    path = process.env.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
    if path is None:
        token = process.env.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
    else:
        try:
            token = process.read(path).decode()
        except OSError:
            raise CredentialsFailedError(f"[Errno 2] No such file or directory: '{path}'") from None
    return {"Authorization": token} if token else {}


def _ask(base: str | None, uri: str, headers: dict[str, str]) -> tuple[dict[str, Any] | None, str]:
    """The agent's answer, or what went wrong."""
    if base is None:
        return None, _unreachable(uri)
    try:
        with urllib3.PoolManager(retries=False, timeout=10.0) as pool:
            answer = pool.request("GET", base + urlsplit(uri).path, headers=headers)
    except urllib3.exceptions.HTTPError:
        return None, _unreachable(uri)
    text = answer.data.decode(errors="replace")
    if answer.status != 200:
        return None, f"Received non 200 response {answer.status} from container metadata: {text}"
    return json.loads(text), ""


def _unreachable(uri: str) -> str:
    return (
        f'Received error when attempting to retrieve container metadata: Could not connect to the endpoint URL: "{uri}"'
    )


def _failed(problem: str) -> CredentialsFailedError:
    return CredentialsFailedError(
        f"Error when retrieving credentials from container-role: Error retrieving metadata: {problem}"
    )
