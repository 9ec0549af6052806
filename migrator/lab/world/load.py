"""Reads a world file; the two worlds that come with the package are found by name."""

import json
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from migrator.documents.yaml_file import Document, load
from migrator.lab.world.accounts import build_accounts
from migrator.lab.world.clusters import build_clusters
from migrator.lab.world.faults import build_faults
from migrator.lab.world.index import Index
from migrator.lab.world.model import World
from migrator.lab.world.plain import require_plain

DEFAULT_WORLD = "fleet"
SHIPPED = ("fleet", "exercise")


def load_world(path: Path) -> World:
    """The world that a file declares.

    Raises:
        DocumentError: it cannot be read, does not fit the schema, or names something it does not declare.
    """
    document = load(path, world_schema())
    return build_world(document)


def build_world(document: Document) -> World:
    """The world of a document that fits the schema.

    Raises:
        DocumentError: it names something it does not declare, declares a name twice, or holds values no world can.
    """
    require_plain(document)
    index = Index(document)
    return World(document, build_accounts(index), build_clusters(index), build_faults(index, document))


@lru_cache(maxsize=1)
def world_schema() -> dict[str, Any]:
    """The JSON Schema of world files."""
    text = resources.files("migrator.lab.world").joinpath("world.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def world_file(name: str = DEFAULT_WORLD) -> Path:
    """The file of a world that comes with the package: `fleet` or `exercise`."""
    return Path(str(resources.files("migrator.lab").joinpath("worlds", f"{name}.yaml")))
