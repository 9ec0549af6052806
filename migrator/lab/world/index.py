"""Who is called what in a world file: accounts, clusters and roles by name, duplicates and unknown names refused."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from migrator.documents.yaml_file import Document, FieldPath
from migrator.lab.aws.models import partition_of

DEFAULT_ACCOUNT = "111111111111"
HOME_REGIONS = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
_PLACEHOLDER = re.compile(r"\$\{(issuer|provider|account|cluster):([^}]*)\}")


@dataclass(frozen=True)
class ClusterName:
    """A cluster as other parts of the file speak of it."""

    alias: str
    name: str
    account: str
    region: str
    issuer: str

    @property
    def host(self) -> str:
        """The issuer without https://."""
        return self.issuer.removeprefix("https://")

    @property
    def arn(self) -> str:
        """The cluster's ARN."""
        return f"arn:{partition_of(self.region)}:eks:{self.region}:{self.account}:cluster/{self.name}"


@dataclass(frozen=True)
class RoleUser:
    """A ServiceAccount that names a role with `role:`."""

    cluster: ClusterName
    namespace: str
    service_account: str


class Index:
    """Names of one document; built once, asked by everything that resolves a reference."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._aliases: dict[str, str] = {}
        self._partitions: dict[str, str] = {}
        self._roles: dict[tuple[str, str], str] = {}
        self._clusters: dict[str, ClusterName] = {}
        self.users: dict[str, list[RoleUser]] = {}
        self._read_accounts()
        self._read_partitions()
        for path, account in entries(document.data, "accounts"):
            self._read_roles(path, account)
        self._read_clusters()
        self._read_users()

    def account(self, reference: str, path: FieldPath) -> str:
        """The id of the account with that id or alias."""
        found = self._aliases.get(reference)
        if found is None:
            raise self.document.error(path, _unknown("account", reference, self._aliases))
        return found

    def partition(self, account: str) -> str:
        """The partition that an account is in."""
        return self._partitions.get(account, "aws")

    def home_region(self, account: str) -> str:
        """The region in which what says no region of its own is made."""
        return HOME_REGIONS[self.partition(account)]

    def provider_arn(self, account: str, host: str) -> str:
        """The ARN of the OIDC provider of an issuer in an account."""
        return f"arn:{self.partition(account)}:iam::{account}:oidc-provider/{host}"

    def cluster(self, alias: str, path: FieldPath) -> ClusterName:
        """The cluster with that alias."""
        found = self._clusters.get(alias)
        if found is None:
            raise self.document.error(path, _unknown("cluster", alias, self._clusters))
        return found

    def role_arn(self, reference: str, account: str, path: FieldPath) -> str:
        """The ARN of role `NAME` of `account`, or of `ACCOUNT:NAME`; it must be declared."""
        owner, colon, name = reference.rpartition(":")
        home = self.account(owner, path) if colon else account
        found = self._roles.get((home, name))
        if found is None:
            declared = [role for holder, role in self._roles if holder == home]
            raise self.document.error(path, _unknown(f"role of account {home}", name, declared))
        return found

    def declared_role(self, account: str, name: str) -> str | None:
        """The ARN of a role that the account declares, or None."""
        return self._roles.get((account, name))

    def filled(self, value: Any, account: str, path: FieldPath) -> Any:
        """A copy of `value` with ${issuer:…}, ${provider:…}, ${cluster:…} and ${account:…} replaced in every text."""
        if isinstance(value, str):
            return _PLACEHOLDER.sub(lambda match: self._placeholder(match, account, path), value)
        if isinstance(value, dict):
            return {
                self.filled(key, account, path): self.filled(item, account, (*path, key)) for key, item in value.items()
            }
        if isinstance(value, list):
            return [self.filled(item, account, (*path, place)) for place, item in enumerate(value)]
        return value

    def _placeholder(self, match: re.Match[str], account: str, path: FieldPath) -> str:
        kind, name = match.groups()
        if kind == "account":
            return self.account(name, path)
        cluster = self.cluster(name, path)
        if kind == "provider":
            return self.provider_arn(account, cluster.host)
        return cluster.host if kind == "issuer" else cluster.arn

    def _read_accounts(self) -> None:
        for path, account in entries(self.document.data, "accounts"):
            for name in dict.fromkeys((account["id"], account.get("alias", account["id"]))):
                if name in self._aliases:
                    field = "id" if name == account["id"] else "alias"
                    raise self.document.error((*path, field), f'"{name}" is the name of another account too')
                self._aliases[name] = account["id"]
        if not self._aliases:
            self._aliases[DEFAULT_ACCOUNT] = DEFAULT_ACCOUNT

    def _read_partitions(self) -> None:
        """Those that are declared, then those that the clusters tell."""
        declared = (account for _, account in entries(self.document.data, "accounts") if "partition" in account)
        self._partitions.update({account["id"]: account["partition"] for account in declared})
        for path, cluster in entries(self.document.data, "clusters"):
            account = self._account_of(path, cluster)
            region = cluster.get("region", self.home_region(account))
            if self._partitions.setdefault(account, partition_of(region)) != partition_of(region):
                problem = f'"{region}" is not in partition {self.partition(account)}, as account {account} is'
                raise self.document.error((*path, "region"), problem)

    def _account_of(self, path: FieldPath, cluster: dict[str, Any]) -> str:
        first = next(iter(self._aliases.values()))
        return self.account(cluster["account"], (*path, "account")) if "account" in cluster else first

    def _read_roles(self, at: FieldPath, account: dict[str, Any]) -> None:
        unique(self.document, at, account.get("roles", ()), "roles", lambda role: role["name"].lower())
        for role in account.get("roles", ()):
            partition = self.partition(account["id"])
            arn = f"arn:{partition}:iam::{account['id']}:role{role.get('path', '/')}{role['name']}"
            self._roles[account["id"], role["name"]] = arn

    def _read_clusters(self) -> None:
        eks_names: set[str] = set()
        for path, cluster in entries(self.document.data, "clusters"):
            named = self._cluster_name(path, cluster)
            if named.alias in self._clusters:
                raise self.document.error((*path, "alias"), f'"{named.alias}" is the alias of another cluster too')
            if named.arn in eks_names:
                raise self.document.error((*path, "name"), f'"{named.name}" is there twice in its account and region')
            if any(named.issuer == other.issuer for other in self._clusters.values()):
                raise self.document.error((*path, "issuer"), f'"{named.issuer}" is the issuer of another cluster too')
            eks_names.add(named.arn)
            self._clusters[named.alias] = named

    def _cluster_name(self, path: FieldPath, cluster: dict[str, Any]) -> ClusterName:
        if "alias" not in cluster and "name" not in cluster:
            raise self.document.error(path, 'missing: "name"')
        alias = alias_of(cluster)
        name: str = cluster.get("name", alias)
        if "." in name:
            raise self.document.error((*path, "alias"), f'"{name}" cannot be an EKS name; give the cluster a `name`')
        account = self._account_of(path, cluster)
        region = cluster.get("region", self.home_region(account))
        issuer = cluster.get("issuer", made_up_issuer(account, region, name))
        return ClusterName(alias, name, account, region, issuer)

    def _read_users(self) -> None:
        for path, cluster in entries(self.document.data, "clusters"):
            named = self._clusters[alias_of(cluster)]
            for at, namespace in entries(cluster, "namespaces", path):
                for where, account in entries(namespace, "serviceAccounts", at):
                    if "role" in account:
                        arn = self.role_arn(account["role"], named.account, (*where, "role"))
                        user = RoleUser(named, namespace["name"], account["name"])
                        self.users.setdefault(arn, []).append(user)


def entries(holder: dict[str, Any], key: str, at: FieldPath = ()) -> Iterator[tuple[FieldPath, dict[str, Any]]]:
    """The entries of the list `key` with their paths; none if the list is absent."""
    for position, entry in enumerate(holder.get(key, ())):
        yield (*at, key, position), entry


def alias_of(cluster: dict[str, Any]) -> str:
    """What a cluster of the file is called: its alias, or else its EKS name."""
    return str(cluster["alias"] if "alias" in cluster else cluster["name"])


def unique(document: Document, at: FieldPath, things: Iterable[Any], key: str, name: Any) -> None:
    """Refuses two entries of a list that have the same name."""
    seen: set[Any] = set()
    for position, thing in enumerate(things):
        called = name(thing)
        if called in seen:
            shown = called if isinstance(called, str) else " ".join(called)
            raise document.error((*at, key, position, "name"), f'"{shown}" is there twice')
        seen.add(called)


def made_up_issuer(account: str, region: str, name: str) -> str:
    """An issuer as EKS would give one; the same cluster always gets the same."""
    digest = hashlib.sha256(f"{account}/{region}/{name}".encode()).hexdigest()[:32].upper()
    suffix = "amazonaws.com.cn" if partition_of(region) == "aws-cn" else "amazonaws.com"
    return f"https://oidc.eks.{region}.{suffix}/id/{digest}"


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    return f'no {what} is called "{name}"; declared: {", ".join(sorted(known)) or "none"}'
