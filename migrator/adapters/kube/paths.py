"""URL paths of the Kubernetes API, and what a path asks for in RBAC's words."""

from dataclasses import dataclass
from urllib.parse import quote

# kind -> (path of the API group and version, resource)
KINDS = {
    "ServiceAccount": ("/api/v1", "serviceaccounts"),
    "Pod": ("/api/v1", "pods"),
    "PodTemplate": ("/api/v1", "podtemplates"),
    "Node": ("/api/v1", "nodes"),
    "ConfigMap": ("/api/v1", "configmaps"),
    "Secret": ("/api/v1", "secrets"),
    "Deployment": ("/apis/apps/v1", "deployments"),
    "ReplicaSet": ("/apis/apps/v1", "replicasets"),
    "StatefulSet": ("/apis/apps/v1", "statefulsets"),
    "DaemonSet": ("/apis/apps/v1", "daemonsets"),
    "Job": ("/apis/batch/v1", "jobs"),
    "CronJob": ("/apis/batch/v1", "cronjobs"),
    "Rollout": ("/apis/argoproj.io/v1alpha1", "rollouts"),
}
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One request in RBAC's words; `str` gives `patch "deployments.apps" in namespace "shop"`.

    Where the path is no resource's, `resource` is the path.
    """

    verb: str
    resource: str
    group: str = ""
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        """Verb, resource with its group as kubectl writes it, and the namespace if it is one's."""
        where = f' in namespace "{self.namespace}"' if self.namespace else ""
        resource, _, subresource = self.resource.partition("/")
        grouped = f"{resource}.{self.group}{'/' if subresource else ''}{subresource}" if self.group else self.resource
        return f'{self.verb} "{grouped}"{where}'

    @property
    def rule(self) -> str:
        """The rule of a role that allows it, as it is written in a manifest."""
        if self.resource.startswith("/"):
            return f"{{nonResourceURLs: [{self.resource}], verbs: [{self.verb}]}}"
        group = self.group or '""'
        return f"{{apiGroups: [{group}], resources: [{self.resource}], verbs: [{self.verb}]}}"


def path_of(kind: str, namespace: str = "", name: str = "", subresource: str = "") -> str:
    """The path of a collection, an object, or an object's subresource; names are escaped."""
    group, resource = KINDS[kind]
    parts = [group]
    if namespace:
        parts += ["namespaces", quote(namespace, safe="")]
    parts.append(resource)
    parts += [quote(part, safe="") for part in (name, subresource) if part]
    return "/".join(parts)


def access_of(method: str, path: str) -> Access:
    """The verb, group, resource and namespace that a request needs."""
    parts = [part for part in path.partition("?")[0].split("/") if part]
    skip = {"api": 2, "apis": 3}.get(parts[0] if parts else "", 0)
    if skip == 0 or len(parts) <= skip:
        return Access(verb=method.lower(), resource=path)
    rest, namespace = parts[skip:], ""
    group = parts[1] if parts[0] == "apis" else ""
    if rest[0] == "namespaces" and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    name = rest[1] if len(rest) > 1 else ""
    resource = "/".join([rest[0], *rest[2:3]])
    verb = _VERBS.get(method) or ("get" if name else "list")
    return Access(verb=verb, resource=resource, group=group, namespace=namespace, name=name)


def pointer(*keys: str) -> str:
    """A JSON pointer (RFC 6901) to nested keys, escaped."""
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys)
