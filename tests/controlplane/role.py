"""An operator who has the rules that `docs/kubernetes-permissions.md` gives, in one ClusterRole, and nothing else."""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from migrator.lab.kubeclient import KubeClient, path_of, resource_path

Json = dict[str, Any]
PAGE = Path(__file__).parents[2] / "docs" / "kubernetes-permissions.md"
NAMESPACE, NAME = "migration", "irsa-migrator"
USER = f"system:serviceaccount:{NAMESPACE}:{NAME}"
_RBAC = "rbac.authorization.k8s.io"
_IMPLIED = "system:service-account-issuer-discovery"
_PATIENCE = 20.0


@dataclass(frozen=True, order=True)
class Triple:
    """The least that can be granted: a verb on a resource, or on a path that is none."""

    group: str
    resource: str
    verb: str
    path: str = ""

    def __str__(self) -> str:
        """As `patch deployments.apps`."""
        return f"{self.verb} {self.what}"

    @property
    def what(self) -> str:
        """The resource with its group, or the path."""
        return self.path or (f"{self.resource}.{self.group}" if self.group else self.resource)

    @property
    def rule(self) -> Json:
        """The rule that grants it and nothing else."""
        if self.path:
            return {"nonResourceURLs": [self.path], "verbs": [self.verb]}
        return {"apiGroups": [self.group], "resources": [self.resource], "verbs": [self.verb]}

    @property
    def asked(self) -> Json:
        """The question whether one may do it, as a SelfSubjectAccessReview has it."""
        if self.path:
            return {"nonResourceAttributes": {"path": self.path, "verb": self.verb}}
        resource, _, subresource = self.resource.partition("/")
        what = {"group": self.group, "resource": resource, "subresource": subresource, "verb": self.verb}
        return {"resourceAttributes": what}


def manifests() -> tuple[Json, Json, Json, Json]:
    """The ClusterRoles of the docs page: what is needed, for plans to find more and look at variables, for logs."""
    found = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    needed, findings, variables, logs = map(yaml.safe_load, found)
    return needed, findings, variables, logs


def triples(rules: Sequence[Json]) -> frozenset[Triple]:
    """What rules grant; a wildcard grants more than can be tested."""
    found = frozenset(_spelt_out(rules))
    assert not any("*" in f"{one.group}{one.resource}{one.verb}{one.path}" for one in found)
    return found


def _spelt_out(rules: Sequence[Json]) -> Iterator[Triple]:
    for rule in rules:
        assert set(rule) <= {"apiGroups", "resources", "verbs", "nonResourceURLs"}, rule
        for verb in rule["verbs"]:
            yield from (Triple("", "", verb, path) for path in rule.get("nonResourceURLs", ()))
            for group in rule.get("apiGroups", ()):
                yield from (Triple(group, resource, verb) for resource in rule["resources"])


NEEDED, FINDINGS, VARIABLES, LOGS = (triples(role["rules"]) for role in manifests())
GRANTED = NEEDED | FINDINGS | VARIABLES | LOGS


@dataclass(frozen=True)
class Operator:
    """A ServiceAccount of a cluster with its token; `kube` is the administrator's client, `own` the operator's."""

    kube: KubeClient
    own: KubeClient

    @contextmanager
    def granted(self, wanted: frozenset[Triple]) -> Iterator[None]:
        """Grants exactly these for the block, and the whole role again after it."""
        self.grant(wanted)
        try:
            yield
        finally:
            self.grant(GRANTED)

    def grant(self, wanted: frozenset[Triple]) -> None:
        """Grants exactly these, and waits until the API server goes by it."""
        rules = [one.rule for one in sorted(wanted)]
        self.kube.patch(path_of(_role([])), {"rules": rules})
        until = time.monotonic() + _PATIENCE
        while self.may(GRANTED | wanted) != wanted:
            assert time.monotonic() < until, "the API server still goes by the old rules"
            time.sleep(0.05)

    def may(self, asked: frozenset[Triple]) -> frozenset[Triple]:
        """Which of these the API server would allow."""
        return frozenset(one for one in asked if self._may(one))

    def _may(self, one: Triple) -> bool:
        path = resource_path("authorization.k8s.io/v1", "selfsubjectaccessreviews")
        return bool(self.own.create(path, {"spec": one.asked})["status"]["allowed"])


def add_operator(kube: KubeClient, ca_pem: str) -> Operator:
    """Makes one, with the whole role.

    Whoever works on EKS is no ServiceAccount of the cluster: what these are granted beside, he does not have.
    """
    kube.delete(resource_path(f"{_RBAC}/v1", "clusterrolebindings", None, _IMPLIED))
    kube.create_object({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    meta = {"name": NAME, "namespace": NAMESPACE}
    kube.create_object({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta})
    kube.create_object(_role([one.rule for one in sorted(GRANTED)]))
    subject = {"kind": "ServiceAccount", **meta}
    reference = {"apiGroup": _RBAC, "kind": "ClusterRole", "name": NAME}
    binding = {"kind": "ClusterRoleBinding", "metadata": {"name": NAME}, "subjects": [subject], "roleRef": reference}
    kube.create_object({"apiVersion": f"{_RBAC}/v1", **binding})
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 7200}}
    made = kube.create(resource_path("v1", "serviceaccounts", NAMESPACE, NAME, "token"), request)
    operator = Operator(kube, KubeClient(kube.url, ca_pem, made["status"]["token"]))
    operator.grant(GRANTED)
    return operator


def _role(rules: Sequence[Json]) -> Json:
    return {"apiVersion": f"{_RBAC}/v1", "kind": "ClusterRole", "metadata": {"name": NAME}, "rules": rules}
