"""The change at the source: applied as its owner would apply it, it gives what the service needs, and nothing else."""

import copy
import json
import re
from typing import Any

import pytest
import yaml

from migrator.model.facts import ServiceAccount
from migrator.model.ids import ROLE_ARN_ANNOTATION
from migrator.model.ownership import Owner, OwnerKind
from migrator.model.trust import Subject, allows, ours, statement_for
from migrator.planning.source_patches import SourcePatch, with_statement, without_annotation
from tests.fakes.planning import SUBJECT, trust_for

ARN = "arn:aws:iam::111111111111:role/orders"
ACCOUNT = ServiceAccount(namespace="orders", name="orders-api", uid="u")
LIVE = {
    "apiVersion": "v1",
    "kind": "ServiceAccount",
    "metadata": {
        "name": "orders-api",
        "namespace": "orders",
        "annotations": {ROLE_ARN_ANNOTATION: ARN, "eks.amazonaws.com/audience": "sts.amazonaws.com"},
    },
}
CLUSTER = "arn:aws:eks:eu-west-1:111111111111:cluster/shop-prod"
STATEMENT = {k: v for k, v in statement_for(Subject(CLUSTER, "orders", "orders-api")).items() if k != "Sid"}


def owner(kind: OwnerKind) -> Owner:
    return Owner(kind=kind, name="Somebody's thing", mark="label", value="v")


def patches(kind: OwnerKind) -> tuple[SourcePatch, ...]:
    return without_annotation(owner(kind), ACCOUNT, ARN)


def merged(base: Any, over: Any) -> Any:
    """A merge patch: what is null goes."""
    if not isinstance(base, dict) or not isinstance(over, dict):
        return over
    both = {**base, **{key: merged(base.get(key, {}), value) for key, value in over.items()}}
    return {key: value for key, value in both.items() if value is not None}


def without(document: Any) -> Any:
    left = copy.deepcopy(document)
    del left["metadata"]["annotations"][ROLE_ARN_ANNOTATION]
    return left


@pytest.mark.parametrize("kind", [OwnerKind.HELM, OwnerKind.ARGO_CD, OwnerKind.CONTROLLER], ids=str)
def test_the_manifest_loses_that_annotation_and_nothing_else(kind: OwnerKind) -> None:
    assert merged(LIVE, yaml.safe_load(patches(kind)[-1].text)) == without(LIVE)


@pytest.mark.parametrize("kind", [OwnerKind.HELM, OwnerKind.FLUX_HELM], ids=str)
def test_values_of_a_chart_lose_what_the_chart_gives(kind: OwnerKind) -> None:
    values = yaml.safe_load(patches(kind)[0].text)
    values = values["spec"]["values"] if "spec" in values else values
    given = {"serviceAccount": {"create": True, "annotations": {ROLE_ARN_ANNOTATION: ARN, "team": "shop"}}}
    assert merged(given, values) == {"serviceAccount": {"create": True, "annotations": {"team": "shop"}}}


@pytest.mark.parametrize("kind", [OwnerKind.FLUX_KUSTOMIZATION, OwnerKind.FLUX_HELM], ids=str)
def test_flux_removes_it_by_a_json_patch_of_that_object(kind: OwnerKind) -> None:
    spec = yaml.safe_load(patches(kind)[-1].text)["spec"]
    (patch,) = spec["patches"] if "patches" in spec else spec["postRenderers"][0]["kustomize"]["patches"]
    assert patch["target"] == {"kind": "ServiceAccount", "name": "orders-api", "namespace": "orders"}
    (operation,) = json.loads(patch["patch"])
    keys = [key.replace("~1", "/") for key in operation["path"].split("/")[1:]]
    assert (operation["op"], keys) == ("remove", ["metadata", "annotations", ROLE_ARN_ANNOTATION])


def test_terraform_loses_the_line() -> None:
    (patch,) = patches(OwnerKind.TERRAFORM)
    assert [line for line in patch.text.splitlines() if line.startswith("-")] == [
        f'-     "{ROLE_ARN_ANNOTATION}" = "{ARN}"'
    ]


def test_eksctl_is_kept_from_writing_it_and_a_person_takes_it_out() -> None:
    config, command = patches(OwnerKind.EKSCTL)
    (entry,) = yaml.safe_load(config.text)["iam"]["serviceAccounts"]
    assert entry == {"metadata": {"name": "orders-api", "namespace": "orders"}, "roleOnly": True}
    assert command.text == f"kubectl annotate serviceaccount orders-api --namespace orders {ROLE_ARN_ANNOTATION}-\n"


def lets_in(statement: Any) -> bool:
    trust = trust_for(SUBJECT)
    document = json.dumps({**trust, "Statement": [*trust["Statement"], statement]})
    subject = Subject(CLUSTER, "orders", "orders-api")
    assert ours(document) == frozenset(), "what stands in a source is its owner's"
    return allows(document, subject) and not allows(document, Subject(CLUSTER, "orders", "other"))


@pytest.mark.parametrize("place", ["OrdersRole", ""])
def test_the_template_with_it_lets_the_service_in(place: str) -> None:
    stack = Owner(kind=OwnerKind.CLOUDFORMATION, name="CloudFormation stack s", mark="tag", value="s", place=place)
    (patch,) = with_statement(stack, "orders-role", STATEMENT)
    ((name, resource),) = yaml.safe_load(patch.text)["Resources"].items()
    assert name == (place or "LogicalIdOfordersrole")
    assert resource["Type"] == "AWS::IAM::Role"
    (statement,) = resource["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert lets_in(statement)


def test_a_controllers_object_with_it_lets_the_service_in() -> None:
    (patch,) = with_statement(owner(OwnerKind.CONTROLLER), "orders", STATEMENT)
    assert lets_in(json.loads(patch.text))


def test_terraforms_block_says_the_same_as_the_statement() -> None:
    (patch,) = with_statement(owner(OwnerKind.TERRAFORM), "orders", STATEMENT)
    text = patch.text
    conditions = re.findall(r"test\s+= \"(.+)\"\n\s+variable = \"(.+)\"\n\s+values\s+= (\[.+\])", text)
    assert {test for test, _, _ in conditions} == {"StringEquals"}
    assert {key: json.loads(values) for _, key, values in conditions} == {
        key: [value] for key, value in STATEMENT["Condition"]["StringEquals"].items()
    }
    assert f"actions = {json.dumps(STATEMENT['Action'])}" in text
    assert 'type        = "Service"\n    identifiers = ["pods.eks.amazonaws.com"]' in text
