"""An EKS add-on's ServiceAccount and another account's role, on a real control plane; `tests/lab` has them on ours."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.controlplane import tier
from tests.lab import addon_ways, crossing_ways, harness, scenes
from tests.lab.harness import Fleet

pytestmark = [pytest.mark.slow, getattr(pytest.mark, tier.MARK)]
CROSSING = "crossing"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("far")
    with harness.fleet(scenes.saved(folder, world()), folder, "real") as running:
        scenes.waits(running, settle=0.6, reconcile=0.6)
        running.migrate("plan").ok()
        yield running


def world() -> dict[str, Any]:
    """Both worlds on one cluster: what runs of one beside the other changes nothing for either."""
    addons, crossing = addon_ways.world(), crossing_ways.world([CROSSING])
    crossing["accounts"][0] = addons["accounts"][0]
    (cluster,) = crossing["clusters"]
    cluster["addons"] = addons["clusters"][0]["addons"]
    cluster["namespaces"] += addons["clusters"][0]["namespaces"]
    return crossing


def test_an_addons_service_account_is_moved_by_update_addon_there_and_back(fleet: Fleet) -> None:
    addon_ways.there_and_back(fleet)


def test_another_accounts_role_is_reached_through_a_source_role_there_and_back(fleet: Fleet) -> None:
    crossing_ways.there_and_back(fleet, CROSSING)
