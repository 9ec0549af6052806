"""What a world declares, for those who refer to it: ServiceAccounts, workloads, nodes, roles."""

import itertools

from migrator.lab.world.clusters import nodes_of
from migrator.lab.world.index import Index, alias_of, entries
from migrator.lab.world.model import Json


class Known:
    """Names of one world."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def of(self, what: str, cluster: str | None) -> set[str]:
        """NAMESPACE/NAME of ServiceAccounts or workloads, or names of nodes, of one cluster or of all."""
        clusters = [one for one in self._index.document.data["clusters"] if cluster in (None, alias_of(one))]
        if what == "nodes":
            return {name for one in clusters for name in _nodes(one)}
        return {name for one in clusters for name in _placed(one, what)}

    def has_role(self, name: str, account: str | None) -> bool:
        """Whether an account declares that role, or needs it and gets it made."""
        accounts = [one["id"] for _, one in entries(self._index.document.data, "accounts")]
        wanted = accounts if account is None else [account]
        return name.startswith("eks") or any(self._index.declared_role(one, name) for one in wanted)

    def roles(self) -> str:
        """The first few roles there are."""
        accounts = self._index.document.data.get("accounts", ())
        names = sorted({role["name"] for one in accounts for role in one.get("roles", ())})
        return ", ".join(names[:8]) or "none"


def _nodes(cluster: Json) -> list[str]:
    return [node.name for node in nodes_of(cluster)]


def _placed(cluster: Json, what: str) -> list[str]:
    spaces = cluster.get("namespaces", ())
    own = [f"{space['name']}/{thing['name']}" for space in spaces for thing in space.get(what, ())]
    default = [f"{space['name']}/default" for space in spaces] if what == "serviceAccounts" else []
    loose = itertools.chain(
        ((None, one) for one in cluster.get("manifests", ())),
        ((space["name"], one) for space in spaces for one in space.get("manifests", ())),
    )
    return [*own, *default, *(_name(inside, one) for inside, one in loose if _is(one, what))]


def _is(manifest: Json, what: str) -> bool:
    return bool(manifest["kind"] == "ServiceAccount") == (what == "serviceAccounts")


def _name(inside: str | None, manifest: Json) -> str:
    metadata = manifest["metadata"]
    return f"{metadata.get('namespace') or inside or 'default'}/{metadata['name']}"
