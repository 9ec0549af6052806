"""Rules about the cluster, the agent, and where the service's pods run.

Source: the EKS user guide, "EKS Pod Identity" (restrictions and versions) and "Fargate profiles" (selectors may hold
wildcards; all labels of one selector must match).
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from migrator.model.facts import Node, Pod, PodSpec
from migrator.model.ids import AGENT_ADDON
from migrator.model.plan import Finding
from migrator.model.wildcards import matches
from migrator.planning.case import Case, Template, template_of_pod
from migrator.planning.findings.catalogue import found

COMPUTE_TYPE = "eks.amazonaws.com/compute-type"
FARGATE_LABEL = "eks.amazonaws.com/fargate-profile"
_OS_LABELS = ("kubernetes.io/os", "beta.kubernetes.io/os")
_OLDEST = (1, 24)
_PLATFORMS: Mapping[tuple[int, int], int] = {
    (1, 24): 13,
    (1, 25): 10,
    (1, 26): 9,
    (1, 27): 8,
    (1, 28): 4,
    (1, 29): 1,
    (1, 30): 2,
    (1, 31): 4,
}
_WELL = frozenset({"ACTIVE", "CREATING", "UPDATING"})


def judge(case: Case) -> Iterator[Finding]:
    """Findings about the cluster and about placement."""
    yield from _cluster(case)
    yield from _version(case)
    yield from _agent(case)
    yield from _fargate(case)
    yield from _windows(case)
    yield from _hybrid(case)
    for template in case.templates:
        if template.spec.host_network:
            yield found("host-network", template.object, "hostNetwork", "true")


def needs_agent(case: Case) -> bool:
    """Whether the cluster has nodes that need an agent of the cluster's own: all but Auto Mode's and Fargate's.

    A cluster without nodes needs one unless Auto Mode will make them.
    """
    if not case.nodes:
        return not case.cluster.auto_mode
    return any(node.os == "linux" and node.compute_type not in {"auto", "fargate"} for node in case.nodes.values())


def agent_found(case: Case) -> bool:
    """Whether there is an agent by whomever, or none is needed."""
    return case.agent.addon is not None or case.agent.daemonset or not needs_agent(case)


def _cluster(case: Case) -> Iterator[Finding]:
    cluster = case.cluster
    if cluster.status != "ACTIVE":
        yield found("cluster-not-active", cluster.name, "status", cluster.status)
    if cluster.outpost:
        yield found("cluster-outpost", cluster.name, "outpostConfig")
    if cluster.registered:
        yield found("cluster-registered", cluster.name, "connectorConfig")


def _version(case: Case) -> Iterator[Finding]:
    cluster = case.cluster
    version = re.match(r"(\d+)\.(\d+)", cluster.version)
    if version is None:
        return
    minor = (int(version[1]), int(version[2]))
    if minor < _OLDEST:
        yield found("kubernetes-too-old", cluster.name, "version", cluster.version, needed="1.24")
        return
    platform = re.fullmatch(r"eks\.(\d+)", cluster.platform_version)
    needed = _PLATFORMS.get(minor, 0)
    if platform is not None and int(platform[1]) < needed:
        yield found(
            "kubernetes-too-old", cluster.name, "platformVersion", cluster.platform_version, needed=f"eks.{needed}"
        )


def _agent(case: Case) -> Iterator[Finding]:
    if not agent_found(case):
        code = "agent-required" if case.policy.agent == "require" else "agent-absent"
        yield found(code, case.cluster.name, "addon", AGENT_ADDON)
    addon = case.agent.addon
    if addon is not None and addon.status not in _WELL:
        yield found("agent-unhealthy", addon.name, "status", " ".join([addon.status, *addon.issues]))


def _fargate(case: Case) -> Iterator[Finding]:
    for template in case.templates:
        yield from _fargate_template(case, template)
    for pod in case.pods:
        name, node = template_of_pod(pod).object, case.nodes.get(pod.node)
        if FARGATE_LABEL in pod.labels:
            yield found("fargate", name, f"label {FARGATE_LABEL}", pod.labels[FARGATE_LABEL])
        elif node is not None and node.compute_type == "fargate":
            yield found("fargate", name, "its node's compute type", "fargate")


def _fargate_template(case: Case, template: Template) -> Iterator[Finding]:
    if FARGATE_LABEL in template.labels:
        yield found("fargate", template.object, f"label {FARGATE_LABEL}", template.labels[FARGATE_LABEL])
    elif template.spec.node_selector.get(COMPUTE_TYPE) == "fargate":
        yield found("fargate", template.object, f"nodeSelector {COMPUTE_TYPE}", "fargate")
    elif profiles := profiles_of(case, template.labels):
        yield found("fargate", template.object, "its Fargate profile", ", ".join(profiles))


def profiles_of(case: Case, labels: Mapping[str, str]) -> list[str]:
    """The Fargate profiles that would take a pod with these labels in the service's namespace."""
    return sorted(
        {
            selector.profile
            for selector in case.fargate
            if matches(selector.namespace, case.service.namespace) and _all_labels(selector.labels, labels)
        }
    )


def _all_labels(wanted: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    return all(any(matches(key, k) and matches(value, v) for k, v in labels.items()) for key, value in wanted.items())


def _windows(case: Case) -> Iterator[Finding]:
    for template in case.templates:
        for label in _windows_selectors(template.spec):
            yield found("windows", template.object, f"nodeSelector {label}", "windows")
    for name, node in _homes(case.pods, case.nodes):
        if node.os == "windows":
            yield found("windows", name, "its node's operating system", "windows")


def _windows_selectors(spec: PodSpec) -> list[str]:
    return [label for label in _OS_LABELS if spec.node_selector.get(label) == "windows"]


def _hybrid(case: Case) -> Iterator[Finding]:
    for name, node in _homes(case.pods, case.nodes):
        if node.compute_type == "hybrid" and node.name not in case.agent.ready_nodes:
            yield found("hybrid-without-agent", name, "its node", node.name)


def _homes(pods: Iterable[Pod], nodes: Mapping[str, Node]) -> Iterator[tuple[str, Node]]:
    for pod in pods:
        node = nodes.get(pod.node)
        if node is not None:
            yield template_of_pod(pod).object, node
