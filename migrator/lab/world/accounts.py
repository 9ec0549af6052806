"""Builds the accounts of a world: providers, tables, buckets, policies and roles."""

from typing import Any

from migrator.documents.yaml_file import FieldPath
from migrator.lab.world.implied import implied_roles
from migrator.lab.world.index import DEFAULT_ACCOUNT, Index, alias_of, entries, unique
from migrator.lab.world.model import Account, Bucket, Guarded, Json, ManagedPolicy, OidcProvider, Role, Stack, Table
from migrator.lab.world.trust import trust_document

_READ_TABLE = ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"]
_GUARDED = ("keys", "queues", "topics", "secrets")
_ROLE_DEFAULTS = {"path": "/", "maxSessionDuration": 3600}


def build_accounts(index: Index) -> tuple[Account, ...]:
    """Every account of the document, or the one there is when it names none."""
    data = index.document.data
    if not data.get("accounts"):
        return (_account(index, {"id": DEFAULT_ACCOUNT}, ("accounts", 0)),)
    return tuple(_account(index, account, path) for path, account in entries(data, "accounts"))


def _account(index: Index, raw: Json, at: FieldPath) -> Account:
    for key in ("tables", "buckets", "policies", *_GUARDED):
        unique(index.document, at, raw.get(key, ()), key, lambda thing: thing["name"])
    account_id: str = raw["id"]
    home = index.home_region(account_id)
    tables = tuple(_table(index, table, path, home) for path, table in entries(raw, "tables", at))
    buckets = tuple(_bucket(index, account_id, bucket, path) for path, bucket in entries(raw, "buckets", at))
    policies = tuple(_managed(index, account_id, entry, path) for path, entry in entries(raw, "policies", at))
    builder = _Roles(index, account_id, tables, buckets, policies)
    return Account(
        id=account_id,
        alias=raw.get("alias", account_id),
        home_region=home,
        trust_quota=raw.get("trustQuota", 2048),
        providers=_providers(index, raw, at),
        tables=tables,
        buckets=buckets,
        guarded=tuple(
            _guarded(index, account_id, kind, thing, path)
            for kind in _GUARDED
            for path, thing in entries(raw, kind, at)
        ),
        policies=policies,
        roles=(
            *(builder.role(role, path) for path, role in entries(raw, "roles", at)),
            *(builder.role(role, at) for role in implied_roles(index, raw)),
        ),
        stacks=tuple(Stack(one["name"], one["region"], one.get("roles", {})) for one in raw.get("stacks", ())),
    )


def _providers(index: Index, raw: Json, at: FieldPath) -> tuple[OidcProvider, ...]:
    """The account's own clusters' providers first, then those it lists."""
    found: dict[str, OidcProvider] = {}
    for path, cluster in entries(index.document.data, "clusters"):
        named = index.cluster(alias_of(cluster), ())
        if named.account == raw["id"] and cluster.get("oidcProvider", True):
            found[named.issuer] = OidcProvider(named.issuer, ("sts.amazonaws.com",), (), path)
    for path, entry in entries(raw, "oidcProviders", at):
        if ("cluster" in entry) == ("url" in entry):
            raise index.document.error(path, "needs either cluster or url")
        url = index.cluster(entry["cluster"], (*path, "cluster")).issuer if "cluster" in entry else entry["url"]
        if url in found:
            raise index.document.error(path, f"the account already has a provider for {url}")
        clients = tuple(entry.get("clientIds", ("sts.amazonaws.com",)))
        found[url] = OidcProvider(url, clients, tuple(entry.get("thumbprints", ())), path)
    return tuple(found.values())


def _table(index: Index, raw: Json, at: FieldPath, home: str) -> Table:
    keys = [name for name in (raw["key"], raw.get("sortKey")) if name]
    for path, item in entries(raw, "items", at):
        for key in keys:
            if not isinstance(item.get(key), str) or not item[key]:
                raise index.document.error((*path, key), f'an item needs a text in its key "{key}"')
    return Table(
        name=raw["name"],
        region=raw.get("region", home),
        key=raw["key"],
        sort_key=raw.get("sortKey"),
        items=tuple(raw.get("items", ())),
        at=at,
    )


def _bucket(index: Index, account: str, raw: Json, at: FieldPath) -> Bucket:
    region = raw.get("region", index.home_region(account))
    policy = index.filled(raw.get("policy", {}), account, (*at, "policy"))
    return Bucket(raw["name"], region, raw.get("objects", {}), policy, at)


def _guarded(index: Index, account: str, kind: str, raw: Json, at: FieldPath) -> Guarded:
    policy = index.filled(raw.get("policy", {}), account, (*at, "policy"))
    return Guarded(kind, raw["name"], raw.get("region", index.home_region(account)), policy, at)


def _managed(index: Index, account: str, raw: Json, at: FieldPath) -> ManagedPolicy:
    path = raw.get("path", "/")
    arn = f"arn:{index.partition(account)}:iam::{account}:policy{path}{raw['name']}"
    return ManagedPolicy(raw["name"], path, index.filled(raw["document"], account, (*at, "document")), arn, at)


class _Roles:
    """Builds the roles of one account, which may name its tables, buckets and policies."""

    def __init__(
        self,
        index: Index,
        account: str,
        tables: tuple[Table, ...],
        buckets: tuple[Bucket, ...],
        policies: tuple[ManagedPolicy, ...],
    ) -> None:
        self._index = index
        self._account = account
        self._partition = index.partition(account)
        self._tables = {table.name: table for table in tables}
        self._buckets = {bucket.name for bucket in buckets}
        self._policies = {policy.name: policy.arn for policy in policies}

    def role(self, given: Json, at: FieldPath) -> Role:
        """One role with everything IAM is told about it."""
        raw: Json = {**_ROLE_DEFAULTS, **given}
        arn = f"arn:{self._partition}:iam::{self._account}:role{raw['path']}{raw['name']}"
        boundary = raw.get("permissionsBoundary")
        return Role(
            name=raw["name"],
            path=raw["path"],
            arn=arn,
            description=raw.get("description", ""),
            trust=trust_document(self._index, self._account, arn, raw.get("trust"), (*at, "trust")),
            policies=self._inline(raw, at),
            attached=tuple(
                self._policy_arn(name, (*at, "attached", place)) for place, name in enumerate(raw.get("attached", ()))
            ),
            permissions_boundary=boundary and self._policy_arn(boundary, (*at, "permissionsBoundary")),
            max_session_duration=raw["maxSessionDuration"],
            tags=raw.get("tags", {}),
            at=at,
        )

    def _inline(self, raw: Json, at: FieldPath) -> dict[str, Json]:
        documents: dict[str, Json] = {
            name: self._index.filled(document, self._account, (*at, "policies", name))
            for name, document in raw.get("policies", {}).items()
        }
        if raw.get("reads"):
            if "Read" in documents:
                raise self._index.document.error((*at, "reads"), "is written as policy Read, which is given too")
            statements = [self._reading(name, (*at, "reads", place)) for place, name in enumerate(raw["reads"])]
            documents["Read"] = {"Version": "2012-10-17", "Statement": statements}
        return documents

    def _reading(self, name: str, at: FieldPath) -> dict[str, Any]:
        if name in self._tables:
            region = self._tables[name].region
            resource: Any = f"arn:{self._partition}:dynamodb:{region}:{self._account}:table/{name}"
            return {"Effect": "Allow", "Action": _READ_TABLE, "Resource": resource}
        if name in self._buckets:
            resource = [f"arn:{self._partition}:s3:::{name}{tail}" for tail in ("", "/*")]
            return {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": resource}
        raise self._index.document.error(at, f'account {self._account} has no table and no bucket "{name}"')

    def _policy_arn(self, name: str, at: FieldPath) -> str:
        if name.startswith("arn:"):
            return self._index.filled(name, self._account, at)  # type: ignore[no-any-return]  # text stays text
        if name not in self._policies:
            known = ", ".join(sorted(self._policies)) or "none"
            raise self._index.document.error(at, f'no policy is called "{name}"; declared: {known}')
        return self._policies[name]
