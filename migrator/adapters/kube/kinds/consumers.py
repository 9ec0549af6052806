"""cert-manager's issuers, the AWS provider of the Secrets Store CSI driver, and volumes of Mountpoint for S3."""

from collections.abc import Iterator

from msgspec import Struct

from migrator.adapters.kube.kinds.parts import AccountRef, ref
from migrator.adapters.kube.structs import Csi, Meta
from migrator.model.surroundings import RoleUse, S3Volume, SecretClass, Thing

CERT_MANAGER = "cert-manager"
_S3 = "s3.csi.aws.com"
_SOURCE = "authenticationSource"
_TRUE = frozenset({"1", "t", "T", "true", "True", "TRUE"})  # what Go's ParseBool takes for it


class KubernetesAuth(Struct, rename="camel", frozen=True):
    """A login by a ServiceAccount's token."""

    service_account_ref: AccountRef | None = None


class Route53Auth(Struct, frozen=True):
    """A solver's login."""

    kubernetes: KubernetesAuth | None = None


class Route53(Struct, rename={"access_key": "accessKeyID", "access_key_ref": "accessKeyIDSecretRef"}, frozen=True):
    """A solver on Route 53; with static keys it begins with those."""

    role: str = ""
    auth: Route53Auth | None = None
    access_key: str = ""
    access_key_ref: dict[str, str] | None = None


class Dns01(Struct, frozen=True):
    """A solver over DNS."""

    route53: Route53 | None = None


class Solver(Struct, frozen=True):
    """A solver."""

    dns01: Dns01 | None = None


class Acme(Struct, frozen=True):
    """An ACME issuer."""

    solvers: list[Solver] | None = None


class IssuerSpec(Struct, frozen=True):
    """An issuer's spec."""

    acme: Acme | None = None


class Issuer(Struct, frozen=True):
    """An Issuer or ClusterIssuer."""

    metadata: Meta
    spec: IssuerSpec = IssuerSpec()


class SecretParameters(Struct, rename="camel", frozen=True):
    """A SecretProviderClass's parameters."""

    use_pod_identity: str = ""


class SecretProviderSpec(Struct, frozen=True):
    """A SecretProviderClass's spec."""

    provider: str = ""
    parameters: SecretParameters | None = None


class SecretProvider(Struct, frozen=True):
    """A SecretProviderClass."""

    metadata: Meta
    spec: SecretProviderSpec = SecretProviderSpec()


class ClaimRef(Struct, frozen=True):
    """The claim that a volume is bound to."""

    namespace: str = ""
    name: str = ""


class VolumeSpec(Struct, rename="camel", frozen=True):
    """A PersistentVolume's spec."""

    csi: Csi | None = None
    claim_ref: ClaimRef | None = None


class Volume(Struct, frozen=True):
    """A PersistentVolume."""

    metadata: Meta
    spec: VolumeSpec = VolumeSpec()


def issuer(kind: str, found: Issuer) -> Iterator[Thing]:
    """The facts of an issuer, one for each solver on Route 53 that names a role.

    An Issuer's ServiceAccount is of its own namespace; a ClusterIssuer's of one that cert-manager is configured with.
    """
    solvers = found.spec.acme.solvers or () if found.spec.acme is not None else ()
    for position, solver in enumerate(solvers):
        route53 = solver.dns01.route53 if solver.dns01 is not None else None
        if route53 is not None and route53.role and not route53.access_key and route53.access_key_ref is None:
            at = f"spec.acme.solvers[{position}].dns01.route53"
            yield _route53(kind, found.metadata, at, route53)


def _route53(kind: str, meta: Meta, at: str, route53: Route53) -> RoleUse:
    named = ref(kind, meta)
    login = route53.auth.kubernetes if route53.auth is not None else None
    account = login.service_account_ref if login is not None else None
    if account is None:
        return RoleUse(ref=named, controller=CERT_MANAGER, field=f"{at}.role", role=route53.role)
    return RoleUse(
        ref=named,
        controller=CERT_MANAGER,
        field=f"{at}.auth.kubernetes.serviceAccountRef",
        account=account.name,
        account_namespace=named.namespace,
        role=route53.role,
    )


def secret_class(kind: str, found: SecretProvider) -> Iterator[Thing]:
    """The fact of a SecretProviderClass; none when it is not the AWS provider's."""
    if found.spec.provider == "aws":
        parameters = found.spec.parameters or SecretParameters()
        yield SecretClass(ref=ref(kind, found.metadata), pod_identity=parameters.use_pod_identity in _TRUE)


def volume(kind: str, found: Volume) -> Iterator[Thing]:
    """The fact of a PersistentVolume; none when it is another driver's, or bound to nothing."""
    csi, claim = found.spec.csi, found.spec.claim_ref
    if csi is not None and csi.driver == _S3 and claim is not None:
        source = (csi.volume_attributes or {}).get(_SOURCE, "")
        named = ref(kind, found.metadata)
        yield S3Volume(ref=named, claim_namespace=claim.namespace, claim=claim.name, source=source)
