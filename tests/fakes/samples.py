"""Ready-made plans, events and journal data for tests of the edge: what a person would see of a small shop."""

import json
from dataclasses import replace
from typing import Any

from migrator.model.ids import ServiceId
from migrator.model.plan import Edit, Finding, Plan, Severity
from tests.fakes.parts import CLUSTER_ARN, ISSUER, ROLE_ARN, deployment
from tests.fakes.running import plan_for
from tests.fakes.world import FakeWorld

ORDERS = ServiceId("prod", "shop", "orders")
TRUST: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Federated": f"arn:aws:iam::111122223333:oidc-provider/{ISSUER.removeprefix('https://')}"},
            "Action": "sts:AssumeRoleWithWebIdentity",
        }
    ],
}
WARNING = Finding(
    code="proxy",
    severity=Severity.WARN,
    object="Deployment orders",
    field="spec.template.spec.containers[main].env[HTTP_PROXY]",
    value="http://proxy:3128",
    says='Deployment orders sends its calls through "http://proxy:3128"',
)
BLOCK = Finding(code="fargate", severity=Severity.BLOCK, object="Deployment orders", says="its pods run on Fargate")
INFO = Finding(code="role-shared", severity=Severity.INFO, object="Role orders", says="used by one more service")


def sample_plan(service: ServiceId = ORDERS, *, findings: tuple[Finding, ...] = (), edit: Edit | None = None) -> Plan:
    """A plan with steps, facts and the findings given; its verdict is what the planner would say without findings."""
    plan = plan_for(FakeWorld(declared=[deployment()]), edit)
    facts = {
        "cluster": {
            "alias": service.cluster,
            "name": service.cluster,
            "arn": CLUSTER_ARN,
            "region": "eu-west-1",
            "account": "111122223333",
            "issuer": ISSUER,
            "version": "1.33",
        },
        "service_account": {"uid": "sa-uid", "annotations": {"eks.amazonaws.com/role-arn": ROLE_ARN}},
        "role": {"arn": ROLE_ARN, "id": "AROAORDERS", "trust_digest": "0" * 64, "trust": json.loads(json.dumps(TRUST))},
        "association": None,
        "agent": {"addon": None, "status": None, "daemonset": False},
        "workloads": [{"kind": "Deployment", "name": "orders-api", "uid": "u1", "replicas": 2, "containers": ["main"]}],
        "pods_without_workload": [],
        "placement": {"operating_systems": ["linux"], "compute_types": ["ec2"], "fargate_profiles": []},
        "other_services_of_role": [],
        "others_trusted": [],
    }
    return replace(plan, service=service, facts=facts, findings=findings)
