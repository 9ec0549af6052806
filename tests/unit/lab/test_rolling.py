"""The arithmetic of rolling updates, placement and schedules."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.lab.controllers.rolling import Bounds, bounds, grown, shrunk
from migrator.lab.controllers.schedule import parse
from migrator.lab.placement import blocker, fits

Json = dict[str, Any]


def replicaset(uid: str, size: int, available: int) -> Json:
    return {"metadata": {"uid": uid}, "spec": {"replicas": size}, "status": {"availableReplicas": available}}


@pytest.mark.parametrize(
    ("strategy", "replicas", "expected"),
    [
        ({}, 10, Bounds(10, 3, 2)),
        ({"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}, 4, Bounds(4, 0, 1)),
        ({"rollingUpdate": {"maxSurge": "50%", "maxUnavailable": 1}}, 3, Bounds(3, 2, 1)),
        ({"type": "Recreate"}, 3, Bounds(3, 0, 0)),
    ],
)
def test_bounds(strategy: Json, replicas: int, expected: Bounds) -> None:
    assert bounds({"spec": {"replicas": replicas, "strategy": strategy}}) == expected


def test_broken_old_pods_go_first() -> None:
    old = [replicaset("a", 3, 0), replicaset("b", 1, 1)]
    assert shrunk(replicaset("new", 1, 1), old, Bounds(3, 1, 0)) == {"a": 1}


sizes = st.tuples(st.integers(0, 8), st.integers(0, 8)).map(lambda pair: (max(pair), min(pair)))


@given(sizes, st.lists(sizes, max_size=3), st.integers(0, 8), st.integers(0, 3), st.integers(0, 3))
def test_a_rolling_update_keeps_its_bounds(
    new: tuple[int, int], old: list[tuple[int, int]], replicas: int, surge: int, unavailable: int
) -> None:
    limit = Bounds(replicas, surge, min(max(unavailable, int(not surge)), replicas))
    newest = replicaset("new", min(new[0], replicas), min(new[1], new[0], replicas))
    others = [replicaset(str(number), *pair) for number, pair in enumerate(old)]
    total = newest["spec"]["replicas"] + sum(one["spec"]["replicas"] for one in others)
    after = grown(newest, others, limit)
    assert newest["spec"]["replicas"] <= after <= replicas
    assert after == newest["spec"]["replicas"] or total - newest["spec"]["replicas"] + after <= replicas + surge
    usable = newest["status"]["availableReplicas"] + sum(one["status"]["availableReplicas"] for one in others)
    lost = 0
    for one in others:
        size = shrunk(newest, others, limit).get(one["metadata"]["uid"], one["spec"]["replicas"])
        assert 0 <= size <= one["spec"]["replicas"]
        lost += max(0, one["status"]["availableReplicas"] - size)
    assert usable - lost >= min(usable, replicas - limit.max_unavailable)


NODE = {
    "metadata": {"name": "n1", "labels": {"kubernetes.io/os": "linux", "size": "4"}},
    "spec": {"taints": [{"key": "team", "value": "a", "effect": "NoSchedule"}]},
}
TOLERANT = {"tolerations": [{"operator": "Exists"}]}


def affinity(*expressions: Json, fields: tuple[Json, ...] = ()) -> Json:
    term = {"matchExpressions": list(expressions), "matchFields": list(fields)}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    return {**TOLERANT, "affinity": {"nodeAffinity": required}}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (TOLERANT, True),
        ({}, False),
        ({"tolerations": [{"key": "team", "operator": "Equal", "value": "a"}]}, True),
        ({"tolerations": [{"key": "team", "value": "b"}]}, False),
        ({"tolerations": [{"key": "team", "operator": "Exists", "effect": "NoExecute"}]}, False),
        ({**TOLERANT, "nodeSelector": {"size": "4"}}, True),
        ({**TOLERANT, "nodeSelector": {"size": "5"}}, False),
        (affinity({"key": "size", "operator": "Gt", "values": ["3"]}), True),
        (affinity({"key": "size", "operator": "NotIn", "values": ["4"]}), False),
        (affinity({"key": "none", "operator": "DoesNotExist"}), True),
        (affinity(fields=({"key": "metadata.name", "operator": "In", "values": ["n2"]},)), False),
        (affinity(), False),
    ],
)
def test_placement(spec: Json, expected: bool) -> None:
    assert fits(spec, NODE) is expected


def test_a_cordoned_node_takes_nothing_new() -> None:
    node = {**NODE, "spec": {"unschedulable": True}}
    assert blocker({}, node) == "were unschedulable"


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("*/5 * * * *", "2026-03-01T12:05:00+00:00"),
        ("0 0 * * *", "2026-03-02T00:00:00+00:00"),
        ("30 9 * * mon-fri", "2026-03-02T09:30:00+00:00"),
        ("0 0 29 feb *", "2028-02-29T00:00:00+00:00"),
        ("0 12 13 * 5", "2026-03-06T12:00:00+00:00"),
        ("@hourly", "2026-03-01T13:00:00+00:00"),
        ("5,10-12/2 12 * * 0", "2026-03-01T12:05:00+00:00"),
    ],
)
def test_schedule(schedule: str, expected: str) -> None:
    moment = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
    found = parse(schedule).next_after(moment)
    assert found is not None
    assert found.isoformat() == expected
    assert parse(schedule).latest_until(found) == found


@pytest.mark.parametrize(
    "schedule", ["", "* * * *", "60 * * * *", "* * * * 7", "x * * * *", "5-1 * * * *", "*/0 * * * *"]
)
def test_a_bad_schedule_is_refused(schedule: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse(schedule)
