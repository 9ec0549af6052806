"""Structs to facts: pods, templates, nodes, ServiceAccounts. Pure."""

from collections.abc import Iterator, Mapping
from itertools import chain

from migrator.adapters.kube.structs import (
    AccountMeta,
    AccountObject,
    Condition,
    ContainerSpec,
    ContainerStatus,
    Env,
    EnvFrom,
    NodeObject,
    PodObject,
    Spec,
    ValueFrom,
    Volume,
)
from migrator.adapters.kube.whereabouts import node_terms, taint, toleration
from migrator.model.facts import (
    Container,
    EnvVar,
    FieldManager,
    Node,
    Pod,
    PodSpec,
    PodVolume,
    ServiceAccount,
    WorkloadRef,
)

# (namespace, kind, name) of an object -> the workload at the head of its owner chain
Owners = Mapping[tuple[str, str, str], WorkloadRef]

_STARTING = frozenset({"", "ContainerCreating", "PodInitializing"})
_APPLY = "Apply"
_COMPUTE_TYPE = "eks.amazonaws.com/compute-type"


def service_account(found: AccountObject) -> ServiceAccount:
    """The fact for a ServiceAccount."""
    meta = found.metadata
    return ServiceAccount(
        namespace=meta.namespace,
        name=meta.name,
        uid=meta.uid,
        annotations=meta.annotations or {},
        labels=meta.labels or {},
        managers=_managers(meta),
        controller=next((f"{one.kind} {one.name}" for one in meta.owner_references or () if one.controller), ""),
    )


def _managers(meta: AccountMeta) -> tuple[FieldManager, ...]:
    """Who wrote the role annotation, sorted: the server's order follows the times of writing."""
    entries = (one for one in meta.managed_fields or () if one.fields_v1.metadata.annotations.role_arn is not None)
    return tuple(sorted({FieldManager(name=one.manager, applies=one.operation == _APPLY) for one in entries}))


def node(found: NodeObject) -> Node:
    """The fact for a node; the well-known labels, or what its kubelet says where they are missing."""
    labels, info = found.metadata.labels or {}, found.status.node_info
    return Node(
        name=found.metadata.name,
        os=labels.get("kubernetes.io/os") or info.operating_system or "linux",
        arch=labels.get("kubernetes.io/arch") or info.architecture or "amd64",
        compute_type=labels.get(_COMPUTE_TYPE, ""),
        ready=_holds(found.status.conditions, "Ready"),
        schedulable=not found.spec.unschedulable,
        labels=labels,
        taints=tuple(taint(entry) for entry in found.spec.taints or ()),
    )


def pod(found: PodObject, owners: Owners) -> Pod:
    """The fact for a live pod.

    Args:
        found: the pod.
        owners: heads of owner chains; an owner that is not in it is itself the head.
    """
    meta, status = found.metadata, found.status
    return Pod(
        namespace=meta.namespace,
        name=meta.name,
        uid=meta.uid,
        spec=pod_spec(found.spec),
        owner=_head(found, owners),
        node=found.spec.node_name,
        phase=status.phase,
        ready=_holds(status.conditions, "Ready"),
        deleting=meta.deletion_timestamp is not None,
        labels=meta.labels or {},
        annotations=meta.annotations or {},
        trouble=trouble(found),
    )


def pod_spec(spec: Spec) -> PodSpec:
    """The fact for a pod's or a template's spec; init containers first."""
    containers = [
        *(_container(entry, init=True) for entry in spec.init_containers or ()),
        *(_container(entry, init=False) for entry in spec.containers or ()),
    ]
    return PodSpec(
        service_account=spec.service_account_name or spec.service_account or "default",
        containers=tuple(containers),
        token_audiences=dict(chain.from_iterable(_audiences(volume) for volume in spec.volumes or ())),
        files={volume.name: sources for volume in spec.volumes or () if (sources := _files(volume))},
        node_selector=spec.node_selector or {},
        node_terms=node_terms(spec.affinity),
        tolerations=tuple(toleration(entry) for entry in spec.tolerations or ()),
        host_network=spec.host_network,
        volumes=tuple(found for volume in spec.volumes or () if (found := _csi(volume)) is not None),
    )


def trouble(found: PodObject) -> str:
    """What keeps the pod from working, in one word of the kubelet's or the scheduler's; empty when nothing does."""
    status = found.status
    if status.reason:
        return status.reason
    unscheduled = _condition(status.conditions, "PodScheduled")
    if unscheduled is not None and unscheduled.status == "False" and unscheduled.reason:
        return unscheduled.reason
    for entry in status.init_container_statuses or ():
        if said := _failing(entry, restarts=True):
            return said
    restarts = found.spec.restart_policy in {"", "Always"}
    ordinary = (_failing(entry, restarts=restarts) for entry in status.container_statuses or ())
    return next((said for said in ordinary if said), "")


def _failing(status: ContainerStatus, *, restarts: bool) -> str:
    waiting, ended = status.state.waiting, status.state.terminated
    if waiting is not None:
        return "" if waiting.reason in _STARTING else waiting.reason
    if ended is not None and restarts and ended.exit_code != 0:
        return ended.reason or f"exit code {ended.exit_code}"
    return ""


def _head(found: PodObject, owners: Owners) -> WorkloadRef | None:
    owner = found.metadata.controller
    if owner is None or owner.kind == "Node":  # a static pod's mirror is owned by its node
        return None
    direct = WorkloadRef(kind=owner.kind, namespace=found.metadata.namespace, name=owner.name)
    return owners.get((found.metadata.namespace, owner.kind, owner.name), direct)


def _container(entry: ContainerSpec, *, init: bool) -> Container:
    return Container(
        name=entry.name,
        image=entry.image,
        init=init,
        env=tuple(_variable(variable) for variable in entry.env or ()),
        env_from=tuple(source for one in entry.env_from or () if (source := _many(one))),
        prefixes={source: one.prefix for one in entry.env_from or () if one.prefix and (source := _many(one))},
        mounts=tuple(mount.name for mount in entry.volume_mounts or ()),
        paths={mount.mount_path: mount.name for mount in entry.volume_mounts or ()},
        words=(*(entry.command or ()), *(entry.args or ())),
    )


def _variable(entry: Env) -> EnvVar:
    if entry.value_from is not None:
        return EnvVar(name=entry.name, source=_source(entry.value_from))
    return EnvVar(name=entry.name, value=entry.value or "")


def _source(origin: ValueFrom) -> str:
    """Kind and place, never the value: `secret/NAME:KEY`, `configmap/NAME:KEY`, `field/PATH`, `resource/NAME`."""
    keyed = {"secret": origin.secret_key_ref, "configmap": origin.config_map_key_ref, "file": origin.file_key_ref}
    for kind, ref in keyed.items():
        if ref is not None:
            return f"{kind}/{ref.name or ref.path}:{ref.key}"
    if origin.field_ref is not None:
        return f"field/{origin.field_ref.field_path}"
    return f"resource/{origin.resource_field_ref.resource}" if origin.resource_field_ref is not None else "unknown"


def _many(entry: EnvFrom) -> str:
    if entry.config_map_ref is not None:
        return f"configmap/{entry.config_map_ref.name}"
    return f"secret/{entry.secret_ref.name}" if entry.secret_ref is not None else ""


def _files(volume: Volume) -> tuple[str, ...]:
    """The Secrets and ConfigMaps whose keys are the volume's files."""
    projected = volume.projected.sources or () if volume.projected is not None else ()
    secrets = [volume.secret.secret_name] if volume.secret is not None else []
    secrets += [one.secret.name for one in projected if one.secret is not None]
    configs = [one.config_map for one in (volume, *projected) if one.config_map is not None]
    return (*(f"secret/{name}" for name in secrets), *(f"configmap/{one.name}" for one in configs))


def _audiences(volume: Volume) -> Iterator[tuple[str, str]]:
    """The volume's token audiences: the first under the volume's name, further ones under `VOLUME/PATH`."""
    sources = volume.projected.sources or () if volume.projected is not None else ()
    tokens = (source.service_account_token for source in sources if source.service_account_token is not None)
    for position, token in enumerate(token for token in tokens if token.audience):
        yield (volume.name if position == 0 else f"{volume.name}/{token.path}"), token.audience


def _csi(volume: Volume) -> PodVolume | None:
    """A volume of a CSI driver; a claim may be one's."""
    if volume.csi is not None:
        attributes = volume.csi.volume_attributes or {}
        return PodVolume(name=volume.name, driver=volume.csi.driver, attributes=attributes)
    claim = volume.persistent_volume_claim
    return None if claim is None else PodVolume(name=volume.name, claim=claim.claim_name)


def _condition(conditions: list[Condition] | None, kind: str) -> Condition | None:
    return next((condition for condition in conditions or () if condition.type == kind), None)


def _holds(conditions: list[Condition] | None, kind: str) -> bool:
    found = _condition(conditions, kind)
    return found is not None and found.status == "True"
