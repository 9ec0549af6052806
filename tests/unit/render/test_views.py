"""Results that need a live world, made from facts: their documents fit the schemas, their tables tell the same."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from migrator.model.discovery import Entry, Known
from migrator.model.exits import Exit
from migrator.model.fleet import Account, FleetCluster
from migrator.model.identity import Identity
from migrator.model.plan import StepKind
from migrator.render.blocks import Block
from migrator.render.contract import COMMANDS, schema
from migrator.render.diff import trust_diff
from migrator.render.screen import plain
from migrator.render.steps import changes, role_name, words
from migrator.render.views import explain, fleet, lab, verify
from migrator.render.views.fleet import Reached
from migrator.running.observe import Crew, Manned, Observation, Seen
from tests.fakes.addon_world import AddonWorld
from tests.fakes.crossing import SOURCE, TARGET, away
from tests.fakes.parts import ROLE_ARN
from tests.fakes.running import plan_for
from tests.fakes.samples import ORDERS, TRUST, sample_plan


def text(blocks: list[Block]) -> list[str]:
    return [line for line in plain(blocks) if line]


def fits(document: dict[str, Any]) -> dict[str, Any]:
    Draft202012Validator(schema(document["command"])).validate(document)
    return document


@pytest.mark.parametrize("command", COMMANDS)
def test_every_schema_is_one_and_closed(command: str) -> None:
    found = schema(command)
    Draft202012Validator.check_schema(found)

    assert found["properties"]["command"] == {"const": command}
    assert found["additionalProperties"] is False


def seen(container: str, identity: Identity, **differs: Any) -> Seen:
    fields = {"pod": "orders-1", "owner": "Deployment orders", "ready": True, **differs}
    return Seen(container=container, identity=identity, **fields)


ROLE = "arn:aws:iam::111111111111:role/orders"


def test_verify_as_expected() -> None:
    answer = {"credentials": 'answered: role "orders"', "answered": True}
    main = seen("main", Identity.POD_IDENTITY, check="exit 0: 3 orders", check_passed=True, **answer)
    observation = Observation(service=ORDERS, identity=Identity.POD_IDENTITY, seen=(main,), association=ROLE)
    document = fits(verify.document([(observation, Identity.POD_IDENTITY)], exit_code=Exit.DONE))

    assert text(verify.blocks(document)) == [
        "POD       CONTAINER  IDENTITY      READY  OWNER              CREDENTIALS  OWN CHECK",
        "orders-1  main       pod-identity  yes    Deployment orders  answered     exit 0: 3 orders",
        "prod/shop/orders: pod-identity, as expected",
    ]


def test_verify_otherwise() -> None:
    mixed = (seen("main", Identity.POD_IDENTITY), seen("sidecar", Identity.NONE, ready=False))
    observation = Observation(service=ORDERS, identity=Identity.MIXED, seen=mixed, association=ROLE)
    document = fits(verify.document([(observation, Identity.POD_IDENTITY)], exit_code=Exit.BLOCKED))

    assert document["exit"] == 4
    assert text(verify.blocks(document))[-1] == "prod/shop/orders: mixed, expected pod-identity"


@pytest.mark.parametrize(("word", "answered"), [("wrong role", False), ("refused", False), ("not asked", None)])
def test_verify_says_why_credentials_did_not_answer(word: str, answered: bool | None) -> None:
    main = seen("main", Identity.POD_IDENTITY, credentials=f"{word}: the reason", answered=answered)
    observation = Observation(service=ORDERS, identity=Identity.POD_IDENTITY, seen=(main,), association=ROLE)
    document = fits(verify.document([(observation, Identity.POD_IDENTITY)], exit_code=Exit.BLOCKED))

    assert document["services"][0]["as_expected"] is (answered is None)
    assert text(verify.blocks(document))[2] == f"orders-1/main: credentials {word}: the reason"


def test_verify_says_that_the_association_is_gone() -> None:
    observation = Observation(
        service=ORDERS, identity=Identity.POD_IDENTITY, seen=(seen("main", Identity.POD_IDENTITY),)
    )
    document = fits(verify.document([(observation, Identity.POD_IDENTITY)], exit_code=Exit.BLOCKED))

    assert document["services"][0]["as_expected"] is False
    said = "prod/shop/orders: pod-identity, but EKS lists no association for it"
    assert text(verify.blocks(document))[-1] == said


def test_verify_without_pods() -> None:
    observation = Observation(service=ORDERS, identity=Identity.NO_PODS, seen=())
    document = fits(verify.document([(observation, Identity.IRSA)], exit_code=Exit.UNFINISHED))

    assert document["services"][0]["verdict"] == "pending"
    said = "prod/shop/orders: expected irsa; no pod now to prove it: the next one will"
    assert text(verify.blocks(document)) == [said]


def crew(workload: str, ready: int, wanted: int, state: Manned) -> Crew:
    return Crew(workload=workload, ready=ready, wanted=wanted, state=state)


def test_verify_names_the_workloads_that_are_short_of_pods() -> None:
    crews = (crew("Deployment orders", 1, 1, Manned.READY), crew("Deployment z-recreate", 0, 1, Manned.SHORT))
    main = seen("main", Identity.IRSA)
    observation = Observation(service=ORDERS, identity=Identity.IRSA, seen=(main,), crews=crews)
    document = fits(verify.document([(observation, Identity.IRSA)], exit_code=Exit.BLOCKED))

    assert text(verify.blocks(document))[-2:] == [
        "Deployment z-recreate: 0 of 1 pods ready",
        "prod/shop/orders: irsa, but not all its pods are ready",
    ]


def test_verify_names_the_workloads_that_nothing_has_proven() -> None:
    crews = (crew("CronJob nightly", 0, 0, Manned.PENDING), crew("Deployment orders", 1, 1, Manned.READY))
    main = seen("main", Identity.IRSA)
    observation = Observation(service=ORDERS, identity=Identity.IRSA, seen=(main,), crews=crews)
    document = fits(verify.document([(observation, Identity.IRSA)], exit_code=Exit.DONE))

    said = "prod/shop/orders: irsa, as expected; not proven yet, for want of a pod: CronJob nightly"
    assert text(verify.blocks(document))[-1] == said


def test_verify_says_which_role_the_next_pod_would_get() -> None:
    main = seen("main", Identity.IRSA)
    observation = Observation(
        service=ORDERS, identity=Identity.IRSA, seen=(main,), annotation=f"{ROLE}-other", role_arn=ROLE
    )
    document = fits(verify.document([(observation, Identity.IRSA)], exit_code=Exit.BLOCKED))

    assert document["services"][0]["as_expected"] is False
    named = f'its ServiceAccount is annotated with another role, "{ROLE}-other", and the plan "{ROLE}"'
    assert text(verify.blocks(document))[-1] == f"prod/shop/orders: irsa, but {named}"


LAB = lab.LabView(
    world="exercise.yaml",
    pid=7,
    aws_endpoint="http://127.0.0.1:4",
    started="2026-01-01T00:00:00+00:00",
    env={"MIGRATE_FLEET": "/a b/fleet.yaml"},
    unset=("AWS_REGION", "AWS_ENDPOINT_URL"),
    clusters=[
        lab.LabCluster(
            alias="my-cluster",
            account="111111111111",
            region="us-east-1",
            version="1.33",
            endpoint="https://127.0.0.1:5",
        )
    ],
)


def test_a_running_lab_tells_what_to_unset_and_export() -> None:
    lines = text(lab.blocks(fits(lab.document("up", ".lab", LAB))))

    assert lines[0] == "practice fleet of exercise.yaml in .lab, pid 7"
    assert lines[-2:] == ["  unset AWS_REGION AWS_ENDPOINT_URL", "  export MIGRATE_FLEET='/a b/fleet.yaml'"]


@pytest.mark.parametrize(
    ("action", "stopped", "said"),
    [
        ("status", False, "no practice fleet runs in .lab"),
        ("down", False, "no practice fleet runs in .lab"),
        ("down", True, "the practice fleet was stopped in .lab"),
    ],
)
def test_no_lab(action: str, said: str, *, stopped: bool) -> None:
    assert text(lab.blocks(fits(lab.document(action, ".lab", None, stopped=stopped)))) == [said]


def test_explain_page() -> None:
    lines = text(explain.blocks(fits(explain.document("fargate"))))

    assert lines[0] == "fargate  (finding, severity block)"
    assert {"why", "remedy"} <= set(lines)


def test_every_step_has_its_words() -> None:
    plan, crossing = sample_plan(), plan_for(away())

    addon = plan_for(AddonWorld())
    assert {step.kind for step in (*plan.forward, *addon.forward, *crossing.forward)} == set(StepKind)
    assert [str(words(step)) for step in crossing.forward[1:4]] == [
        f"source role {role_name(SOURCE)}: none → there, may assume the target role only",
        "trust policy of role data/orders: does not let the source role in → lets the source role in",
        f"association of shop/orders: none → {role_name(SOURCE)}, target role {TARGET}",
    ]
    assert [str(words(step)) for step in plan.forward] == [
        "add-on eks-pod-identity-agent on prod: absent → ready",
        "trust policy of role orders: no Pod Identity → trusts Pod Identity for this service",
        "association of shop/orders: none → orders",
        f'annotation eks.amazonaws.com/role-arn of shop/orders: "{ROLE_ARN}" → none',
        "Deployment orders: running pods → new pods",
        "every container of every pod: irsa → pod-identity",
    ]
    moved, returned = (step for step in (*addon.forward, *addon.back) if step.kind is StepKind.ADDON)
    about = "add-on shop-driver, which rolls its pods itself: its association of shop/orders"
    assert str(words(moved)) == f"{about}: none → orders"
    assert str(words(returned)) == f"{about}: orders → none, and the add-on's role is orders again"


@pytest.mark.parametrize("command", ["show", "apply", "rollback"])
def test_the_schemas_know_every_kind_of_step(command: str) -> None:
    assert schema(command)["$defs"]["step"]["properties"]["kind"]["enum"] == [str(kind) for kind in StepKind]


def test_a_step_that_was_so_already() -> None:
    agent = sample_plan().forward[0]
    there = type(agent)(id=agent.id, kind=agent.kind, on=agent.on, before=agent.after, after=agent.after)

    assert str(words(there)) == "add-on eks-pod-identity-agent on prod: ready already"
    assert changes(agent)
    assert not changes(there)


ROLES = {
    "[plain]": ("arn:aws:iam::111122223333:role/orders", "orders"),
    "[path]": ("arn:aws-cn:iam::111122223333:role/teams/a/orders", "teams/a/orders"),
    "[no ARN] as written": ("orders", "orders"),
}


@pytest.mark.parametrize(("arn", "name"), ROLES.values(), ids=ROLES.keys())
def test_role_name(arn: str, name: str) -> None:
    assert role_name(arn) == name


def test_diff() -> None:
    after = {**TRUST, "Statement": [*TRUST["Statement"], {"Sid": "New"}]}
    lines = trust_diff(TRUST, after, name="orders")

    assert lines[:2] == ("--- orders (trust policy now)", "+++ orders (trust policy after)")
    assert '+      "Sid": "New"' in lines
    assert not [line for line in lines[2:] if line.startswith("-") and '"Sid"' in line]
    assert trust_diff(TRUST, TRUST, name="orders") == ()


@pytest.mark.parametrize(
    ("homes", "reached", "says"),
    [
        pytest.param("112", "1", "3 clusters in 2 accounts: ", id="[one of the two was not reached]"),
        pytest.param("1", "123", "1 cluster in 1 account: ", id="[reached, and without clusters]"),
        pytest.param("", "12", "0 clusters in 2 accounts: ", id="[none]"),
    ],
)
def test_discover_counts_the_accounts_of_its_clusters(homes: str, reached: str, says: str) -> None:
    entries = [
        Entry(FleetCluster(alias=f"c{number}", name=f"c{number}", region="eu-west-1", account=home * 12), Known.KNOWN)
        for number, home in enumerate(homes)
    ]
    looked = [Reached(Account(id=account * 12), f"arn:aws:iam::{account * 12}:user/ann") for account in reached]
    found = fleet.Discovered(
        file="f", dry_run=False, written=False, entries=entries, reached=looked, left_out=(), diff=()
    )

    assert [line for line in text(fleet.blocks(fits(fleet.document(found)))) if line.startswith(says)]
