"""`migrate plan` over every world of this folder: each service gets the verdict and the findings that are expected."""

import json
from pathlib import Path

import pytest
import yaml

from migrator.documents.emit import emit
from migrator.planning.findings.catalogue import CATALOGUE
from tests.lab import harness
from tests.worlds.reading import WorldFile, every

WORLDS = {one.name: one for one in every()}
SECRETS = ("AKIAIOSFODNN7EXAMPLE", "hidden", "proxy.example")


@pytest.mark.apart
@pytest.mark.parametrize("name", sorted(WORLDS))
def test_world(name: str, tmp_path: Path) -> None:
    expected = WORLDS[name].expect
    found = planned(WORLDS[name], tmp_path)
    assert {service: (e.verdict, e.shows) for service, e in expected.items()} == found


def planned(file: WorldFile, folder: Path) -> dict[str, tuple[str, tuple[str, ...]]]:
    """By service its verdict and the codes of its findings, each once."""
    world = folder / "world.yaml"
    world.write_text(emit(dict(file.world)), encoding="utf-8")
    with harness.unwatched(world, folder) as fleet:
        path = Path(fleet.environment["MIGRATE_FLEET"])
        path.write_text(emit({**yaml.safe_load(path.read_text(encoding="utf-8")), **file.fleet}), encoding="utf-8")
        said = fleet.migrate("plan", "--dry-run", "--output", "json").out
    assert not any(secret in said for secret in SECRETS)
    told = json.loads(said)
    return {
        one["service"]: (one["verdict"], tuple(sorted({finding["code"] for finding in one["findings"]})))
        for one in told["services"]
    }


def test_every_finding_is_shown_by_a_world_and_just_missed_by_another() -> None:
    services = [expected for file in WORLDS.values() for expected in file.expect.values()]
    shown = {code for expected in services for code in expected.shows}
    missed = {code for expected in services for code in expected.near}
    assert (set(CATALOGUE) - shown, set(CATALOGUE) - missed) == (set(), set())
    assert (shown | missed) <= set(CATALOGUE)
