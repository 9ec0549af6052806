"""The names of the keys of ConfigMaps and Secrets that containers take their variables from; never their values."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from msgspec import Raw, Struct

from migrator.adapters.kube.connection import KubeConnection
from migrator.adapters.kube.pages import decoded
from migrator.adapters.kube.paths import path_of
from migrator.model.errors import NotPermitted
from migrator.model.facts import EnvSource, Unread

_KINDS = {"configmap": "ConfigMap", "secret": "Secret"}
_THREADS = 4


class _Keyed(Struct, frozen=True):
    """A ConfigMap or Secret; what stands under a key is not looked at."""

    data: dict[str, Raw] | None = None


def key_names(connection: KubeConnection, wanted: Sequence[EnvSource]) -> Mapping[EnvSource, frozenset[str] | Unread]:
    """Of each its key names, none where there is no such object, or why it may not be read."""
    with ThreadPoolExecutor(max_workers=_THREADS) as pool:
        found = pool.map(lambda source: _read(connection, source), wanted)
        return dict(zip(wanted, found, strict=True))


def _read(connection: KubeConnection, source: EnvSource) -> frozenset[str] | Unread:
    kind, _, name = source.source.partition("/")
    what = f'{_KINDS[kind]} "{source.namespace}/{name}"'
    doing = f"reading the key names of {what}"
    try:
        body = connection.find(path_of(_KINDS[kind], source.namespace, name), doing=doing)
    except NotPermitted as error:
        return Unread(what=what, why=error.message)
    return frozenset() if body is None else frozenset(decoded(body, _Keyed, doing=doing).data or ())
