"""Reads objects of kinds that a cluster may not have: what is not there is silent, what may not be read is said.

Each kind is one list of the whole cluster, in pages. An object of somebody else's kind may look otherwise than we
know it; it is then said to be unread, and the others still count.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from migrator.adapters.kube.connection import KubeConnection
from migrator.adapters.kube.decoders import decoder
from migrator.adapters.kube.kinds import cilium, consumers, crossplane, external_secrets, keda, network
from migrator.adapters.kube.pages import listed
from migrator.adapters.kube.served import paths
from migrator.adapters.kube.structs import MetaOnly
from migrator.model.errors import NotPermitted, Rejected
from migrator.model.facts import Unread
from migrator.model.surroundings import Surroundings, Thing

S = TypeVar("S")

_GONE = frozenset({"NotFound", "404"})
_NO_PERMISSION = "the operator has no permission to list them"
_NO_DISCOVERY = Unread(what="what API groups there are", why="the operator has no permission for discovery")


@dataclass(frozen=True, slots=True)
class Kind(Generic[S]):
    """A kind, the struct of its objects, and the facts that one gives."""

    name: str
    group: str
    resource: str
    of: type[S]
    facts: Callable[[str, S], Iterable[Thing]]  # kind, object

    def things(self, raw: msgspec.Raw) -> Iterable[Thing]:
        """The facts of one object.

        Raises:
            msgspec.DecodeError: it has not the form we know.
        """
        return self.facts(self.name, decoder(self.of).decode(raw))


POLICIES = Kind("NetworkPolicy", "networking.k8s.io", "networkpolicies", network.Policy, network.policy)
VOLUMES = Kind("PersistentVolume", "", "persistentvolumes", consumers.Volume, consumers.volume)
SECURITY_GROUPS = Kind(
    "SecurityGroupPolicy", "vpcresources.k8s.aws", "securitygrouppolicies", network.SecurityGroups, network.groups
)
CILIUM = (
    Kind("CiliumNetworkPolicy", "cilium.io", "ciliumnetworkpolicies", cilium.Cilium, cilium.policy),
    Kind(
        "CiliumClusterwideNetworkPolicy",
        "cilium.io",
        "ciliumclusterwidenetworkpolicies",
        cilium.Cilium,
        cilium.policy,
    ),
)
_KEDA, _ESO, _GENERATORS, _PACKAGES = (
    "keda.sh",
    "external-secrets.io",
    "generators.external-secrets.io",
    "pkg.crossplane.io",
)
_TRIGGERS = (keda.Authentication, keda.authentication)
_STORES = (external_secrets.Store, external_secrets.store)
_ISSUERS = (consumers.Issuer, consumers.issuer)
_CONFIGS = (crossplane.Config, crossplane.config)
CUSTOM: tuple[Kind[Any], ...] = (
    *CILIUM,
    Kind("TriggerAuthentication", _KEDA, "triggerauthentications", *_TRIGGERS),
    Kind("ClusterTriggerAuthentication", _KEDA, "clustertriggerauthentications", *_TRIGGERS),
    Kind("ScaledObject", _KEDA, "scaledobjects", keda.Scaled, keda.scaler),
    Kind("ScaledJob", _KEDA, "scaledjobs", keda.Scaled, keda.scaler),
    Kind("SecretStore", _ESO, "secretstores", *_STORES),
    Kind("ClusterSecretStore", _ESO, "clustersecretstores", *_STORES),
    Kind(
        "ECRAuthorizationToken",
        _GENERATORS,
        "ecrauthorizationtokens",
        external_secrets.Generator,
        external_secrets.generator,
    ),
    Kind("STSSessionToken", _GENERATORS, "stssessiontokens", external_secrets.Generator, external_secrets.generator),
    Kind(
        "ClusterGenerator",
        _GENERATORS,
        "clustergenerators",
        external_secrets.ClusterGenerator,
        external_secrets.cluster_generator,
    ),
    Kind("Issuer", "cert-manager.io", "issuers", *_ISSUERS),
    Kind("ClusterIssuer", "cert-manager.io", "clusterissuers", *_ISSUERS),
    Kind(
        "SecretProviderClass",
        "secrets-store.csi.x-k8s.io",
        "secretproviderclasses",
        consumers.SecretProvider,
        consumers.secret_class,
    ),
    *(
        Kind(kind, group, resource, *_CONFIGS)
        for kind, group, resource in (
            ("ProviderConfig", "aws.upbound.io", "providerconfigs"),
            ("ProviderConfig", "aws.m.upbound.io", "providerconfigs"),
            ("ClusterProviderConfig", "aws.m.upbound.io", "clusterproviderconfigs"),
            ("ProviderConfig", "aws.crossplane.io", "providerconfigs"),
        )
    ),
    Kind("DeploymentRuntimeConfig", _PACKAGES, "deploymentruntimeconfigs", crossplane.Runtime, crossplane.runtime),
    Kind("ControllerConfig", _PACKAGES, "controllerconfigs", crossplane.Controller, crossplane.controller),
)


def surroundings(connection: KubeConnection, *, volumes: bool, security_groups: bool) -> Surroundings:
    """Everything of these kinds that there is.

    Args:
        connection: the cluster.
        volumes: PersistentVolumes too; there may be many, and none of them matters if no service has a claim.
        security_groups: SecurityGroupPolicies too; every EKS cluster knows them, few use them.
    """
    reading = _Reading(connection)
    reading.read(POLICIES, "/apis/networking.k8s.io/v1/networkpolicies")
    if volumes:
        reading.read(VOLUMES, "/api/v1/persistentvolumes")
    kinds = (*CUSTOM, SECURITY_GROUPS) if security_groups else CUSTOM
    served = _served(reading, kinds)
    for kind in kinds:
        path = served.get((kind.group, kind.resource))
        if path is not None:
            reading.read(kind, path)
    return Surroundings(
        things=tuple(reading.things),
        unread=reading.unread,
        cilium=any((kind.group, kind.resource) in served for kind in CILIUM),
    )


def _served(reading: "_Reading", kinds: Sequence[Kind[Any]]) -> Mapping[tuple[str, str], str]:
    wanted: dict[str, list[str]] = defaultdict(list)
    for kind in kinds:
        wanted[kind.group].append(kind.resource)
    try:
        return paths(reading.connection, wanted)
    except NotPermitted:
        reading.odd.append(_NO_DISCOVERY)
        return {}


class _Reading:
    """What has been read so far, what was closed, by API group, and what else could not be read."""

    def __init__(self, connection: KubeConnection) -> None:
        self.connection = connection
        self.things: list[Thing] = []
        self.closed: dict[str, list[str]] = defaultdict(list)
        self.odd: list[Unread] = []

    @property
    def unread(self) -> tuple[Unread, ...]:
        """One line for each API group, and one for each object that is not as we know it."""
        lines = [
            Unread(what=f"{', '.join(sorted(resources))} of {group}", why=_NO_PERMISSION)
            for group, resources in self.closed.items()
        ]
        return tuple(sorted([*lines, *self.odd]))

    def read(self, kind: Kind[S], path: str) -> None:
        """All objects of a kind, if they may be read; a kind that went meanwhile has none."""
        try:
            found = listed(self.connection, path, msgspec.Raw, doing=f"listing {kind.resource}")
        except NotPermitted:
            self.closed[kind.group or "v1"].append(kind.resource)
        except Rejected as error:
            if error.reason not in _GONE:
                raise
        else:
            for raw in found:
                self._keep(kind, raw)

    def _keep(self, kind: Kind[S], raw: msgspec.Raw) -> None:
        try:
            self.things += kind.things(raw)
        except msgspec.DecodeError as error:
            named = decoder(MetaOnly).decode(raw).metadata
            where = f"{named.namespace}/{named.name}" if named.namespace else named.name
            self.odd.append(Unread(what=f"{kind.name} {where}", why=str(error)))
