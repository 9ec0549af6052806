"""Rules about what stands between the service's pods and the agent on their node.

Source: the EKS user guide, "EKS Pod Identity" (the agent's addresses) and "Security groups for pods" (enforcing mode).
"""

from collections.abc import Iterator

from migrator.model.network import CiliumPolicy, NetworkPolicy
from migrator.model.plan import Finding
from migrator.model.surroundings import SecurityGroupPolicy
from migrator.planning.case import Case, Template, template_of_pod
from migrator.planning.egress import AGENT, AGENT_IPV6, Answer, Sender, way_to_agent
from migrator.planning.findings.catalogue import found

_CODES = {Answer.NO: "egress-closed", Answer.MAYBE: "egress-unsure"}


def judge(case: Case) -> Iterator[Finding]:
    """Findings about network policies and security groups; pods on the host's network are under neither."""
    for template in (*case.templates, *map(template_of_pod, case.pods)):
        if not template.spec.host_network:
            yield from _egress(case, template)
            yield from _security_groups(case, template)


def _egress(case: Case, template: Template) -> Iterator[Finding]:
    namespace, address = case.service.namespace, AGENT_IPV6 if case.cluster.ipv6 else AGENT
    way = way_to_agent(
        Sender(namespace=namespace, account=case.service.name, labels=template.labels),
        case.around.of(NetworkPolicy, namespace),
        case.around.of(CiliumPolicy, namespace),
        cilium=case.around.cilium,
        address=address,
    )
    code = _CODES.get(way.open)
    if code is not None:
        yield found(code, template.object, "egress", ", ".join(map(str, way.limiting)), address=address)


def _security_groups(case: Case, template: Template) -> Iterator[Finding]:
    if case.around.enforcing in {"", "standard"}:
        return
    for policy in case.around.of(SecurityGroupPolicy, case.service.namespace):
        if _selects(policy, case, template):
            yield found("security-groups", template.object, str(policy.ref), case.around.enforcing)


def _selects(policy: SecurityGroupPolicy, case: Case, template: Template) -> bool:
    by_pod = policy.pods is None or policy.pods.selects(template.labels)
    return by_pod and (policy.accounts is None or policy.accounts.selects(case.account.labels))
