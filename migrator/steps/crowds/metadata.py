"""What an SDK does that has no credentials in its container: last of all it asks instance metadata, for its node's.

Whether that answers has nothing to do with Pod Identity, and hides what is wrong: a pod on the host's network always
reaches it; from a pod's own network its answer comes only where the node's hop limit is 2 or more, or IMDSv1 is on.
Source: the EC2 user guide on IMDSv2's hop limit, the EKS user guide on keeping pods from it.
"""

import re
from collections.abc import Iterable

from migrator.model.facts import Container, Pod
from migrator.model.identity import IRSA_PAIR, POD_IDENTITY_PAIR, Identity, by_container

_SOURCES = (
    *POD_IDENTITY_PAIR,
    *IRSA_PAIR,
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CONFIG_FILE",
)
_OFF = "AWS_EC2_METADATA_DISABLED"
_REACHED = {
    False: "on a pod's own network only with a hop limit of 2 or more, or by IMDSv1",
    True: "always on the host's network",
}
_INSTANCE = re.compile(r"m?i-[0-9a-f]{8,17}")  # how a session is named that instance metadata gave
_ALL_SILENT = re.compile(r"Unable to locate credentials|NoCredentialProviders|no EC2 IMDS role|169\.254\.169\.254")

NODES = "that is its node's role: its SDK took nothing before instance metadata, the last in its chain"
SILENT = (
    "instance metadata, the last in its chain, gave nothing either, as with a hop limit of 1: "
    "what is wrong comes before it"
)


def fallen_to(pods: Iterable[Pod]) -> str:
    """Where SDKs in containers without any credentials end up, as a clause after a semicolon; empty without such."""
    bare = [(pod, container) for pod in pods for container in _without(pod)]
    if not bare:
        return ""
    if all(_switched_off(container) for _, container in bare):
        return f"; with {_OFF} set, an SDK there that finds nothing else has no credentials at all"
    on_hosts = {pod.spec.host_network for pod, container in bare if not _switched_off(container)}
    said = " and ".join(_REACHED[one] for one in sorted(on_hosts))
    return f"; an SDK there that finds nothing else takes its node's role from instance metadata, which answers {said}"


def after(answer: str) -> str:
    """What an SDK's own words about its credentials tell of instance metadata; empty when nothing."""
    return SILENT if _ALL_SILENT.search(answer) else ""


def is_of_a_node(session: str) -> bool:
    """Whether the session is one that instance metadata gave: they are named after the instance."""
    return _INSTANCE.fullmatch(session) is not None


def _without(pod: Pod) -> Iterable[Container]:
    named = {name for name, seen in by_container(pod) if seen is Identity.NONE}
    here = (one for one in pod.spec.containers if one.name in named)
    return (one for one in here if not any(one.variable(name) for name in _SOURCES))


def _switched_off(container: Container) -> bool:
    variable = container.variable(_OFF)
    return variable is not None and (variable.value or "").lower() == "true"
