"""Crossplane: where its AWS providers take their credentials from, and what their ServiceAccounts are made of."""

from collections.abc import Iterator

from msgspec import Struct

from migrator.adapters.kube.kinds.parts import ref
from migrator.adapters.kube.structs import Meta
from migrator.adapters.kube.workload_structs import JobSpec
from migrator.model.ids import ROLE_ARN_ANNOTATION
from migrator.model.surroundings import ProviderConfig, RuntimeConfig, Thing


class Credentials(Struct, frozen=True):
    """A ProviderConfig's credentials."""

    source: str = ""


class ConfigSpec(Struct, frozen=True):
    """A ProviderConfig's spec."""

    credentials: Credentials = Credentials()


class Config(Struct, frozen=True):
    """A ProviderConfig or ClusterProviderConfig."""

    metadata: Meta
    spec: ConfigSpec = ConfigSpec()


class AccountTemplate(Struct, frozen=True):
    """A serviceAccountTemplate."""

    metadata: Meta = Meta()


class DeploymentTemplate(Struct, frozen=True):
    """A deploymentTemplate."""

    spec: JobSpec = JobSpec()


class RuntimeSpec(Struct, rename="camel", frozen=True):
    """A DeploymentRuntimeConfig's spec."""

    service_account_template: AccountTemplate | None = None
    deployment_template: DeploymentTemplate | None = None


class Runtime(Struct, frozen=True):
    """A DeploymentRuntimeConfig."""

    metadata: Meta
    spec: RuntimeSpec = RuntimeSpec()


class ControllerSpec(Struct, rename="camel", frozen=True):
    """A ControllerConfig's spec."""

    service_account_name: str = ""


class Controller(Struct, frozen=True):
    """A ControllerConfig, the older form; its own annotations go to the ServiceAccount."""

    metadata: Meta
    spec: ControllerSpec = ControllerSpec()


def config(kind: str, found: Config) -> Iterator[Thing]:
    """The fact of a ProviderConfig."""
    yield ProviderConfig(ref=ref(kind, found.metadata), source=found.spec.credentials.source)


def runtime(kind: str, found: Runtime) -> Iterator[Thing]:
    """The fact of a DeploymentRuntimeConfig; none when it annotates no role.

    The ServiceAccount's name may be fixed in its own template or in that of the Deployment.
    """
    template = found.spec.service_account_template
    meta = template.metadata if template is not None else Meta()
    role = (meta.annotations or {}).get(ROLE_ARN_ANNOTATION)
    if role:
        pods = found.spec.deployment_template or DeploymentTemplate()
        account = meta.name or pods.spec.template.spec.service_account_name
        yield RuntimeConfig(ref=ref(kind, found.metadata), role=role, account=account)


def controller(kind: str, found: Controller) -> Iterator[Thing]:
    """The fact of a ControllerConfig; none when it annotates no role."""
    role = (found.metadata.annotations or {}).get(ROLE_ARN_ANNOTATION)
    if role:
        yield RuntimeConfig(ref=ref(kind, found.metadata), role=role, account=found.spec.service_account_name)
