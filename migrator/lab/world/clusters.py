"""Builds the clusters of a world: what EKS says of them, their nodes, and their Kubernetes objects in order."""

from typing import Any

from botocore.validate import ParamValidator

from migrator.documents.yaml_file import FieldPath
from migrator.lab.aws.models import service_model
from migrator.lab.world import manifests
from migrator.lab.world.implied import NODE_ROLE, node_roles
from migrator.lab.world.index import ClusterName, Index, alias_of, entries, unique
from migrator.lab.world.model import (
    Addon,
    Association,
    Cluster,
    FargateProfile,
    Json,
    Node,
    Nodegroup,
    Placed,
    VpcEndpoint,
    Webhook,
)

_DEFAULT_POOL: Json = {"name": "general"}
_WITH_PODS = frozenset({"Pod", "ReplicaSet", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"})
"""Made last, however they are written: a pod made before its ServiceAccount is known to the webhook has no identity."""
_LETS_ALL_THROUGH: Json = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}


def build_clusters(index: Index) -> tuple[Cluster, ...]:
    """Every cluster of the document."""
    return tuple(_cluster(index, raw, path) for path, raw in entries(index.document.data, "clusters"))


def _cluster(index: Index, raw: Json, at: FieldPath) -> Cluster:
    named = index.cluster(alias_of(raw), at)
    for key in ("nodes", "fargateProfiles", "nodegroups", "namespaces"):
        unique(index.document, at, raw.get(key, ()), key, lambda thing: thing["name"])
    objects, workloads = _objects(index, raw, named, at)
    return Cluster(
        alias=named.alias,
        name=named.name,
        account=named.account,
        region=named.region,
        version=raw.get("version", "1.33"),
        platform_version=raw.get("platformVersion", "eks.5"),
        status=raw.get("status", "ACTIVE"),
        ip_family=raw.get("ipFamily", "ipv4"),
        auto_mode=raw.get("autoMode", False),
        issuer=named.issuer,
        association_delay=float(raw.get("associationDelay", 1)),
        api_servers=raw.get("apiServers", 2),
        webhook=_webhook(raw.get("webhook", {}), named.region),
        describe=_described(index, raw.get("describe", {}), (*at, "describe")),
        node_role_arn=_role_arn(index, named.account, node_roles(raw)[0]),
        nodes=tuple(nodes_of(raw)),
        fargate_profiles=tuple(
            FargateProfile(profile["name"], tuple(profile["selectors"]), path)
            for path, profile in entries(raw, "fargateProfiles", at)
        ),
        nodegroups=tuple(
            _nodegroup(index, entry, named.account, path) for path, entry in entries(raw, "nodegroups", at)
        ),
        addons=_addons(index, raw, named.account, at),
        associations=_associations(index, raw, named, at),
        vpc_endpoints=tuple(
            _endpoint(index, entry, named.account, path) for path, entry in entries(raw, "vpcEndpoints", at)
        ),
        objects=objects,
        workloads=workloads,
        at=at,
    )


def _described(index: Index, given: Json, at: FieldPath) -> Json:
    """Members of DescribeCluster's answer; they must be ones that EKS has."""
    eks = service_model("eks")
    report = ParamValidator().validate(given, eks.shape_for("Cluster")) if eks else None
    if report is not None and report.has_errors():
        raise index.document.error(at, report.generate_report().splitlines()[0])
    return given


def _role_arn(index: Index, account: str, name: str) -> str:
    """The ARN of a role that is declared, or made because the cluster needs it."""
    return index.declared_role(account, name) or f"arn:{index.partition(account)}:iam::{account}:role/{name}"


def _webhook(raw: Json, region: str) -> Webhook:
    return Webhook(
        enabled=raw.get("enabled", True),
        region=region if raw.get("region", True) else "",
        sts_regional_endpoint=raw.get("stsRegionalEndpoint", True),
        token_expiration=raw.get("tokenExpiration", 86400),
    )


def nodes_of(raw: Json) -> list[Node]:
    """The nodes of a cluster as it is declared."""
    return [node for pool in raw.get("nodes", [_DEFAULT_POOL]) for node in _pool(pool, alias_of(raw))]


def _pool(raw: Json, alias: str) -> list[Node]:
    compute = raw.get("computeType", "ec2")
    plain = alias.lower().replace("_", "-")[:24].rstrip("-.")
    prefix = f"fargate-{plain}" if compute == "fargate" else plain
    return [
        Node(
            name=f"{prefix}-{raw['name']}-{number}",
            os=raw.get("os", "linux"),
            arch=raw.get("arch", "amd64"),
            compute_type=compute,
            labels=raw.get("labels", {}),
            taints=tuple(raw.get("taints", ())),
        )
        for number in range(1, raw.get("count", 2) + 1)
    ]


def _nodegroup(index: Index, raw: Json, account: str, at: FieldPath) -> Nodegroup:
    return Nodegroup(
        name=raw["name"],
        ami_type=raw.get("amiType", "AL2023_x86_64_STANDARD"),
        node_role_arn=_role_arn(index, account, raw.get("nodeRole", NODE_ROLE)),
        labels=raw.get("labels", {}),
        at=at,
    )


def _addons(index: Index, raw: Json, account: str, at: FieldPath) -> tuple[Addon, ...]:
    given = [{"name": entry} if isinstance(entry, str) else entry for entry in raw.get("addons", ())]
    unique(index.document, at, given, "addons", lambda addon: addon["name"])
    return tuple(_addon(index, entry, account, (*at, "addons", place)) for place, entry in enumerate(given))


def _addon(index: Index, raw: Json, account: str, at: FieldPath) -> Addon:
    associations = {
        entry["serviceAccount"]: index.role_arn(entry["role"], account, (*path, "role"))
        for path, entry in entries(raw, "podIdentityAssociations", at)
    }
    role = raw.get("serviceAccountRole")
    role_arn = index.role_arn(role, account, (*at, "serviceAccountRole")) if role else None
    return Addon(raw["name"], raw.get("version"), raw.get("configuration"), associations, role_arn, at)


def _endpoint(index: Index, raw: Json, account: str, at: FieldPath) -> VpcEndpoint:
    policy = index.filled(raw.get("policy", _LETS_ALL_THROUGH), account, (*at, "policy"))
    return VpcEndpoint(raw["service"], raw.get("state", "available"), raw.get("privateDns", True), policy)


def _associations(index: Index, raw: Json, named: ClusterName, at: FieldPath) -> tuple[Association, ...]:
    found: dict[tuple[str, str], Association] = {}
    for path, entry in entries(raw, "associations", at):
        for name in _numbered(entry["serviceAccount"], entry.get("count")):
            pair = (entry["namespace"], name)
            if pair in found:
                raise index.document.error(path, f"{pair[0]}/{pair[1]} has an association already")
            found[pair] = _association(index, entry, named, name, path)
    return tuple(found.values())


def _numbered(name: str, count: int | None) -> list[str]:
    return [name] if count is None else [f"{name}-{number}" for number in range(1, count + 1)]


def _association(index: Index, entry: Json, named: ClusterName, name: str, path: FieldPath) -> Association:
    if ":" in entry["role"]:
        problem = "must be a role of the cluster's own account; use targetRole for another one"
        raise index.document.error((*path, "role"), problem)
    target = entry.get("targetRole")
    return Association(
        namespace=entry["namespace"],
        service_account=name,
        role_arn=index.role_arn(entry["role"], named.account, (*path, "role")),
        target_role_arn=target and index.role_arn(target, named.account, (*path, "targetRole")),
        disable_session_tags=entry.get("disableSessionTags", False),
        tags=entry.get("tags", {}),
        at=path,
    )


def _objects(
    index: Index, raw: Json, named: ClusterName, at: FieldPath
) -> tuple[tuple[Placed, ...], tuple[Placed, ...]]:
    """Everything that must be there before workloads, and the workloads."""
    spaces: list[Placed] = []
    accounts: list[Placed] = []
    further = [
        Placed(index.filled(manifest, named.account, path), path) for path, manifest in entries(raw, "manifests", at)
    ]
    workloads: list[Placed] = []
    for path, space in entries(raw, "namespaces", at):
        spaces.append(Placed(manifests.namespace(space), path))
        accounts.extend(_service_accounts(index, space, named, path))
        further.extend(_further(index, space, named, path))
        workloads.extend(_workloads(index, space, named, path))
    first = [one for one in further if one.document["kind"] not in _WITH_PODS]
    return (*spaces, *first, *accounts), (*(one for one in further if one not in first), *workloads)


def _service_accounts(index: Index, space: Json, named: ClusterName, at: FieldPath) -> list[Placed]:
    unique(index.document, at, space.get("serviceAccounts", ()), "serviceAccounts", lambda thing: thing["name"])
    made = []
    for path, entry in entries(space, "serviceAccounts", at):
        arn = index.role_arn(entry["role"], named.account, (*path, "role")) if "role" in entry else None
        annotations = entry.get("annotations", {})
        if arn and manifests.ROLE_ANNOTATION in annotations:
            raise index.document.error((*path, "annotations"), "names a role, and so does `role`")
        filled = index.filled(entry, named.account, path)
        document = manifests.service_account(filled, space["name"], arn)
        applied = entry.get("appliedBy", "")
        made.append(Placed(document, path, manager=applied or entry.get("writtenBy", ""), applied=bool(applied)))
    return made


def _further(index: Index, space: Json, named: ClusterName, at: FieldPath) -> list[Placed]:
    made = []
    for path, manifest in entries(space, "manifests", at):
        inside = manifest["metadata"].get("namespace", space["name"])
        if inside != space["name"]:
            raise index.document.error((*path, "metadata", "namespace"), f'is not "{space["name"]}"')
        filled: Any = index.filled(manifest, named.account, path)
        document = {**filled, "metadata": {**filled["metadata"], "namespace": space["name"]}}
        made.append(Placed(document, path))
    return made


def _workloads(index: Index, space: Json, named: ClusterName, at: FieldPath) -> list[Placed]:
    unique(
        index.document,
        at,
        space.get("workloads", ()),
        "workloads",
        lambda thing: (thing.get("kind", "Deployment"), thing["name"]),
    )
    return [
        Placed(manifests.workload(index.filled(entry, named.account, path), space["name"]), path)
        for path, entry in entries(space, "workloads", at)
    ]
