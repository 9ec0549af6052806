"""Names and the little grammars they follow."""

import re
from dataclasses import dataclass

ROLE_ARN_ANNOTATION = "eks.amazonaws.com/role-arn"
AGENT_ADDON = "eks-pod-identity-agent"
MANAGED_BY = "irsa-migrator"
RESTART_STAMP = f"{MANAGED_BY}/restart"  # which run asked for a workload's restart

_ROLE_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):iam::(?P<account>\d{12}):role(?P<path>/(?:.*/)?)(?P<name>[\w+=,.@-]{1,64})"
)


@dataclass(frozen=True, slots=True, order=True)
class ServiceId:
    """One ServiceAccount of one cluster; written `CLUSTER/NAMESPACE/SERVICEACCOUNT`."""

    cluster: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.cluster}/{self.namespace}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> "ServiceId":
        """The id in `text`.

        Raises:
            ValueError: not three parts.
        """
        cluster, namespace, name = text.split("/")
        return cls(cluster, namespace, name)


@dataclass(frozen=True, slots=True)
class RoleArn:
    """The parts of an IAM role's ARN; IAM's own calls take the name, EKS takes the whole ARN, path included."""

    partition: str
    account: str
    path: str
    name: str

    @classmethod
    def parse(cls, text: str) -> "RoleArn | None":
        """The parts, or None when `text` is no role ARN."""
        match = _ROLE_ARN.fullmatch(text)
        return cls(match["partition"], match["account"], match["path"], match["name"]) if match else None
