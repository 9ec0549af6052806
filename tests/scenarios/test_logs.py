"""What the logs of the new pods tell, over the wire: an SDK that refuses the agent takes the service back."""

from collections.abc import Iterator
from typing import Any

import pytest

from migrator.model.exits import Exit
from tests.lab import harness, scenes
from tests.lab.harness import Fleet

GO = 'invalid endpoint host, "169.254.170.23", only loopback hosts are allowed'
SAYS = "by its log, its AWS SDK for Go refuses the agent's address: "
SECRET = "AKIAIOSFODNN7EXAMPLE"


def saying(words: str, then: str = "sleep infinity") -> dict[str, Any]:
    """A workload whose container writes these words into its log."""
    return {"command": ["sh", "-c", f"echo '{words}'; {then}"]}


@pytest.fixture(scope="module")
def fleet(plane: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("logs")
    services = [
        scenes.service("old", **saying(f"key {SECRET}: {GO}")),
        scenes.service("old-and-alone", **saying(GO)),
        scenes.service("crashing", **saying(GO)),
        scenes.service("elsewhere", **saying(GO.replace("169.254.170.23", "10.0.0.1"))),
        scenes.service("lost", **saying(f"{SECRET} Unable to locate credentials")),
        scenes.service("left-alone", **saying(GO)),
    ]
    world = scenes.write(folder, services, addons=["eks-pod-identity-agent"])
    with harness.fleet(world, folder, plane) as running:
        running.migrate("plan").ok()
        yield running


def identity(fleet: Fleet, name: str) -> str:
    ran = fleet.migrate("verify", "--service", f"main/shop/{name}", "--output", "json")
    return str(ran.data["services"][0]["identity"])


def test_an_old_sdk_takes_its_service_back(fleet: Fleet) -> None:
    ran = fleet.migrate("apply", "--service", "main/shop/old", "--yes").ended(Exit.ROLLED_BACK)

    assert f"/app: {SAYS}{GO}" in ran.err
    assert "first version that knows Pod Identity: 1.47.11 (v1) and release-2023-11-14 (v2)" in ran.err
    assert identity(fleet, "old") == "irsa"
    history = fleet.migrate("history", "main/shop/old", "--output", "json").ok()
    assert SAYS in history.out
    assert SECRET not in f"{ran.out}{ran.err}{history.out}"


def test_an_old_sdk_is_seen_where_nothing_is_taken_back(fleet: Fleet) -> None:
    words = ("--service", "main/shop/old-and-alone")
    fleet.migrate("apply", *words, "--yes", "--to", "restart").ended(Exit.UNFINISHED)

    ran = fleet.migrate("verify", *words, "--expect", "pod-identity", "--output", "json").ended(Exit.BLOCKED)

    (container,) = ran.data["services"][0]["containers"]
    assert container["log"]["refused"] is True
    assert ran.data["services"][0]["problems"] == [container["log"]["says"]]
    fleet.migrate("rollback", *words, "--yes").ok()


def test_a_container_that_crashes_on_it_is_not_waited_for(fleet: Fleet) -> None:
    with fleet.faults({"crashLoop": {"workload": "shop/crashing", "identity": "podIdentity"}}):
        ran = fleet.migrate("apply", "--service", "main/shop/crashing", "--yes").ended(Exit.ROLLED_BACK)

    assert f"/app: {SAYS}{GO}" in ran.err
    assert "gave up" not in ran.err
    assert identity(fleet, "crashing") == "irsa"


def test_another_host_is_no_matter_of_pod_identity(fleet: Fleet) -> None:
    fleet.migrate("apply", "--service", "main/shop/elsewhere", "--yes").ok()


def test_an_sdk_that_found_nothing_is_told_of(fleet: Fleet) -> None:
    ran = fleet.migrate("apply", "--service", "main/shop/lost", "--yes").ok()

    assert "without credentials, by its log: " in ran.err
    assert "Unable to locate credentials (botocore, boto3 or the AWS CLI)" in ran.err
    looked = fleet.migrate("verify", "--service", "main/shop/lost").ok()
    assert "/app: Unable to locate credentials" in looked.out
    assert SECRET not in f"{ran.out}{ran.err}{looked.out}"


def test_who_does_not_want_logs_read_says_so(fleet: Fleet) -> None:
    scenes.waits(fleet, log_lines=0)
    before = len(fleet.lab_page("kube-calls"))

    fleet.migrate("apply", "--service", "main/shop/left-alone", "--yes").ok()

    calls = fleet.lab_page("kube-calls")[before:]
    assert calls
    assert "pods/log" not in {call["resource"] for call in calls}
