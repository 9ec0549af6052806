"""Writes the field tables of the practice API server from the models of the Python client.

Run by hand when the client is raised: ``python scripts/kube_schemas.py``. The result, one JSON file, is
committed, so that the server needs no generated models while it runs.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from kubernetes.client import models

from migrator.lab.kubeapi.kinds import BUILTIN, Kind

TARGET = Path(__file__).parent.parent / "migrator" / "lab" / "kubeapi" / "schemas.json"
SCALARS = {"str": "s", "int": "i", "bool": "b", "float": "f", "datetime": "t", "object": "o", "bytes": "y"}
EXTRA_ROOTS = ("V1DeleteOptions", "V1Eviction", "AuthenticationV1TokenRequest", "V1Scale")
LONGEST = 320


def type_code(spec: str) -> str:
    """One field's type: a scalar's letter, ``[`` a list of, ``{`` a map of, or a model's name."""
    if found := re.match(r"^[Ll]ist\[(.+)\]$", spec):
        return "[" + type_code(found[1])
    if found := re.match(r"^[Dd]ict(?:\[|\()str, (.+?)[\])]$", spec):
        return "{" + type_code(found[1])
    return SCALARS.get(spec, spec)


def describe(name: str, found: dict[str, Any], queue: list[str]) -> None:
    """Add one model's fields to the table and queue the models it refers to."""
    model = getattr(models, name)
    fields = {}
    needed = []
    for attribute, spec in model.openapi_types.items():
        info = model.model_fields.get(attribute)  # a few are renamed there, none that we check
        code = type_code(spec)
        text = info.description if info is not None else ""
        fields[model.attribute_map[attribute]] = [code, shortened(text or "")]
        if info is not None and info.is_required():
            needed.append(model.attribute_map[attribute])
        bare = code.lstrip("[{")
        if len(bare) > 1:
            queue.append(bare)
    found[name] = {
        "about": shortened((model.__doc__ or "").split("Attributes:")[0]),
        "fields": fields,
        "required": needed,
    }


def shortened(text: str) -> str:
    """A description of bearable length, cut after a sentence."""
    text = " ".join(text.split())
    if len(text) <= LONGEST:
        return text
    return text[:LONGEST].rpartition(". ")[0] + "." if ". " in text[:LONGEST] else text[:LONGEST] + "..."


def root_model(kind: Kind) -> str:
    """The client's model of a kind."""
    names = [f"{kind.version.upper()}{kind.kind}", f"CoreV1{kind.kind}"]
    return next(name for name in names if hasattr(models, name))


def main() -> None:
    """Write the file."""
    roots = {f"{kind.api_version}/{kind.kind}": root_model(kind) for kind in BUILTIN}
    queue = [*roots.values(), *EXTRA_ROOTS]
    found: dict[str, Any] = {}
    while queue:
        name = queue.pop()
        if name not in found:
            describe(name, found, queue)
    body = {"roots": roots, "types": dict(sorted(found.items()))}
    TARGET.write_text(json.dumps(body, separators=(",", ":"), ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{TARGET.name}: {len(found)} types")


if __name__ == "__main__":
    main()
