"""`policy.trust_conditions` on the practice fleet: one statement serves several services, and goes with the last."""

import json
from pathlib import Path
from typing import Any

import yaml

from tests.lab import harness, scenes
from tests.lab.harness import Fleet

NAMES = ("one", "two")
UNTIL = {"DateLessThan": {"aws:CurrentTime": "2099-01-01T00:00:00Z"}}


def documents(fleet: Fleet) -> str:
    """The role's trust policy, to the letter."""
    return json.dumps(fleet.aws("iam").get_role(RoleName="Shared")["Role"]["AssumeRolePolicyDocument"])


def ours(fleet: Fleet) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(documents(fleet))["Statement"]
    return [one for one in found if one.get("Sid", "").startswith("IrsaMigrator")]


def policy(fleet: Fleet, scope: str) -> None:
    path = Path(fleet.environment["MIGRATE_FLEET"])
    said = yaml.safe_load(path.read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump({**said, "policy": {"trust_conditions": scope}}), encoding="utf-8")


def limited(fleet: Fleet) -> str:
    """Somebody limits the role to a time, as an owner of it would; the document is then like this."""
    iam = fleet.aws("iam")
    document = iam.get_role(RoleName="Shared")["Role"]["AssumeRolePolicyDocument"]
    for statement in document["Statement"]:
        statement["Condition"].update(UNTIL)
    iam.update_assume_role_policy(RoleName="Shared", PolicyDocument=json.dumps(document, indent=2))
    return documents(fleet)


def test_one_statement_for_the_cluster_serves_both_and_goes_with_the_last(tmp_path: Path) -> None:
    services = [{**scenes.service(name), "role": {"name": "Shared"}} for name in NAMES]
    with harness.fleet(scenes.write(tmp_path, services, addons=["eks-pod-identity-agent"]), tmp_path) as fleet:
        before = limited(fleet)
        policy(fleet, "cluster")
        fleet.migrate("plan").ok()
        policy(fleet, "none")  # after the plan: it carries what was decided
        for name in NAMES:
            fleet.migrate("apply", "--service", f"main/shop/{name}", "--yes").ok()
            (statement,) = ours(fleet)
            assert set(statement["Condition"]["StringEquals"]) == {"aws:RequestTag/eks-cluster-arn"}
            assert statement["Condition"]["DateLessThan"] == UNTIL["DateLessThan"]
        there = documents(fleet)

        said = fleet.migrate("rollback", "--service", "main/shop/one", "--yes").ok()
        assert documents(fleet) == there
        assert "main/shop/two" in said.out + said.err
        fleet.migrate("verify", "--service", "main/shop/two", "--expect", "pod-identity").ok()
        fleet.migrate("verify", "--service", "main/shop/one", "--expect", "irsa").ok()
        fleet.migrate("rollback", "--service", "main/shop/two", "--yes").ok()
        assert documents(fleet) == before
