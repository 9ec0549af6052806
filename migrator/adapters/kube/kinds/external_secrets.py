"""External Secrets: stores and generators of AWS that use a ServiceAccount's token, or name a role to take on.

All served versions (v1, v1beta1, v1alpha1) have these fields in the same places.
"""

from collections.abc import Iterator

from msgspec import Struct

from migrator.adapters.kube.kinds.parts import AccountRef, ref
from migrator.adapters.kube.structs import Meta
from migrator.model.surroundings import ObjectRef, RoleUse, Thing

CONTROLLER = "external-secrets"


class Jwt(Struct, rename="camel", frozen=True):
    """A jwt part."""

    service_account_ref: AccountRef | None = None


class AwsAuth(Struct, rename="camel", frozen=True):
    """How a store or a generator of AWS logs in; with a Secret's static keys it uses no ServiceAccount."""

    jwt: Jwt | None = None
    secret_ref: dict[str, object] | None = None


class Aws(Struct, frozen=True):
    """A store's AWS part; a generator's spec has the same fields."""

    role: str = ""
    auth: AwsAuth = AwsAuth()


class VaultIam(Struct, frozen=True):
    """Vault's login by IAM."""

    jwt: Jwt | None = None


class VaultAuth(Struct, frozen=True):
    """How a Vault store logs in."""

    iam: VaultIam | None = None


class Vault(Struct, frozen=True):
    """A store's Vault part."""

    auth: VaultAuth | None = None


class Provider(Struct, frozen=True):
    """A store's provider."""

    aws: Aws | None = None
    vault: Vault | None = None


class StoreSpec(Struct, frozen=True):
    """A store's spec."""

    provider: Provider = Provider()


class Store(Struct, frozen=True):
    """A SecretStore or ClusterSecretStore."""

    metadata: Meta
    spec: StoreSpec = StoreSpec()


class Generator(Struct, frozen=True):
    """An ECRAuthorizationToken or STSSessionToken."""

    metadata: Meta
    spec: Aws = Aws()


class GeneratorSpecs(Struct, rename="camel", frozen=True):
    """A ClusterGenerator's generator."""

    ecr_authorization_token_spec: Aws | None = None
    sts_session_token_spec: Aws | None = None


class ClusterGeneratorSpec(Struct, frozen=True):
    """A ClusterGenerator's spec."""

    generator: GeneratorSpecs = GeneratorSpecs()


class ClusterGenerator(Struct, frozen=True):
    """A ClusterGenerator."""

    metadata: Meta
    spec: ClusterGeneratorSpec = ClusterGeneratorSpec()


def store(kind: str, found: Store) -> Iterator[Thing]:
    """The facts of a store."""
    named, provider = ref(kind, found.metadata), found.spec.provider
    if provider.aws is not None:
        yield from _uses(named, "spec.provider.aws", provider.aws)
    iam = provider.vault.auth.iam if provider.vault is not None and provider.vault.auth is not None else None
    if iam is not None and iam.jwt is not None:
        yield from _borrowed(named, "spec.provider.vault.auth.iam.jwt.serviceAccountRef", iam.jwt, "")


def generator(kind: str, found: Generator) -> Iterator[Thing]:
    """The facts of a generator."""
    yield from _uses(ref(kind, found.metadata), "spec", found.spec)


def cluster_generator(kind: str, found: ClusterGenerator) -> Iterator[Thing]:
    """The facts of a ClusterGenerator."""
    specs = found.spec.generator
    named = ref(kind, found.metadata)
    if specs.ecr_authorization_token_spec is not None:
        yield from _uses(named, "spec.generator.ecrAuthorizationTokenSpec", specs.ecr_authorization_token_spec)
    if specs.sts_session_token_spec is not None:
        yield from _uses(named, "spec.generator.stsSessionTokenSpec", specs.sts_session_token_spec)


def _uses(named: ObjectRef, at: str, aws: Aws) -> Iterator[RoleUse]:
    if aws.auth.jwt is not None and aws.auth.jwt.service_account_ref is not None:
        yield from _borrowed(named, f"{at}.auth.jwt.serviceAccountRef", aws.auth.jwt, aws.role)
    elif aws.role and aws.auth.secret_ref is None:
        yield RoleUse(ref=named, controller=CONTROLLER, field=f"{at}.role", role=aws.role)


def _borrowed(named: ObjectRef, field: str, jwt: Jwt, role: str) -> Iterator[RoleUse]:
    """An object of one namespace may name ServiceAccounts of that namespace only."""
    account = jwt.service_account_ref
    if account is not None:
        namespace = named.namespace or account.namespace
        yield RoleUse(
            ref=named,
            controller=CONTROLLER,
            field=field,
            account=account.name,
            account_namespace=namespace,
            role=role,
        )
