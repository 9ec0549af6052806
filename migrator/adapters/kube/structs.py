"""The parts of Kubernetes objects that we read, as msgspec structs: the decoder skips everything they do not name.

`null` is allowed wherever a Go server may write one for an empty list or map.
"""

from typing import Generic, TypeVar

from msgspec import Struct, field

T = TypeVar("T")

Labels = dict[str, str] | None


class Owner(Struct, rename="camel", frozen=True):
    """An ownerReference."""

    kind: str
    name: str
    uid: str = ""
    controller: bool | None = None


class Meta(Struct, rename="camel", frozen=True):
    """ObjectMeta."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    labels: Labels = None
    annotations: Labels = None
    owner_references: list[Owner] | None = None
    deletion_timestamp: str | None = None

    @property
    def controller(self) -> Owner | None:
        """The owner that controls the object; the only owner if none says so."""
        owners = self.owner_references or []
        controlling = next((owner for owner in owners if owner.controller), None)
        return controlling or (owners[0] if len(owners) == 1 else None)


class ListMeta(Struct, rename={"continue_": "continue", "resource_version": "resourceVersion"}, frozen=True):
    """ListMeta; `continue_` is the next page's token."""

    continue_: str | None = None
    resource_version: str = ""


class Page(Struct, Generic[T], frozen=True):
    """One page of a list."""

    items: list[T] | None = None
    metadata: ListMeta = ListMeta()


class MetaOnly(Struct, frozen=True):
    """Any object, for its metadata alone."""

    metadata: Meta


class KeyRef(Struct, frozen=True):
    """A secretKeyRef, configMapKeyRef or fileKeyRef."""

    name: str = ""
    key: str = ""
    path: str = ""


class FieldRef(Struct, rename="camel", frozen=True):
    """A fieldRef."""

    field_path: str = ""


class ResourceRef(Struct, frozen=True):
    """A resourceFieldRef."""

    resource: str = ""


class ValueFrom(Struct, rename="camel", frozen=True):
    """Where a variable's value comes from."""

    field_ref: FieldRef | None = None
    resource_field_ref: ResourceRef | None = None
    secret_key_ref: KeyRef | None = None
    config_map_key_ref: KeyRef | None = None
    file_key_ref: KeyRef | None = None


class Env(Struct, rename="camel", frozen=True):
    """One variable."""

    name: str
    value: str | None = None
    value_from: ValueFrom | None = None


class Named(Struct, frozen=True):
    """A reference by name."""

    name: str = ""


class EnvFrom(Struct, rename="camel", frozen=True):
    """One source of many variables, whose names are its keys with the prefix before them."""

    prefix: str = ""
    config_map_ref: Named | None = None
    secret_ref: Named | None = None


class Mount(Struct, rename="camel", frozen=True):
    """A volumeMount."""

    name: str = ""
    mount_path: str = ""


class ContainerSpec(Struct, rename="camel", frozen=True):
    """A container."""

    name: str = ""
    image: str = ""
    command: list[str] | None = None
    args: list[str] | None = None
    env: list[Env] | None = None
    env_from: list[EnvFrom] | None = None
    volume_mounts: list[Mount] | None = None


class TokenSource(Struct, frozen=True):
    """A serviceAccountToken projection."""

    audience: str = ""
    path: str = ""


class Projection(Struct, rename="camel", frozen=True):
    """One source of a projected volume."""

    service_account_token: TokenSource | None = None
    secret: Named | None = None
    config_map: Named | None = None


class Projected(Struct, frozen=True):
    """A projected volume."""

    sources: list[Projection] | None = None


class SecretSource(Struct, rename="camel", frozen=True):
    """A volume of a Secret."""

    secret_name: str = ""


class Csi(Struct, rename="camel", frozen=True):
    """A volume of a CSI driver, in a pod or a PersistentVolume."""

    driver: str = ""
    volume_attributes: Labels = None


class Claim(Struct, rename="camel", frozen=True):
    """A persistentVolumeClaim of a pod."""

    claim_name: str = ""


class Volume(Struct, rename="camel", frozen=True):
    """A volume."""

    name: str = ""
    secret: SecretSource | None = None
    config_map: Named | None = None
    projected: Projected | None = None
    csi: Csi | None = None
    persistent_volume_claim: Claim | None = None


class TolerationSpec(Struct, frozen=True):
    """A toleration."""

    key: str | None = None
    operator: str | None = None
    value: str | None = None
    effect: str | None = None


class Expression(Struct, frozen=True):
    """A nodeSelectorRequirement."""

    key: str = ""
    operator: str = ""
    values: list[str] | None = None


class Term(Struct, rename="camel", frozen=True):
    """A nodeSelectorTerm."""

    match_expressions: list[Expression] | None = None
    match_fields: list[Expression] | None = None


class Terms(Struct, rename="camel", frozen=True):
    """A nodeSelector."""

    node_selector_terms: list[Term] | None = None


class NodeAffinity(Struct, rename="camel", frozen=True):
    """A nodeAffinity's required part."""

    required_during_scheduling_ignored_during_execution: Terms | None = None


class Affinity(Struct, rename="camel", frozen=True):
    """An affinity, as far as nodes go."""

    node_affinity: NodeAffinity | None = None


class Spec(Struct, rename="camel", frozen=True):
    """A pod's spec."""

    service_account_name: str = ""
    service_account: str = ""
    containers: list[ContainerSpec] | None = None
    init_containers: list[ContainerSpec] | None = None
    volumes: list[Volume] | None = None
    node_selector: Labels = None
    affinity: Affinity | None = None
    tolerations: list[TolerationSpec] | None = None
    node_name: str = ""
    host_network: bool = False
    restart_policy: str = ""


class Template(Struct, frozen=True):
    """A pod template."""

    metadata: Meta = Meta()
    spec: Spec = Spec()


class Condition(Struct, frozen=True):
    """A condition of any object's status."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""


class Reason(Struct, rename="camel", frozen=True):
    """A container's waiting or terminated state."""

    reason: str = ""
    exit_code: int = 0


class State(Struct, frozen=True):
    """What a container is doing."""

    waiting: Reason | None = None
    terminated: Reason | None = None


class ContainerStatus(Struct, frozen=True):
    """A container's status."""

    name: str = ""
    state: State = State()


class PodStatus(Struct, rename="camel", frozen=True):
    """A pod's status."""

    phase: str = "Pending"
    reason: str = ""
    conditions: list[Condition] | None = None
    container_statuses: list[ContainerStatus] | None = None
    init_container_statuses: list[ContainerStatus] | None = None


class PodObject(Struct, frozen=True):
    """A pod."""

    metadata: Meta
    spec: Spec = Spec()
    status: PodStatus = PodStatus()


class RoleArnField(Struct, frozen=True):
    """Of all annotations in a fieldsV1, the one for the role: `{}` where the manager owns it."""

    role_arn: dict[str, object] | None = field(default=None, name="f:eks.amazonaws.com/role-arn")


class MetaFields(Struct, frozen=True):
    """Of all metadata in a fieldsV1, the annotations."""

    annotations: RoleArnField = field(default=RoleArnField(), name="f:annotations")


class FieldsV1(Struct, frozen=True):
    """A set of fields, as far as the role annotation goes."""

    metadata: MetaFields = field(default=MetaFields(), name="f:metadata")


class Managed(Struct, rename="camel", frozen=True):
    """An entry of managedFields: `operation` is Apply or Update."""

    manager: str = ""
    operation: str = ""
    fields_v1: FieldsV1 = field(default=FieldsV1(), name="fieldsV1")


class AccountMeta(Meta, rename="camel", frozen=True):
    """A ServiceAccount's ObjectMeta; of other objects nobody asks who wrote what, and decoding it would cost."""

    managed_fields: list[Managed] | None = None


class AccountObject(Struct, frozen=True):
    """A ServiceAccount."""

    metadata: AccountMeta


class NodeInfo(Struct, rename="camel", frozen=True):
    """What the kubelet says of its machine."""

    operating_system: str = ""
    architecture: str = ""


class NodeStatus(Struct, rename="camel", frozen=True):
    """A node's status."""

    conditions: list[Condition] | None = None
    node_info: NodeInfo = NodeInfo()


class TaintSpec(Struct, frozen=True):
    """A taint."""

    key: str = ""
    value: str | None = None
    effect: str = ""


class NodeSpec(Struct, frozen=True):
    """A node's spec; `unschedulable` is what cordoning sets."""

    unschedulable: bool | None = None
    taints: list[TaintSpec] | None = None


class NodeObject(Struct, frozen=True):
    """A node."""

    metadata: Meta
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()
