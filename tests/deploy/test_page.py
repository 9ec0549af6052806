"""The page about image and chart says what is so."""

import json
import re
from inspect import getsource
from pathlib import Path

import yaml

from migrator.adapters.aws.resource_kinds import KINDS
from tests.deploy.dockerfile import parse
from tests.deploy.helm import CHART
from tests.deploy.image import DOCKERFILE, ROOT

PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
ADAPTERS = ROOT / "migrator" / "adapters" / "aws"
CALLED = {
    ("cloudformation", "stacks"): re.compile(r"client\.([a-z_]+),"),
    ("ec2", "endpoints"): re.compile(r"client\.([a-z_]+)\("),
    ("eks", "eks"): re.compile(r"client\(\)\.([a-z_]+)\("),
    ("eks", "eks_addons"): re.compile(r"client\(\)\.([a-z_]+)\("),
    ("iam", "iam"): re.compile(r"client\.([a-z_]+)\("),
    ("iam", "permission_reading"): re.compile(r"_client\.([a-z_]+)\("),
    ("iam", "operator"): re.compile(r"client\.([a-z_]+)\("),
    ("servicequotas", "quotas"): re.compile(r"client\.([a-z_]+)\("),
}
"""By service and module, how its calls look."""
OF_KINDS = re.compile(r"client\.([a-z_]+)\(")
NAMED = {"s3:ListBuckets": "s3:ListAllMyBuckets"}
"""Calls whose action IAM calls otherwise."""
STORE = ROOT / "migrator" / "store" / "dynamo"
ASKED = re.compile(r'"(query|scan|\w+_item|Put|Update|Delete|ConditionCheck)"')
IMPLIED = {"eks:TagResource"}
"""By the tags of what is created."""


def block(language: str) -> str:
    found = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert len(found) == 1, f"one block of {language} stands in the page"
    return str(found[0])


def called() -> set[str]:
    """The actions that the adapters ask for, by their source."""
    sources = [
        (service, calls, (ADAPTERS / f"{module}.py").read_text(encoding="utf-8"))
        for (service, module), calls in CALLED.items()
    ]
    sources += [(kind.service, OF_KINDS, getsource(read)) for kind in KINDS for read in (kind.page, kind.policy)]
    asked = {
        f"{service}:{''.join(part.capitalize() for part in name.split('_'))}"
        for service, calls, source in sources
        for name in calls.findall(source)
    }
    return {NAMED.get(one, one) for one in asked}


def test_the_policy_names_every_call_of_the_adapters_and_no_other() -> None:
    first, second = json.loads(block("json"))["Statement"]

    assert set(first["Action"]) == called() | IMPLIED
    assert second["Action"] == "iam:PassRole"


def test_what_a_table_needs_is_what_the_store_asks_for() -> None:
    sources = [path for path in STORE.glob("*.py") if path.name != "making.py"]  # who makes it is somebody else
    words = {word for path in sources for word in ASKED.findall(path.read_text(encoding="utf-8"))}
    plain = {word for word in words if "transact" not in word}
    asked = {"".join(part.capitalize() for part in word.removesuffix("_item").split("_")) for word in plain}
    asked = {one if one == "Query" else f"{one}Item" for one in asked}

    assert set(re.findall(r"`dynamodb:(\w+)`", PAGE)) == asked


def test_its_values_are_those_of_the_shortest_example() -> None:
    shown = yaml.safe_load(block("yaml"))
    example = yaml.safe_load((CHART / "ci" / "cron-values.yaml").read_text(encoding="utf-8"))

    assert {**shown, "image": example["image"]} == example


def test_its_base_image_is_the_dockerfiles() -> None:
    assert set(re.findall(r"python:[\w.-]+", PAGE)) == {parse(DOCKERFILE.read_text(encoding="utf-8"))[-1].base}


def test_paths_it_names_are_there() -> None:
    named = set(re.findall(r"(?:deploy|templates|scripts)/[\w./-]*\w", PAGE))

    assert {"deploy/Dockerfile", "scripts/image-steps", "templates/access.yaml"} <= named
    assert [name for name in named if not any((place / name).exists() for place in (ROOT, CHART))] == []


def test_what_it_says_of_the_defaults_is_so() -> None:
    defaults = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    said = re.search(r"`activeDeadlineSeconds` \((\d+) hours\)", PAGE)

    assert said is not None
    assert int(said[1]) * 3600 == defaults["activeDeadlineSeconds"]
    assert f"{defaults['terminationGracePeriodSeconds']} unless given" in PAGE
    assert defaults["batch"]["exitZeroFor"] == [3, 5]
    assert Path(CHART / "values.schema.json").exists()
