"""Which identity a container, a pod or a service really has, judged from what the admission webhook left in the pods.

The webhook injects one mechanism or the other, never both (amazon-eks-pod-identity-webhook, pkg/handler): "both"
therefore means that somebody wrote web-identity variables into the pod template, and those win in nearly every SDK.
"""

import csv
from collections.abc import Iterable
from enum import StrEnum

from migrator.model.facts import Container, Pod

POD_IDENTITY_PAIR = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
IRSA_PAIR = ("AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE")
TOKEN_FILE = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token"  # noqa: S105 - a path
AGENT_URIS = frozenset({"http://169.254.170.23/v1/credentials", "http://[fd00:ec2::23]/v1/credentials"})
TOKEN_VOLUME = "eks-pod-identity-token"  # noqa: S105 - a volume's name
AUDIENCE = "pods.eks.amazonaws.com"
SKIP_CONTAINERS = "eks.amazonaws.com/skip-containers"


class Identity(StrEnum):
    """The mechanism in force; `MIXED` and `NO_PODS` are said of several pods only."""

    POD_IDENTITY = "pod-identity"
    IRSA = "irsa"
    BOTH = "both"
    NONE = "none"
    MIXED = "mixed"
    NO_PODS = "no-pods"


def of_container(container: Container, pod: Pod) -> Identity:
    """Pod Identity needs both variables with the standard values and the mounted token of the right audience."""
    irsa = any(container.variable(name) for name in IRSA_PAIR)
    any_container_credentials = any(container.variable(name) for name in POD_IDENTITY_PAIR)
    if irsa and any_container_credentials:
        return Identity.BOTH
    if irsa:
        return Identity.IRSA if all(container.variable(name) for name in IRSA_PAIR) else Identity.NONE
    return Identity.POD_IDENTITY if _injected(container, pod) else Identity.NONE


def of_pod(pod: Pod) -> Identity:
    """The identity all its containers share, `MIXED` when they differ; containers it asks to skip are left out."""
    return _common(identity for _, identity in by_container(pod))


def by_container(pod: Pod) -> tuple[tuple[str, Identity], ...]:
    """Container name and identity, init containers first, skipped containers left out."""
    skipped = skipped_containers(pod)
    judged = (c for c in pod.spec.containers if c.name not in skipped)
    return tuple((container.name, of_container(container, pod)) for container in judged)


def of_pods(pods: Iterable[Pod]) -> Identity:
    """The identity all pods share."""
    return _common(of_pod(pod) for pod in pods)


def skipped_containers(pod: Pod) -> frozenset[str]:
    """Names in the skip-containers annotation as the webhook reads it: one CSV line, not trimmed, unparsable = none."""
    text = pod.annotations.get(SKIP_CONTAINERS, "")
    if "\n" in text.strip("\n"):
        return frozenset()
    try:
        rows = list(csv.reader([text], strict=True))
    except csv.Error:
        return frozenset()
    return frozenset(name for name in (rows[0] if rows else []) if name)


def _injected(container: Container, pod: Pod) -> bool:
    uri, token = (container.variable(name) for name in POD_IDENTITY_PAIR)
    return (
        uri is not None
        and uri.value in AGENT_URIS
        and token is not None
        and token.value == TOKEN_FILE
        and TOKEN_VOLUME in container.mounts
        and pod.spec.token_audiences.get(TOKEN_VOLUME) == AUDIENCE
    )


def _common(identities: Iterable[Identity]) -> Identity:
    seen = set(identities)
    if not seen:
        return Identity.NO_PODS
    return seen.pop() if len(seen) == 1 else Identity.MIXED
