"""Commands that only read: the same bytes twice, no change anywhere, and refusals that name file and field."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from migrator.model.exits import Exit
from tests.lab import harness, scenes
from tests.lab.harness import Fleet

SERVICE = "main/shop/orders"


@pytest.fixture(scope="module")
def fleet(plane: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("reading")
    services = [
        scenes.service("orders", replicas=2),
        scenes.service("stock", kind="StatefulSet"),
        scenes.service("keys", env={"AWS_ACCESS_KEY_ID": "LABKEY00111111111111"}),
    ]
    with harness.fleet(scenes.write(folder, services), folder, plane) as running:
        yield running


def test_plan_twice_gives_the_same_bytes(fleet: Fleet) -> None:
    fleet.migrate("plan").ok()
    first = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in plans(fleet)}
    assert len(first) == 3
    fleet.migrate("plan").ok()
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in plans(fleet)} == first


def plans(fleet: Fleet) -> list[Path]:
    return sorted(Path(fleet.environment["MIGRATE_PLANS"]).rglob("*.yaml"))


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan",),
        ("plan", "--dry-run"),
        ("show", SERVICE),
        ("verify", "--service", SERVICE, "--expect", "irsa"),
        ("status",),
        ("apply", "--service", SERVICE, "--dry-run"),
    ],
    ids=" ".join,
)
def test_no_write_leaves_the_process(fleet: Fleet, arguments: tuple[str, ...]) -> None:
    fleet.migrate("plan").ok()
    already, asked = len(fleet.calls()), len(fleet.kube_calls())
    fleet.migrate(*arguments).ok()
    assert [call for call in fleet.calls()[already:] if call["mutating"]] == []
    of_ours = [call for call in fleet.kube_calls()[asked:] if call["by"] == "operator"]
    assert [call for call in of_ours if call["mutating"]] == []
    assert bool(of_ours) == (arguments[0] in {"plan", "verify"})  # the log is no empty one


def test_dry_run_writes_no_file(fleet: Fleet, tmp_path: Path) -> None:
    fleet.migrate("plan", "--dry-run", "--plans", str(tmp_path / "other")).ok()
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        pytest.param(
            "  arn: arn:aws:iam::111111111111:role/orders",
            "  arn: arn:aws:iam::111111111111:role/admin",
            "facts.role.arn",
            id="[protected] role changed",
        ),
        pytest.param("format: 1", "format: 2", "format", id="[format] newer"),
        pytest.param("verdict: ", "verdikt: x\nverdict: ", "verdikt", id="[unknown] key"),
        pytest.param("hold: false", "hold: maybe", "edit.hold", id="[type] hold"),
        pytest.param("hold: false", "hold: [", "not valid YAML", id="[syntax]"),
        pytest.param("service: main/shop/orders", "service: main/shop/stock", "service", id="[other] service"),
    ],
)
def test_an_altered_plan_is_refused(fleet: Fleet, old: str, new: str, names: str) -> None:
    fleet.migrate("plan").ok()
    path = fleet.plan_file(SERVICE)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    already = len(fleet.calls())
    try:
        ran = fleet.migrate("apply", "--service", SERVICE, "--yes").ended(Exit.USAGE)
    finally:
        path.write_text(text)
    assert str(path.name) in ran.err
    assert names in ran.err
    assert len(ran.err.strip().splitlines()) == 1, ran.err
    assert [call for call in fleet.calls()[already:] if call["mutating"]] == []


def test_the_editable_part_may_be_edited_and_survives_planning(fleet: Fleet) -> None:
    fleet.migrate("plan").ok()
    path = fleet.plan_file(SERVICE)
    path.write_text(path.read_text().replace("hold: false", "hold: true"))
    fleet.migrate("plan").ok()
    assert "hold: true" in path.read_text()
    ran = fleet.migrate("apply", "--service", SERVICE, "--yes").ended(Exit.BLOCKED)
    assert "on hold" in ran.out + ran.err
    path.write_text(path.read_text().replace("hold: true", "hold: false"))
    fleet.migrate("plan").ok()
    assert "hold: false" in path.read_text()


def test_a_plan_for_another_cluster_than_the_one_reached_is_refused(fleet: Fleet, tmp_path: Path) -> None:
    """The fleet file's alias leads to a cluster that is not the planned one: here, one of the same name elsewhere."""
    services = [scenes.service("orders")]
    with harness.fleet(scenes.write(tmp_path, services, region="us-west-2"), tmp_path) as other:
        other.migrate("plan").ok()
        fleet.migrate("plan").ok()
        already = len(other.calls())
        foreign = {"MIGRATE_PLANS": fleet.environment["MIGRATE_PLANS"]}
        ran = other.migrate("apply", "--service", SERVICE, "--yes", extra=foreign).ended(Exit.DRIFT)
        assert "main/shop/orders.yaml: planned for another cluster" in ran.err
        assert 'facts.cluster.arn: the ARN is "arn:aws:eks:us-west-2' in ran.err
        assert 'planned was "arn:aws:eks:eu-west-1' in ran.err
        assert [call for call in other.calls()[already:] if call["mutating"]] == []
