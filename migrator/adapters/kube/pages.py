"""Lists in pages of raw JSON, decoded straight into structs; a page is dropped before the next one is asked for."""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from migrator.adapters.kube.connection import JSON, KubeConnection
from migrator.adapters.kube.decoders import decoder
from migrator.adapters.kube.structs import MetaOnly, Page
from migrator.model.errors import EnvironmentFault, Rejected

T = TypeVar("T")

LIMIT = 500
METADATA_ONLY = f"application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,{JSON}"
_EXPIRED = frozenset({"Expired", "Gone", "410"})
_RESTARTS = 2


def listed(
    connection: KubeConnection,
    path: str,
    of: type[T],
    *,
    doing: str,
    only: Mapping[str, str] | None = None,
    accept: str = JSON,
) -> list[T]:
    """All objects of a list.

    A continue token that expires under way (410) starts the list anew, in the end without pages.

    Args:
        connection: the cluster.
        path: of the collection.
        of: the struct of one object.
        doing: what is being done, for the sentence.
        only: selectors, as query parameters.
        accept: the media type asked for.
    """
    pages = decoder(Page[of])  # type: ignore[valid-type]  # a type made at run time
    for limit in (LIMIT,) * _RESTARTS:
        try:
            return _walked(
                connection, path, pages, query={**(only or {}), "limit": str(limit)}, doing=doing, accept=accept
            )
        except Rejected as error:
            if error.reason not in _EXPIRED:
                raise
    return _walked(connection, path, pages, query=dict(only or {}), doing=doing, accept=accept)


def metadata(connection: KubeConnection, path: str, *, doing: str) -> list[MetaOnly]:
    """The metadata of all objects of a list; the server sends no more than that."""
    return listed(connection, path, MetaOnly, doing=doing, accept=METADATA_ONLY)


def decoded(body: bytes, of: type[T], *, doing: str) -> T:
    """One object.

    Raises:
        EnvironmentFault: the server's answer is not of that form.
    """
    try:
        return decoder(of).decode(body)
    except msgspec.DecodeError as error:
        raise _unreadable(error, doing) from error


def _walked(
    connection: KubeConnection,
    path: str,
    pages: "msgspec.json.Decoder[Page[T]]",
    *,
    query: Mapping[str, str],
    doing: str,
    accept: str,
) -> list[T]:
    found: list[T] = []
    token = ""
    while True:
        asked = {**query, "continue": token} if token else query
        body = connection.get(path, query=asked, accept=accept, doing=doing)
        try:
            page = pages.decode(body)
        except msgspec.DecodeError as error:
            raise _unreadable(error, doing) from error
        del body
        found += page.items or ()
        token = page.metadata.continue_ or ""
        if not token:
            return found


def _unreadable(error: Exception, doing: str) -> EnvironmentFault:
    return EnvironmentFault(f"the API server's answer cannot be read: {error}", doing=doing)
