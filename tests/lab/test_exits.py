"""Every exit code that a single service can bring about, from real processes; the last line always says what to do."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from migrator.lab.kubeclient import KubeClient
from migrator.model.exits import Exit
from tests.lab import harness, scenes
from tests.lab.harness import Fleet
from tests.lab.invariants import Invariant

KEYS = {"AWS_ACCESS_KEY_ID": "LABKEY00111111111111", "AWS_SECRET_ACCESS_KEY": "x"}
SERVICES = (
    "blind", "checked", "drifting", "held", "idle", "locked", "plain", "sigint", "sigterm", "stranded", "unreached",
)  # fmt: skip


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("exits")
    services = [scenes.service(name, replicas=0 if name == "idle" else 1) for name in SERVICES]
    services.append(scenes.service("keyed", env=KEYS))
    world = scenes.write(folder, services, addons=["eks-pod-identity-agent"])
    with harness.fleet(world, folder) as running:
        file = Path(running.environment["MIGRATE_FLEET"])
        file.write_text(file.read_text().replace("waits:\n", "waits:\n  verify: 3\n  trust: 3\n  gate: 5\n"))
        running.migrate("plan").ok()
        yield running


def apply(fleet: Fleet, name: str) -> tuple[str, ...]:
    del fleet
    return ("apply", "--service", f"main/shop/{name}", "--yes")


def edit(fleet: Fleet, name: str, **fields: Any) -> None:
    """Edits the part of a plan file that people may edit: `verify` or `hold`."""
    path = fleet.plan_file(f"main/shop/{name}")
    text = path.read_text()
    for field, value in fields.items():
        lines = [line for line in text.splitlines() if line.startswith(f"  {field}:")]
        assert len(lines) == 1, text
        text = text.replace(lines[0], f"  {field}: {json.dumps(value)}")
    path.write_text(text)


def standing(fleet: Fleet, name: str) -> str:
    rows = fleet.migrate("status", "--output", "json").ok().data["services"]
    found: str = next(row["standing"] for row in rows if row["service"] == f"main/shop/{name}")
    return found


def test_0_done_and_nothing_left_to_do(fleet: Fleet) -> None:
    fleet.migrate(*apply(fleet, "plain")).ok()
    again = fleet.migrate(*apply(fleet, "plain")).ok()
    assert "already migrated" in again.out


def test_1_the_environment_fails(fleet: Fleet, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[profile lab-111111111111]\naws_access_key_id = LABKEY00111111111111\naws_secret_access_key = x\n"
        "region = eu-west-1\nendpoint_url = http://127.0.0.1:9\n"
    )
    ran = fleet.migrate(*apply(fleet, "unreached"), extra={"AWS_CONFIG_FILE": str(config)}).ended(Exit.ERROR)
    assert "127.0.0.1:9" in ran.err
    assert standing(fleet, "unreached") == "planned"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(("apply", "--service", "main/shop/plain-typo", "--yes"), "plain", id="[unknown] service"),
        pytest.param(("apply", "--service", "main/shop/held"), "--yes", id="[no terminal] wants --yes"),
        pytest.param(("plan", "--fleet", "nowhere.yaml"), "nowhere.yaml", id="[missing] fleet file"),
        pytest.param(("apply",), "--service", id="[missing] option"),
    ],
)
def test_2_wrong_usage(fleet: Fleet, arguments: tuple[str, ...], says: str) -> None:
    ran = fleet.migrate(*arguments).ended(Exit.USAGE)
    assert says in ran.err


def test_3_verification_pending(fleet: Fleet) -> None:
    ran = fleet.migrate(*apply(fleet, "idle")).ended(Exit.UNFINISHED)
    assert "no pod yet" in ran.out + ran.err


def test_4_blocked(fleet: Fleet) -> None:
    ran = fleet.migrate(*apply(fleet, "keyed")).ended(Exit.BLOCKED)
    assert "static-keys" in ran.out + ran.err
    edit(fleet, "held", hold=True)
    assert "on hold" in fleet.migrate(*apply(fleet, "held")).ended(Exit.BLOCKED).err


def test_5_locked_by_another_runner(fleet: Fleet) -> None:
    first = fleet.start(*apply(fleet, "locked"))
    assert first.stderr is not None
    try:
        next(line for line in first.stderr if '"started"' in line)
        first.send_signal(signal.SIGSTOP)
        ran = fleet.migrate(*apply(fleet, "locked")).ended(Exit.LOCKED)
        assert f"process {first.pid}" in ran.err
        assert "since" in ran.err
    finally:
        first.send_signal(signal.SIGCONT)
        first.stderr.read()
        first.stderr.close()
    assert first.wait(60) == Exit.DONE


def test_6_drift(fleet: Fleet) -> None:
    kube = fleet.kube("main")
    where = "/api/v1/namespaces/shop/serviceaccounts/drifting"
    other = "arn:aws:iam::111111111111:role/other"
    kube.patch(where, {"metadata": {"annotations": {"eks.amazonaws.com/role-arn": other}}})
    already = len(fleet.calls())
    ran = fleet.migrate(*apply(fleet, "drifting")).ended(Exit.DRIFT)
    assert other in ran.err
    assert "--from-drift" in ran.err
    assert [call for call in fleet.calls()[already:] if call["mutating"]] == []


def test_7_pods_come_up_without_pod_identity(fleet: Fleet) -> None:
    """The webhook forgets its associations after the gate: the annotation is gone, so new pods would get nothing."""
    fleet.waive(Invariant.CREDENTIALS, "main/shop/blind", "the webhook gives nothing until it learns of changes again")
    kube = fleet.kube("main")
    where = "/api/v1/namespaces/shop/serviceaccounts/blind"
    before = kube.get(where)["metadata"]["annotations"]
    process = fleet.start(*apply(fleet, "blind"))
    assert process.stderr is not None
    log = []
    for line in process.stderr:
        log.append(line)
        told = json.loads(line)
        if (told.get("step"), told.get("status")) == ("annotation", "done") and told["code"] == "StepMoved":
            forget_associations(fleet)
    process.stderr.close()

    assert process.wait(60) == Exit.ROLLED_BACK, "".join(log)
    assert kube.get(where)["metadata"]["annotations"] == before
    assert identities_of(kube, "blind") == {"AWS_WEB_IDENTITY_TOKEN_FILE"}
    fleet.migrate("verify", "--service", "main/shop/blind", "--expect", "irsa").ok()
    assert standing(fleet, "blind") == "rolled-back"


def forget_associations(fleet: Fleet) -> None:
    for path in (fleet.lab.directory / "identities").glob("*.json"):
        path.write_text('{"identities": []}')


def identities_of(kube: KubeClient, name: str) -> set[str]:
    pods = kube.list("/api/v1/namespaces/shop/pods", fieldSelector=f"spec.serviceAccountName={name}")["items"]
    live = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    names = {env["name"] for pod in live for c in pod["spec"]["containers"] for env in c.get("env", ())}
    return names & {"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI"}


def test_7_the_services_own_check_fails_on_pod_identity_only(fleet: Fleet) -> None:
    edit(fleet, "checked", verify={"command": ["printenv", "AWS_ROLE_ARN"]})
    ran = fleet.migrate(*apply(fleet, "checked")).ended(Exit.ROLLED_BACK)
    assert "own check failed" in ran.err


def test_8_the_way_back_fails_too(fleet: Fleet) -> None:
    """The webhook goes away with the failure: no new pod would have any identity, and the gate sees it."""
    kube = fleet.kube("main")
    where = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/pod-identity-webhook"
    webhook = kube.get(where)
    edit(fleet, "stranded", verify={"command": ["false"]})
    process = fleet.start(*apply(fleet, "stranded"))
    assert process.stderr is not None
    log = []
    for line in process.stderr:
        log.append(line)
        if json.loads(line)["code"] == "WayBack":
            kube.delete(where)
    process.stderr.close()
    assert process.wait(60) == Exit.STRANDED, "".join(log)
    assert "migrate rollback --service main/shop/stranded" in log[-1]
    assert standing(fleet, "stranded") == "stranded"

    del webhook["metadata"]["resourceVersion"]
    kube.create_object(webhook)
    fleet.migrate("rollback", "--service", "main/shop/stranded", "--yes").ok()
    fleet.migrate("verify", "--service", "main/shop/stranded", "--expect", "irsa").ended(Exit.BLOCKED)
    edit(fleet, "stranded", verify=None)
    fleet.migrate("verify", "--service", "main/shop/stranded", "--expect", "irsa").ok()
    assert standing(fleet, "stranded") == "rolled-back"


@pytest.mark.parametrize(
    ("name", "number", "code"),
    [("sigint", signal.SIGINT, Exit.INTERRUPTED), ("sigterm", signal.SIGTERM, Exit.TERMINATED)],
)
def test_interrupted_at_a_checkpoint_and_resumed(fleet: Fleet, name: str, number: int, code: Exit) -> None:
    process = fleet.start(*apply(fleet, name))
    assert process.stderr is not None
    next(line for line in process.stderr if '"association"' in line and '"started"' in line)
    process.send_signal(number)
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == code, said
    assert "resume" in said
    assert standing(fleet, name) == "interrupted"
    fleet.migrate(*apply(fleet, name)).ok()
    assert standing(fleet, name) == "migrated"
