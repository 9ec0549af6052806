"""Which evicted pods a budget counts as going, from times in whole seconds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from migrator.lab.controllers.disruption import going

EVICTED = datetime(2026, 11, 29, 12, 0, 30, tzinfo=UTC)
TEXT = "2026-11-29T12:00:30Z"
BUDGET = {"status": {"disruptedPods": {"web-0": TEXT}}}


def pod(made: str, **meta: str) -> dict[str, Any]:
    return {"metadata": {"name": "web-0", "creationTimestamp": made, **meta}}


@pytest.mark.parametrize(
    ("made", "seconds"),
    [
        pytest.param("2026-11-29T12:00:29Z", 120, id="made before it was let go"),
        pytest.param(TEXT, 2, id="made in the same second, before or after"),
    ],
)
def test_a_pod_that_was_let_go_counts_as_going_for_a_while(made: str, seconds: int) -> None:
    assert going(BUDGET, [pod(made)]) == {"web-0": (TEXT, EVICTED + timedelta(seconds=seconds))}


@pytest.mark.parametrize(
    "pods",
    [
        pytest.param([], id="it is gone"),
        pytest.param([pod("2026-11-29T12:00:31Z")], id="another has its name"),
        pytest.param([pod("2026-11-29T12:00:29Z", deletionTimestamp=TEXT)], id="it has begun to go"),
    ],
)
def test_one_that_is_seen_to_go_needs_no_memory(pods: list[dict[str, Any]]) -> None:
    assert going(BUDGET, pods) == {}
