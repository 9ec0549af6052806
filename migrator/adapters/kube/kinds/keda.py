"""KEDA: how triggers log in, and what is scaled by them. Source: KEDA's documentation of provider aws and aws-eks."""

from collections.abc import Iterator

from msgspec import Struct

from migrator.adapters.kube.kinds.parts import ref
from migrator.adapters.kube.structs import Meta
from migrator.adapters.kube.workload_structs import JobSpec
from migrator.model.facts import WorkloadRef
from migrator.model.surroundings import RoleUse, Scaler, Thing, Trigger, TriggerAuthentication

_AWS, _AWS_EKS = "aws", "aws-eks"
CONTROLLER = "keda-operator"


class PodIdentity(Struct, rename="camel", frozen=True):
    """A podIdentity."""

    provider: str = ""
    identity_owner: str | None = None
    role_arn: str | None = None


class AuthenticationSpec(Struct, rename="camel", frozen=True):
    """A TriggerAuthentication's spec."""

    pod_identity: PodIdentity = PodIdentity()


class Authentication(Struct, frozen=True):
    """A TriggerAuthentication or ClusterTriggerAuthentication."""

    metadata: Meta
    spec: AuthenticationSpec = AuthenticationSpec()


class Target(Struct, frozen=True):
    """A scaleTargetRef."""

    name: str = ""
    kind: str = ""


class AuthenticationRef(Struct, frozen=True):
    """An authenticationRef."""

    name: str = ""
    kind: str = ""


class TriggerMetadata(Struct, rename="camel", frozen=True):
    """A trigger's metadata."""

    identity_owner: str = ""


class TriggerSpec(Struct, rename="camel", frozen=True):
    """A trigger."""

    metadata: TriggerMetadata = TriggerMetadata()
    authentication_ref: AuthenticationRef | None = None


class ScaledSpec(Struct, rename="camel", frozen=True):
    """The spec of a ScaledObject or a ScaledJob."""

    scale_target_ref: Target = Target()
    job_target_ref: JobSpec = JobSpec()
    triggers: list[TriggerSpec] | None = None


class Scaled(Struct, frozen=True):
    """A ScaledObject or a ScaledJob."""

    metadata: Meta
    spec: ScaledSpec = ScaledSpec()


def authentication(kind: str, found: Authentication) -> Iterator[Thing]:
    """The facts of one; none when it is not about AWS. Provider `aws-eks` always reads the workload's annotation."""
    identity = found.spec.pod_identity
    if identity.provider not in {_AWS, _AWS_EKS}:
        return
    role = identity.role_arn or ""
    workload = identity.provider == _AWS_EKS or identity.identity_owner == "workload"
    named = ref(kind, found.metadata)
    yield TriggerAuthentication(ref=named, provider=identity.provider, workload=workload, role=role)
    if role:
        yield RoleUse(ref=named, controller=CONTROLLER, field="spec.podIdentity.roleArn", role=role)


def scaler(kind: str, found: Scaled) -> Iterator[Thing]:
    """The fact of one; a ScaledObject's target is a Deployment unless it says otherwise."""
    spec, meta = found.spec, found.metadata
    jobs = kind == "ScaledJob"
    yield Scaler(
        ref=ref(kind, meta),
        target=None if jobs else _target(meta.namespace, spec.scale_target_ref),
        account=spec.job_target_ref.template.spec.service_account_name or "default" if jobs else "",
        triggers=tuple(_trigger(trigger) for trigger in spec.triggers or ()),
    )


def _target(namespace: str, target: Target) -> WorkloadRef:
    return WorkloadRef(kind=target.kind or "Deployment", namespace=namespace, name=target.name)


def _trigger(found: TriggerSpec) -> Trigger:
    asked, owner = found.authentication_ref, found.metadata.identity_owner
    if asked is None:
        return Trigger(owner=owner)
    return Trigger(kind=asked.kind or "TriggerAuthentication", name=asked.name, owner=owner)
