"""Rules about the way from the nodes to EKS's credentials API, which the agent calls for the pods.

Sources: the EKS user guide's pages on private clusters and on interface endpoints; the AWS PrivateLink guide (with
private DNS an endpoint takes all calls to the service's own name that are made inside the VPC; its policy says which).
Whether a VPC has another way out, such as a NAT gateway, is not told by EKS.
"""

from collections.abc import Iterator

from migrator.model.aws_side import VpcEndpoint
from migrator.model.permissions import Line, allows
from migrator.model.plan import Finding
from migrator.model.trust.conditions import Request, Sure
from migrator.model.trust.document import TrustUnreadable, parse
from migrator.model.trust.parties import named
from migrator.planning.case import Case
from migrator.planning.findings.catalogue import found

_ACTION = "eks-auth:AssumeRoleForPodIdentity"


def judge(case: Case) -> Iterator[Finding]:
    """Findings about the interface endpoints for `eks-auth`."""
    endpoints = case.aws.endpoints
    if endpoints is None:
        return
    taking = [endpoint for endpoint in endpoints if endpoint.takes]
    for endpoint in taking:
        if _lets_through(endpoint, case.cluster.arn) is Sure.NO:
            yield found("eks-auth-endpoint-denies", endpoint.id, "PolicyDocument", _ACTION)
    if taking or case.cluster.public_endpoint:
        return
    for endpoint in endpoints:
        what = ("PrivateDnsEnabled", "false") if endpoint.state == "available" else ("State", endpoint.state)
        yield found("eks-auth-endpoint-unready", endpoint.id, *what)
    if not endpoints:
        yield found("eks-auth-endpoint-absent", case.cluster.name, "VPC", case.cluster.vpc)


def _lets_through(endpoint: VpcEndpoint, cluster: str) -> Sure:
    """Whether its policy lets the agents' calls through; whoever it names may be the nodes' role."""
    if not endpoint.policy:
        return Sure.YES
    try:
        lines = [Line(endpoint.id, statement) for statement in named(parse(endpoint.policy))]
    except TrustUnreadable:
        return Sure.MAYBE
    return allows(lines, _ACTION, cluster, Request(values={}))
