"""Every kind: made, read in each form, changed, and deleted."""

from collections.abc import Iterator
from typing import Any

from tests.controlplane.asking import PARTIAL, PARTIAL_LIST, TABLE, Ask, delete, get, patch, post, put, wait
from tests.controlplane.requests.manifests import CLUSTER_WIDE, NAMESPACED, collection

Json = dict[str, Any]


def life(path: str, manifest: Json) -> tuple[Ask, ...]:
    """An object of one kind from its dry run to its end."""
    one = f"{path}/{manifest['metadata']['name']}"
    name = f"fieldSelector=metadata.name%3D{manifest['metadata']['name']}"
    return (
        post(f"{path}?dryRun=All", manifest),
        post(path, manifest),
        post(path, manifest),
        wait(one, "status.conditions.1.status=True") if "customresourcedefinitions" in path else get(one),
        get(one, TABLE),
        get(one, PARTIAL),
        get(f"{path}?{name}"),
        get(f"{path}?{name}", TABLE),
        get(f"{path}?{name}", PARTIAL_LIST),
        patch(f"{one}?fieldManager=labeller", {"metadata": {"labels": {"tier": "x"}}}),
        patch(f"{one}?fieldManager=labeller", {"metadata": {"labels": {"tier": "x"}}}),
        put(one, manifest),
        delete(f"{one}?dryRun=All"),
        delete(one),
    )


def _cases() -> Iterator[tuple[str, tuple[Ask, ...]]]:
    for plural, (version, manifest) in NAMESPACED.items():
        yield f"[kind] {plural}", life(collection(version, plural), manifest)
    for plural, (version, manifest) in CLUSTER_WIDE.items():
        yield f"[kind] {plural}", life(collection(version, plural, namespaced=False), manifest)


CASES = dict(_cases())
