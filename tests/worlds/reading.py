"""A world file of this folder: the practice fleet, what its fleet file says besides, and what must come of planning."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Expected:
    """What a person expects of one service: its verdict, exactly these codes, and codes that it just misses."""

    verdict: str
    shows: tuple[str, ...]
    near: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WorldFile:
    """One file: `world` is a practice fleet's, `fleet` is laid over its fleet file, top-level field by field."""

    name: str
    world: Mapping[str, Any]
    fleet: Mapping[str, Any]
    expect: Mapping[str, Expected]


def read(path: Path) -> WorldFile:
    """The file; anything else in it is a mistake."""
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert data.keys() <= {"about", "world", "fleet", "expect"}, path
    return WorldFile(
        name=path.stem,
        world=data["world"],
        fleet=data.get("fleet", {}),
        expect={service: _expected(path, service, said) for service, said in data["expect"].items()},
    )


def every() -> list[WorldFile]:
    """All of them."""
    return [read(path) for path in sorted(FOLDER.glob("*.yaml"))]


def _expected(path: Path, service: str, said: Mapping[str, Any]) -> Expected:
    assert said.keys() <= {"verdict", "shows", "near", "why"}, f"{path}: {service}"
    shows, near = tuple(said.get("shows", ())), tuple(said.get("near", ()))
    assert not set(shows) & set(near), f"{path}: {service} shows and misses the same"
    return Expected(said["verdict"], tuple(sorted(shows)), near)
