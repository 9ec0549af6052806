"""What has an owner, as people and machines are told of it: the change at the source, and whose annotation was left."""

from dataclasses import replace
from typing import Any

from jsonschema import Draft202012Validator

from migrator.model.exits import Exit
from migrator.model.identity import Identity
from migrator.model.ids import ROLE_ARN_ANNOTATION
from migrator.model.plan import Plan, StepKind
from migrator.render.blocks import Block
from migrator.render.contract import schema
from migrator.render.screen import plain
from migrator.render.steps import changes, words
from migrator.render.views import batch, plan, show, status, verify, walk
from migrator.running.observe import Observation
from migrator.store.plan_document import document_of, plan_of
from tests.fakes.batches import ended, summary
from tests.fakes.parts import ROLE_ARN, TRACKED
from tests.fakes.running import SERVICE, plan_for
from tests.fakes.world import FakeWorld

OWNER = "Argo CD application shop"
PATCH = [
    f"  annotation: ServiceAccount shop/orders belongs to {OWNER} (annotation argocd.argoproj.io/tracking-id)",
    f"    in the source of {OWNER}, as a patch of its kustomization.yaml:",
    "      apiVersion: v1",
    "      kind: ServiceAccount",
    "      metadata:",
    "        name: orders",
    "        namespace: shop",
    "        annotations:",
    "          eks.amazonaws.com/role-arn: null",
]


def owned() -> Plan:
    return plan_for(FakeWorld(annotations={ROLE_ARN_ANNOTATION: ROLE_ARN, **TRACKED}))


def text(blocks: list[Block]) -> list[str]:
    return [line for line in plain(blocks) if line]


def fits(document: dict[str, Any]) -> dict[str, Any]:
    Draft202012Validator(schema(document["command"])).validate(document)
    return document


def test_the_plan_file_keeps_it() -> None:
    made = owned()
    assert plan_of(document_of(made)) == made
    assert [one["name"] for one in made.facts["owners"]] == [OWNER]


def test_the_step_says_that_it_leaves_it_both_ways() -> None:
    there = next(step for step in owned().forward if step.kind is StepKind.ANNOTATION)
    back = next(step for step in owned().back if step.kind is StepKind.ANNOTATION)
    said = f'annotation eks.amazonaws.com/role-arn of shop/orders: "{ROLE_ARN}" → left to {OWNER}'
    assert (str(words(there)), str(words(back))) == (said, said)
    assert not changes(there)


def test_show_prints_the_change() -> None:
    lines = text(show.blocks(fits(show.document(owned(), file="p.yaml", state=None))))
    at = lines.index("owners")
    assert lines[at + 1 : at + 1 + len(PATCH)] == PATCH
    assert not any(line.strip().startswith("owners:") for line in lines)


def test_apply_prints_it_before_it_asks_and_rollback_does_not() -> None:
    for command, there in (("apply", True), ("rollback", False)):
        document = walk.document(command, [walk.Intended(plan=owned())], [], dry_run=True, exit_code=Exit.DONE)
        assert (PATCH[0] in text(walk.intention_blocks(fits(document)["intended"]))) is there


def test_plan_counts_who_has_a_change_to_make() -> None:
    planned = [plan.Planned(owned(), "new"), plan.Planned(plan_for(FakeWorld()), "new")]
    made = plan.Planning(
        folder="plans", dry_run=True, clusters=1, planned=planned, gone=[], moved=[], left_out=[], unread=[]
    )
    document = fits(plan.document(made))
    assert [len(service["owners"]) for service in document["services"]] == [1, 0]
    said = "1 service with owners who have a change to make at the source: migrate show SERVICE prints it"
    assert said in text(plan.blocks(document))


def test_status_says_whose_annotation_is_there_still() -> None:
    placed = status.Placed(service=SERVICE, plan=owned(), state=None, left_to=OWNER)
    (line,) = (one for one in text(status.blocks(fits(status.document([placed], [], [])))) if str(SERVICE) in one)
    assert line.endswith(f"annotation left to {OWNER}")
    unproven = status.document([replace(placed, unproven=True)], [], [])
    assert f"no pod has proven it yet; annotation left to {OWNER}" in " ".join(text(status.blocks(unproven)))


def test_verify_says_whether_he_has_taken_it_out() -> None:
    for annotation, said in (
        (ROLE_ARN, f"its annotation is left to {OWNER}"),
        ("", f"{OWNER} took its annotation out"),
    ):
        seen = Observation(
            service=SERVICE, identity=Identity.NO_PODS, seen=(), association=ROLE_ARN, annotation=annotation
        )
        document = verify.document([(replace(seen, left_to=OWNER), Identity.POD_IDENTITY)], exit_code=Exit.UNFINISHED)
        assert f"  {said}" in text(verify.blocks(fits(document)))


def test_batch_counts_them() -> None:
    left = replace(ended("cart"), left_to=OWNER)
    document = batch.document(summary(services=(left, replace(left, service=SERVICE), ended("web"))))
    assert [one["left_to"] for one in fits(document)["services"]] == [OWNER, OWNER, None]
    assert "  owners     2 annotations were left to their owners: see migrate status" in text(batch.blocks(document))
    one = batch.document(summary(services=(left,)))
    assert "  owners     an annotation was left to its owner: see migrate status" in text(batch.blocks(one))
