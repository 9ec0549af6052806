"""The commands that need no cloud, whole: plan files and journal on disk, results checked against their schemas."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from migrator.cli.app import app
from migrator.model.exits import Exit
from migrator.model.ids import ServiceId
from migrator.model.journal import Direction, Outcome, Run, Status, StepRecord
from migrator.model.plan import Acceptance, Edit
from migrator.render.contract import schema
from migrator.store.database import Database
from migrator.store.plan_document import document_of
from migrator.store.plan_file import PlanFiles
from migrator.store.sqlite import SqliteJournal
from tests.fakes.folders import shut
from tests.fakes.samples import BLOCK, INFO, ORDERS, WARNING, sample_plan

CART = ServiceId("prod", "shop", "cart")
STUCK = ServiceId("prod", "books", "shelf")
HELD = ServiceId("prod", "books", "held")
FLEET = """\
version: 1
defaults: {region: eu-west-1, account: "111122223333"}
clusters: [{alias: prod}]
"""


@dataclass
class Shop:
    """A folder with a fleet file and four plans."""

    folder: Path

    def run(self, *arguments: str, code: Exit = Exit.DONE) -> str:
        """Stdout of a command that must end with `code`."""
        result = CliRunner().invoke(app, [*arguments, "--fleet", str(self.folder / "fleet.yaml")])
        assert result.exit_code == int(code), result.output
        return result.stdout

    def document(self, *arguments: str, code: Exit = Exit.DONE) -> dict[str, Any]:
        """The command's JSON, which fits its schema."""
        data: dict[str, Any] = json.loads(self.run(*arguments, "--output", "json", code=code))
        Draft202012Validator(schema(arguments[0])).validate(data)
        return data

    def remember(self, service: ServiceId, *statuses: Status, outcome: Outcome = Outcome.DONE) -> None:
        """Writes a run forward into the journal."""
        plan = next(plan for plan in PlanFiles(self.folder / "plans").all() if plan.service == service)
        database = Database(self.folder / "state.db")
        journal = SqliteJournal(database)
        journal.begin(
            Run(
                id=f"run-{service.name}",
                service=service,
                direction=Direction.FORWARD,
                outcome=Outcome.OPEN,
                plan=document_of(plan),
                actor="ann as arn:aws:iam::111122223333:user/ann",
                host="desk",
                started="2026-01-01T10:00:00.000000+00:00",
            )
        )
        for number, (step, status) in enumerate(zip(plan.forward, statuses, strict=False)):
            at = f"2026-01-01T10:00:0{number + 1}.000000+00:00"
            image, result = {"was": step.id}, {"is": "k8s-aws-v1.c2VjcmV0", "association": "a-1"}
            record = StepRecord(
                run=f"run-{service.name}", step=step.id, status=status, at=at, image=image, result=result
            )
            journal.record(record)
        if outcome is not Outcome.OPEN:
            journal.end(f"run-{service.name}", outcome, "", "2026-01-01T10:01:00.000000+00:00")
        database.close()


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    (tmp_path / "fleet.yaml").write_text(FLEET, encoding="utf-8")
    files = PlanFiles(tmp_path / "plans")
    files.write(sample_plan(findings=(INFO, WARNING)))
    accepted = Edit(accept=(Acceptance(code="proxy", reason="the proxy lets the two addresses through"),))
    files.write(sample_plan(CART, findings=(WARNING,), edit=accepted))
    files.write(sample_plan(STUCK, findings=(BLOCK,)))
    files.write(sample_plan(HELD, edit=Edit(hold=True)))
    for name in ("MIGRATE_FLEET", "MIGRATE_PLANS", "MIGRATE_OUTPUT", "MIGRATE_LOG_FORMAT", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return Shop(tmp_path)


def test_status_before_anything_was_done(shop: Shop) -> None:
    data = shop.document("status")

    assert [(one["service"], one["standing"], one["verdict"]) for one in data["services"]] == [
        ("prod/books/held", "planned", "ready"),
        ("prod/books/shelf", "planned", "blocked"),
        ("prod/shop/cart", "planned", "ready"),
        ("prod/shop/orders", "planned", "attention"),
    ]
    assert not (shop.folder / "state.db").exists()


def test_status_tells_step_since_and_by_whom(shop: Shop) -> None:
    shop.remember(ORDERS, *[Status.DONE] * 6)
    shop.remember(CART, Status.FOUND, Status.STARTED, outcome=Outcome.OPEN)

    services = {one["service"]: one for one in shop.document("status")["services"]}
    orders, cart = services["prod/shop/orders"], services["prod/shop/cart"]
    assert (orders["standing"], orders["since"][:19]) == ("migrated", "2026-01-01T10:01:00")
    assert orders["by"] == "ann as arn:aws:iam::111122223333:user/ann on desk"
    assert (cart["standing"], cart["step"]) == ("interrupted", {"id": "trust", "status": "started"})
    assert shop.run("status").splitlines()[-1] == "4 services: 2 planned, 1 interrupted, 1 migrated"


def test_status_selects(shop: Shop) -> None:
    assert [one["service"] for one in shop.document("status", "--namespace", "b*")["services"]] == [
        "prod/books/held",
        "prod/books/shelf",
    ]
    assert shop.document("status", "--cluster", "test")["services"] == []


def test_status_names_a_plan_that_cannot_be_read(shop: Shop) -> None:
    path = shop.folder / "plans" / "prod" / "shop" / "cart.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("orders-api", "orders-apx"), encoding="utf-8")

    data = shop.document("status", code=Exit.USAGE)
    assert [one["file"] for one in data["unreadable"]] == ["plans/prod/shop/cart.yaml"]
    assert len(data["services"]) == 3
    assert "unreadable: " in shop.run("status", code=Exit.USAGE)


def test_a_closed_folder_of_plans_is_told_by_whoever_reads_them(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.remember(CART, Status.FOUND, Status.STARTED, outcome=Outcome.OPEN)
    shut(monkeypatch, shop.folder / "plans" / "prod" / "shop")
    said = "plans/prod/shop: cannot be read: Permission denied; make it readable"

    data = shop.document("status", code=Exit.USAGE)
    assert [one["file"] for one in data["unreadable"]] == ["plans/prod/shop"]
    assert [one["service"] for one in data["services"]] == ["prod/books/held", "prod/books/shelf", "prod/shop/cart"]
    assert said in shop.run("status", code=Exit.USAGE)
    planned = json.loads(shop.run("batch", "--plan-only", "--output", "json", code=Exit.USAGE))
    assert {one["service"]: one["why"] for one in planned["left"]}["prod/shop/cart"] == "unreadable"
    assert planned["tasks"] == []  # the run that was cut off may be held by its plan
    shop.run("show", "orders", code=Exit.USAGE)
    shop.run("show", str(STUCK))


def test_a_stray_file_ends_status_and_batch_with_two(shop: Shop) -> None:
    (shop.folder / "plans" / "prod" / "shop" / "a b.yaml").touch()

    (said,) = shop.document("status", code=Exit.USAGE)["unreadable"]
    assert said["file"] == "plans/prod/shop/a b.yaml"
    assert said["problem"].endswith("a b.yaml: is no name that migrate writes; move it away")
    shop.run("batch", "--plan-only", code=Exit.USAGE)


def test_show_tells_findings_steps_diff_and_the_way_back(shop: Shop) -> None:
    text = shop.run("show", "orders")

    for part in (
        "verdict   attention",
        "proxy: Deployment orders sends its calls",
        "seen: Deployment orders spec.template.spec.containers[main].env[HTTP_PROXY] = http://proxy:3128",
        "the way there",
        '+      "Principal": {',
        "the way back",
        "IrsaMigrator",
    ):
        assert part in text
    data = shop.document("show", "orders")
    assert [step["id"] for step in data["forward"]] == [
        *("agent", "trust", "association", "annotation", "restart", "verify")
    ]
    assert data["trust"]["before"]["Statement"] == data["trust"]["after"]["Statement"][:1]


def test_show_as_yaml_is_the_same_document(shop: Shop) -> None:
    as_yaml = yaml.safe_load(shop.run("show", "shop/cart", "--output", "yaml"))

    assert as_yaml == shop.document("show", "shop/cart")
    assert [found["accepted"] for found in as_yaml["findings"]] == ["the proxy lets the two addresses through"]


def test_a_workload_names_its_services(shop: Shop) -> None:
    result = CliRunner().invoke(app, ["show", "orders-api", "--fleet", str(shop.folder / "fleet.yaml")])

    assert result.exit_code == int(Exit.USAGE)
    assert '"prod/books/held", "prod/books/shelf", "prod/shop/cart", "prod/shop/orders"' in result.stderr


@pytest.mark.parametrize("code", Exit)
def test_explain_tells_of_every_exit_code_what_to_do(shop: Shop, code: Exit) -> None:
    assert shop.document("explain", str(int(code)))["remedy"]


@pytest.mark.parametrize("code", ["fargate", "role-shared", "drift", "6", "130", "Drift"])
def test_explain(shop: Shop, code: str) -> None:
    assert shop.document("explain", code)["code"] == code.lower()


def test_history(shop: Shop) -> None:
    assert "nothing has been done" in shop.run("history", "shop/orders")
    shop.remember(ORDERS, Status.DONE, Status.DONE)

    data = shop.document("history", "shop/orders")
    assert [(line["step"], line["status"]) for line in data["lines"]] == [
        (None, "begun"),
        ("agent", "done"),
        ("trust", "done"),
        (None, "done"),
    ]
    assert data["lines"][1]["before"] == {"was": "agent"}
    assert "before" not in shop.run("history", "shop/orders")
    assert 'before: {"was": "agent"}' in shop.run("history", "shop/orders", "--verbose")


def test_secrets_stay_hidden_in_every_form(shop: Shop) -> None:
    shop.remember(ORDERS, Status.DONE)
    for arguments in (["--verbose"], ["--output", "json"], ["--output", "yaml"]):
        text = shop.run("history", "shop/orders", *arguments)

        assert "c2VjcmV0" not in text
        assert "[hidden]" in text


def test_apply_dry_run_shows_and_does_nothing(shop: Shop) -> None:
    text = shop.run("apply", "--service", "orders", "--dry-run")

    assert "want attention" in text
    assert "2. trust" in text
    assert text.endswith("nothing was changed (--dry-run)\n")
    data = shop.document("apply", "--service", "orders", "--dry-run")
    assert (data["dry_run"], data["results"]) == (True, [])
    assert not (shop.folder / "state.db").exists()


def test_apply_refuses_what_is_blocked_or_on_hold(shop: Shop) -> None:
    data = shop.document("apply", "--service", "shelf", "--service", "held", "--yes", code=Exit.BLOCKED)

    assert [one["left_alone"].partition(";")[0] for one in data["intended"]] == ["blocked by fargate", "on hold"]
    assert [one["exit"]["name"] for one in data["results"]] == ["blocked", "blocked"]


def test_apply_wants_yes_where_nobody_can_answer(shop: Shop) -> None:
    result = CliRunner().invoke(app, ["apply", "--service", "orders", "--fleet", str(shop.folder / "fleet.yaml")])

    assert result.exit_code == int(Exit.USAGE)
    assert 'migrate: this changes the cloud, and stdin is no terminal to ask at; add "--yes"' in result.stderr
    assert not (shop.folder / "state.db").exists()


def test_rollback_of_what_was_never_applied_is_nothing_to_do(shop: Shop) -> None:
    data = shop.document("rollback", "--service", "orders")

    assert data["intended"][0]["left_alone"] == "nothing of ours is in place; nothing to do"
    assert data["exit"]["code"] == 0


def test_rollback_shows_only_what_is_ours(shop: Shop) -> None:
    shop.remember(ORDERS, Status.FOUND, Status.FOUND, Status.DONE, Status.DONE, Status.DONE, Status.DONE)

    data = shop.document("rollback", "--service", "orders", "--dry-run")
    assert [step["id"] for step in data["intended"][0]["steps"]] == ["annotation", "association", "restart", "verify"]


def test_rollback_needs_no_plan_file(shop: Shop) -> None:
    shop.remember(ORDERS, *[Status.DONE] * 6)
    PlanFiles(shop.folder / "plans").path(ORDERS).unlink()

    assert len(shop.document("rollback", "--service", "orders", "--dry-run")["intended"][0]["steps"]) == 5
    assert {one["service"]: one["verdict"] for one in shop.document("status")["services"]}["prod/shop/orders"] is None


def test_environment_variables_stand_in_for_options(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIGRATE_OUTPUT", "json")
    monkeypatch.setenv("MIGRATE_PLANS", str(shop.folder / "elsewhere"))

    assert json.loads(shop.run("status"))["services"] == []


def test_one_wrong_field_of_the_fleet_file_is_one_line(shop: Shop) -> None:
    (shop.folder / "fleet.yaml").write_text(FLEET + "plan: x\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["status", "--fleet", "fleet.yaml", "--log-format", "json"])

    line = json.loads(result.stderr)
    assert (result.exit_code, line["code"], line["exit"]) == (2, "document", 2)
    assert line["message"] == 'fleet.yaml:4: plan: unknown field; did you mean "plans"?'


HINTS: dict[str, tuple[list[str], str]] = {
    "[selector] matches nothing": (["--cluster", "test"], "no service is selected"),
    "[folder] is not there": (["--plans", "/nonexistent"], 'no folder of plans "/nonexistent"'),
}


@pytest.mark.parametrize(("arguments", "said"), HINTS.values(), ids=HINTS.keys())
def test_status_says_on_stderr_why_it_shows_nothing(shop: Shop, arguments: list[str], said: str) -> None:
    fleet = ["--fleet", str(shop.folder / "fleet.yaml")]
    shop.remember(ORDERS, *[Status.DONE] * 6)
    result = CliRunner().invoke(app, ["status", *arguments, *fleet])

    assert result.exit_code == 0
    assert said in result.stderr
    assert CliRunner().invoke(app, ["status", "--quiet", *arguments, *fleet]).stderr == ""
    as_json = CliRunner().invoke(app, ["status", "--log-format", "json", *arguments, *fleet]).stderr
    assert said in json.loads(as_json)["message"]
    assert CliRunner().invoke(app, ["status", *fleet]).stderr == ""


def test_status_says_where_the_state_file_would_be(shop: Shop) -> None:
    """A fleet file looked at from elsewhere, as in a container, would show a migrated fleet as merely planned."""
    told = CliRunner().invoke(app, ["status", "--fleet", str(shop.folder / "fleet.yaml")]).stderr

    assert f'nothing was ever carried out: there is no state file "{shop.folder / "state.db"}"' in told


def test_status_shows_people_the_local_user_alone(shop: Shop) -> None:
    shop.remember(ORDERS, *[Status.DONE] * 6)
    row = next(line for line in shop.run("status").splitlines() if line.startswith(str(ORDERS)))

    assert " ann" in row
    assert "arn:aws" not in row
