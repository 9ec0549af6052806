"""EKS's structures to facts. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from migrator.model.addons import AddonUpdate, InstalledAddon, Offer
from migrator.model.facts import Addon, Association, Cluster
from migrator.model.fleet import FleetCluster


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """The cluster, and what it takes to open a connection to it; `ca` is base64 of PEM, as EKS gives it."""

    cluster: Cluster
    ca: str


def described(entry: FleetCluster, found: Any) -> Described:
    """The answer of DescribeCluster, with the alias, region and account of the fleet file."""
    cluster = Cluster(
        alias=entry.alias,
        name=found.get("name", entry.name),
        region=entry.region,
        account=entry.account,
        arn=found.get("arn", ""),
        endpoint=found.get("endpoint", ""),
        issuer=found.get("identity", {}).get("oidc", {}).get("issuer", ""),
        version=found.get("version", ""),
        platform_version=found.get("platformVersion", ""),
        status=found.get("status", ""),
        auto_mode=bool(found.get("computeConfig", {}).get("enabled", False)),
        outpost="outpostConfig" in found,
        registered="connectorConfig" in found,
        ipv6=found.get("kubernetesNetworkConfig", {}).get("ipFamily") == "ipv6",
        vpc=found.get("resourcesVpcConfig", {}).get("vpcId") or "",
        public_endpoint=bool(found.get("resourcesVpcConfig", {}).get("endpointPublicAccess", True)),
    )
    return Described(cluster=cluster, ca=found.get("certificateAuthority", {}).get("data", ""))


def association(entry: Any) -> Association:
    """An association, from a list (without role and tags) or in full."""
    return Association(
        id=entry["associationId"],
        namespace=entry["namespace"],
        service_account=entry["serviceAccount"],
        role_arn=entry.get("roleArn", ""),
        owner_arn=entry.get("ownerArn") or "",
        target_role_arn=entry.get("targetRoleArn") or "",
        session_tags=not entry.get("disableSessionTags", False),
        tags=entry.get("tags") or {},
    )


def addon(entry: Any) -> Addon:
    """An add-on and its health issues."""
    return Addon(
        name=entry["addonName"],
        status=entry.get("status", ""),
        version=entry.get("addonVersion", ""),
        issues=_issues(entry),
    )


def installed_addon(entry: Any) -> InstalledAddon:
    """An add-on with what an update of it must leave as it is."""
    return InstalledAddon(
        name=entry["addonName"],
        arn=entry.get("addonArn", ""),
        version=entry.get("addonVersion", ""),
        status=entry.get("status", ""),
        namespace=(entry.get("namespaceConfig") or {}).get("namespace", ""),
        role_arn=entry.get("serviceAccountRoleArn") or "",
        configuration=entry.get("configurationValues") or "",
        issues=_issues(entry),
    )


def offer(entries: Sequence[Any]) -> Offer:
    """The versions of one add-on, as DescribeAddonVersions lists them."""
    versions = [version for entry in entries for version in entry.get("addonVersions") or ()]
    return Offer(
        namespace=next((entry["defaultNamespace"] for entry in entries if entry.get("defaultNamespace")), ""),
        versions=tuple(version["addonVersion"] for version in versions if version.get("compatibilities")),
        needs_role=any(version.get("requiresIamPermissions") for version in versions),
    )


def addon_update(entry: Any) -> AddonUpdate:
    """An update and its errors."""
    errors = entry.get("errors") or ()
    said = (f"{error.get('errorCode', '')}: {error.get('errorMessage', '')}" for error in errors)
    return AddonUpdate(id=entry["id"], status=entry.get("status", ""), errors=tuple(said))


def _issues(entry: Any) -> tuple[str, ...]:
    issues = entry.get("health", {}).get("issues") or ()
    return tuple(f"{issue.get('code', '')}: {issue.get('message', '')}" for issue in issues)
