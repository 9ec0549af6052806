"""Objects of other software as an API server gives them, for tests of what is made of them."""

from typing import Any, TypeVar

import msgspec

Json = dict[str, Any]
T = TypeVar("T")


def thing(of: type[T], spec: Json, name: str = "it", namespace: str = "shop", **more: Any) -> T:
    """An object with that spec, decoded; `more` stands beside its spec, `meta` in its metadata."""
    meta = {"name": name, "namespace": namespace, **more.pop("meta", {})}
    return msgspec.convert({"metadata": meta, **({"spec": spec} if spec else {}), **more}, of)
