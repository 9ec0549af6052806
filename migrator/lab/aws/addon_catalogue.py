"""The add-ons EKS offers in the practice fleet: versions, service accounts, what they need."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

KUBERNETES = ("1.28", "1.29", "1.30", "1.31", "1.32", "1.33", "1.34", "1.35")


@dataclass(frozen=True)
class AddonKind:
    """One add-on on offer.

    Attributes:
        name: add-on's name.
        kind: what DescribeAddonVersions calls its type.
        versions: newest first; the first is the default.
        namespace: where its objects live.
        accounts: service accounts that may have an association, with the managed policies recommended for each, as the
            ends of their ARNs.
        pod_identity_from: first version whose service accounts may have one; None for never.
        publisher: who publishes it.
        owner: who owns it.
    """

    name: str
    kind: str
    versions: tuple[str, ...]
    namespace: str = "kube-system"
    accounts: tuple[tuple[str, tuple[str, ...]], ...] = ()
    pod_identity_from: str | None = None
    publisher: str = "eks"
    owner: str = "aws"

    def supports_pod_identity(self, version: str) -> bool:
        """Whether the service accounts of this version may have associations."""
        first = self.pod_identity_from
        return first is not None and bool(self.accounts) and order(version) >= order(first)


def order(version: str) -> tuple[int, ...]:
    """A version as numbers, to compare by."""
    return tuple(int(number) for number in re.findall(r"\d+", version))


_KINDS = (
    AddonKind(
        "eks-pod-identity-agent",
        "security",
        ("v1.3.10-eksbuild.2", "v1.3.8-eksbuild.2", "v1.3.4-eksbuild.1", "v1.2.0-eksbuild.1"),
    ),
    AddonKind(
        "vpc-cni",
        "networking",
        ("v1.20.4-eksbuild.1", "v1.19.5-eksbuild.3", "v1.15.5-eksbuild.1", "v1.15.1-eksbuild.1"),
        accounts=(("aws-node", ("AmazonEKS_CNI_Policy",)),),
        pod_identity_from="v1.15.5-eksbuild.1",
    ),
    AddonKind("coredns", "networking", ("v1.12.4-eksbuild.1", "v1.11.4-eksbuild.24")),
    AddonKind("kube-proxy", "networking", ("v1.33.3-eksbuild.10", "v1.32.6-eksbuild.12")),
    AddonKind(
        "aws-ebs-csi-driver",
        "storage",
        ("v1.51.0-eksbuild.1", "v1.44.0-eksbuild.1", "v1.26.0-eksbuild.1", "v1.25.0-eksbuild.1"),
        accounts=(("ebs-csi-controller-sa", ("service-role/AmazonEBSCSIDriverPolicy",)),),
        pod_identity_from="v1.26.0-eksbuild.1",
    ),
    AddonKind(
        "aws-efs-csi-driver",
        "storage",
        ("v2.1.11-eksbuild.1", "v2.0.5-eksbuild.1", "v1.7.7-eksbuild.1"),
        accounts=(("efs-csi-controller-sa", ("service-role/AmazonEFSCSIDriverPolicy",)),),
        pod_identity_from="v2.0.5-eksbuild.1",
    ),
    AddonKind(
        "aws-mountpoint-s3-csi-driver",
        "storage",
        ("v2.1.0-eksbuild.1", "v1.15.0-eksbuild.1"),
        accounts=(("s3-csi-driver-sa", ("AmazonS3FullAccess",)),),
        pod_identity_from="v2.0.0-eksbuild.1",
    ),
    AddonKind("snapshot-controller", "storage", ("v8.3.0-eksbuild.1",)),
    AddonKind(
        "adot",
        "observability",
        ("v0.131.0-eksbuild.1", "v0.94.1-eksbuild.1"),
        namespace="opentelemetry-operator-system",
        accounts=(
            ("adot-col-prom-metrics", ("AmazonPrometheusRemoteWriteAccess",)),
            ("adot-col-otlp-ingest", ("AWSXrayWriteOnlyAccess",)),
        ),
        pod_identity_from="v0.94.1-eksbuild.1",
    ),
    AddonKind(
        "amazon-cloudwatch-observability",
        "observability",
        ("v4.5.0-eksbuild.1", "v3.1.0-eksbuild.1", "v2.6.0-eksbuild.1"),
        namespace="amazon-cloudwatch",
        accounts=(("cloudwatch-agent", ("CloudWatchAgentServerPolicy",)),),
        pod_identity_from="v3.1.0-eksbuild.1",
    ),
)
CATALOGUE = {kind.name: kind for kind in _KINDS}


def versions_shown(kind: AddonKind, kubernetes: str | None) -> dict[str, Any]:
    """The `AddonInfo` shape of an add-on, for one Kubernetes version or all."""
    wanted = [version for version in KUBERNETES if kubernetes in (None, version)]
    return {
        "addonName": kind.name,
        "type": kind.kind,
        "publisher": kind.publisher,
        "owner": kind.owner,
        "defaultNamespace": kind.namespace,
        "addonVersions": [
            {
                "addonVersion": version,
                "architecture": ["amd64", "arm64"],
                "computeTypes": ["ec2"],
                "compatibilities": [
                    {
                        "clusterVersion": cluster,
                        "platformVersions": ["*"],
                        "defaultVersion": version == kind.versions[0],
                    }
                    for cluster in wanted
                ],
                "requiresConfiguration": False,
                "requiresIamPermissions": bool(kind.accounts),
            }
            for version in kind.versions
        ],
    }


def configuration_shown(kind: AddonKind, version: str, partition: str) -> dict[str, Any]:
    """The answer of DescribeAddonConfiguration."""
    schema = {
        "$schema": "http://json-schema.org/draft-06/schema#",
        "title": kind.name,
        "type": "object",
        "additionalProperties": True,
    }
    answer: dict[str, Any] = {
        "addonName": kind.name,
        "addonVersion": version,
        "configurationSchema": json.dumps(schema),
    }
    if kind.supports_pod_identity(version):
        answer["podIdentityConfiguration"] = [
            {
                "serviceAccount": account,
                "recommendedManagedPolicies": [f"arn:{partition}:iam::aws:policy/{name}" for name in policies],
            }
            for account, policies in kind.accounts
        ]
    return answer
