"""Questions to the call log: who did what to which service."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.lab.seen import PROGRAM, Link, Seen, Service
from tests.lab.witness import PodLife

Judgement = Iterator[tuple[str, str]]  # pairs of a service's id, or an empty text, and what is wrong


def trust_edits(seen: Seen, role: str) -> list[tuple[str | None, Mapping[str, Any]]]:
    """Every successful edit of the role's trust with the document before it; None before the first."""
    account, name = role.split(":")[4], role.rpartition("/")[2]
    calls = [
        call
        for call in done(seen, "UpdateAssumeRolePolicy")
        if (call["account"], call["params"]["RoleName"]) == (account, name)
    ]
    documents = [None, *(call["params"]["PolicyDocument"] for call in calls)]
    return list(zip(documents, calls, strict=False))


def done(seen: Seen, operation: str) -> list[Mapping[str, Any]]:
    return [call for call in seen.calls if call["operation"] == operation and 200 <= call["status"] < 300]


def by_us(call: Mapping[str, Any]) -> bool:
    return f"{PROGRAM}/" in call["user_agent"]


def creates(seen: Seen, cluster: str, namespace: str, account: str, ours: bool = False) -> list[Mapping[str, Any]]:
    """Successful creations of an association for that ServiceAccount."""
    pair = {"clusterName": cluster, "namespace": namespace, "serviceAccount": account}
    made = [c for c in done(seen, "CreatePodIdentityAssociation") if pair.items() <= dict(c["params"]).items()]
    return [call for call in made if by_us(call) or not ours]


def pair(service: Service) -> tuple[str, str]:
    return service.id.namespace, service.id.name


def where(service: Service) -> tuple[str, str, str]:
    return service.id.cluster, service.id.namespace, service.id.name


def where_linked(link: Link) -> tuple[str, str, str]:
    return link.cluster, link.namespace, link.account


def pods_of(seen: Seen, service: Service) -> list[PodLife]:
    """Every pod that the service ever had."""
    key = (service.id.cluster, service.id.namespace, service.id.name)
    return [pod for pod in seen.pods if (pod.cluster, pod.namespace, pod.account) == key]
