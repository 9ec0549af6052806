"""The golden cases of the real webhook, at the handler: patch paths, labels, env, mounts, volumes, in order."""

import json
from pathlib import Path
from typing import Any

import jsonpatch
import pytest

from migrator.lab.webhook.handler import mutate
from migrator.lab.webhook.settings import SKIP_LABEL, ComposeRoleArn, Flags, csv_fields, read_account

CASES = json.loads((Path(__file__).parents[2] / "cases" / "webhook.json").read_text())
JITTERED = 81111


def flags_of(case: dict[str, Any]) -> Flags:
    compose = case["webhook"].get("composeRoleArn")
    return Flags(
        region=case["webhook"]["region"],
        sts_regional_endpoint=case["webhook"]["stsRegionalEndpoint"],
        token_expiration=case["webhook"]["tokenExpiration"],
        compose_role_arn=ComposeRoleArn(compose["partition"], compose["accountId"]) if compose else None,
    )


def answer(case: dict[str, Any]) -> list[dict[str, Any]] | None:
    """What the webhook answers in this case, the API server's object selector included."""
    pod, account, flags = case["pod"], case["serviceAccount"], flags_of(case)
    if SKIP_LABEL in (pod["metadata"].get("labels") or {}):
        return None
    name = pod["spec"].get("serviceAccountName", "")
    known = account.get("inCache", True) and name == account["name"]
    return mutate(
        pod,
        flags,
        read_account(account["annotations"], flags) if known else None,
        associated=case["association"] and name == account["name"],
        jitter=lambda low, high: JITTERED if low <= JITTERED <= high else -1,
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_golden_case(case: dict[str, Any]) -> None:
    expect = case["expect"]
    patch = answer(case)
    assert (patch and [operation["path"] for operation in patch]) == expect["patch"]
    if patch is None:
        assert expect["noMutation"]
        return
    assert {operation["op"] for operation in patch} == {"add"}
    pod = jsonpatch.apply_patch(case["pod"], patch)
    containers = pod["spec"].get("initContainers", []) + pod["spec"]["containers"]
    assert pod["metadata"].get("labels", {}) == expect["labels"]
    assert {one["name"]: one.get("env", []) for one in containers} == expect["env"]
    assert {one["name"]: one.get("volumeMounts", []) for one in containers} == expect["mounts"]
    assert pod["spec"]["volumes"] == [fixed(volume) for volume in expect["volumes"]]


def fixed(volume: dict[str, Any]) -> dict[str, Any]:
    """The expected volume with our jitter's value in place of a range."""
    text = json.dumps(volume).replace('{"min": 79200, "max": 86400}', str(JITTERED))
    result: dict[str, Any] = json.loads(text)
    return result


def test_all_cases_are_there() -> None:
    assert len(CASES) == 52


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("a,b", ["a", "b"]),
        ("a, b", ["a", " b"]),
        ("", []),
        ('"a,b",c', ["a,b", "c"]),
        ('"a""b"', ['a"b']),
        ('ma"in', []),
        ('"main"x', []),
        ("a,", ["a", ""]),
        ("a\nb", ["a"]),
    ],
)
def test_csv_is_read_as_go_reads_it(text: str, fields: list[str]) -> None:
    assert csv_fields(text) == fields
