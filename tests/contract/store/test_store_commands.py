"""`migrate store` over both stores, as a user calls it."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner, Result

from migrator.cli.app import app
from migrator.lab.aws.calls import Call
from migrator.lab.aws.front import AwsFront
from migrator.model.exits import Exit
from migrator.model.fleet import DynamoState
from migrator.model.journal import Outcome
from migrator.store.dynamo.describing import policy
from migrator.store.dynamo.journal import DynamoJournal
from migrator.store.dynamo.locks import DynamoLocks
from migrator.store.dynamo.table import Table, key
from tests.contract.store.samples import LOCK, RUN, SERVICE, at, record
from tests.contract.store.stores import ACCOUNT, REGION, Side, sessions

ONE = (
    '{"format": "irsa-migrator state", "version": 1, "runs": 0, "records": 0, "marks": 1}\n'
    '{"kind": "mark", "key": "k", "data": 1, "at": "t"}\n'
)
Migrate = Callable[..., Result]


@pytest.fixture
def migrate(front: AwsFront, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Migrate:
    """`migrate(state, *arguments)`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_PROFILE", "home")

    def run(state: str, *arguments: str) -> Result:
        clusters = f'clusters: [{{alias: prod, region: {REGION}, account: "{ACCOUNT}"}}]'
        Path("fleet.yaml").write_text(f"version: 1\nstate: {state}\n{clusters}\n", encoding="utf-8")
        return CliRunner().invoke(app, [*arguments])

    return run


def table_of(name: str) -> str:
    return f"{{dynamodb: {{table: {name}, region: {REGION}}}}}"


def document(result: Result) -> Any:
    assert result.exit_code == Exit.DONE, result.output
    return json.loads(result.stdout)


def test_init_shows_makes_and_then_has_nothing_to_do(migrate: Migrate) -> None:
    state = table_of("by-command")
    shown = migrate(state, "store", "init", "--dry-run")
    assert "this would be done\n  create it: on-demand, with protection against deletion" in shown.stdout
    asked = migrate(state, "store", "init")
    assert (asked.exit_code, "stdin is no terminal" in asked.stderr) == (Exit.USAGE, True)
    missing = migrate(state, "status")
    assert (missing.exit_code, missing.stderr.count("\n")) == (Exit.ERROR, 1)
    assert "does not exist; check" in missing.stderr

    made = document(migrate(state, "store", "init", "--yes", "--output", "json"))
    assert (made["done"], len(made["deeds"])) == (True, 4)
    again = document(migrate(state, "store", "init", "--yes", "--output", "json"))
    assert (again["done"], again["deeds"]) == (False, [])
    assert "nothing to do" in migrate(state, "store", "init").stdout
    assert migrate(state, "status").exit_code == Exit.DONE


def test_a_state_file_needs_no_making(migrate: Migrate) -> None:
    assert "nothing to do" in migrate("{sqlite: state.db}", "store", "init").stdout
    assert not Path("state.db").exists()
    refused = migrate("{sqlite: state.db}", "store", "describe")
    assert (refused.exit_code, 'a table is named by "state.dynamodb"' in refused.stderr) == (Exit.USAGE, True)


def test_describe_tells_terraform_and_the_api(migrate: Migrate) -> None:
    hcl = migrate(table_of("fleet"), "store", "describe").stdout
    told = document(migrate(table_of("fleet"), "store", "describe", "--output", "json"))
    assert 'name                        = "fleet"' in hcl
    assert hcl.count("{") == hcl.count("}")
    assert all(f'"{action}"' in hcl for one in told["policy"]["Statement"] for action in one["Action"])
    assert told["table"]["TimeToLiveSpecification"] == {"Enabled": True, "AttributeName": "ttl"}
    assert told["policy"]["Statement"][0]["Resource"] == f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/fleet"


def test_export_and_import_between_kinds(migrate: Migrate, table: Callable[..., Side]) -> None:
    side, new = table(), table()
    assert isinstance(side.state, DynamoState)
    assert isinstance(new.state, DynamoState)
    with side.opened() as store, store.at_work(RUN):
        store.journal.begin(RUN)
        store.journal.record(record("trust"))
    old = table_of(side.state.table)
    assert '1 runs, 1 records, 0 marks from the table "' in migrate(old, "store", "export", "a.jsonl").stdout
    assert migrate(old, "store", "export", "-").stdout == Path("a.jsonl").read_text(encoding="utf-8")
    counts = document(migrate("{sqlite: s.db}", "store", "import", "a.jsonl", "--output", "json"))["counts"]
    assert counts == {"runs": 1, "records": 1, "marks": 0}
    migrate("{sqlite: s.db}", "store", "export", "b.jsonl")
    assert migrate(table_of(new.state.table), "store", "import", "b.jsonl").exit_code == Exit.DONE
    migrate(table_of(new.state.table), "store", "export", "c.jsonl")
    assert Path("a.jsonl").read_bytes() == Path("b.jsonl").read_bytes() == Path("c.jsonl").read_bytes()


def test_what_cannot_be_moved_is_one_sentence_and_leaves_nothing(migrate: Migrate) -> None:
    state = "{sqlite: s.db}"
    Path("there").touch()
    cases = {
        ("import", "none"): (Exit.USAGE, "none: it cannot be read: No such file or directory"),
        ("import", "there"): (Exit.USAGE, "there:1: it is no line of JSON"),
        ("export", "new"): (Exit.ERROR, "No such file or directory"),
    }
    for arguments, (code, says) in cases.items():
        ended = migrate(state, "store", *arguments)
        assert (ended.exit_code, says in ended.stderr, ended.stderr.count("\n")) == (code, True, 1), ended.stderr
    assert sorted(path.name for path in Path().iterdir()) == ["fleet.yaml", "there"]
    Path("empty").write_text(
        '{"format": "irsa-migrator state", "version": 1, "runs": 0, "records": 0, "marks": 0}\n', encoding="utf-8"
    )
    migrate(state, "store", "import", "empty")
    refused = {
        "there": (Exit.USAGE, '"there" is there already; name a new file'),
        "": (Exit.USAGE, '"" is no name of a file; name a new file, or - for stdout'),
        "/": (Exit.USAGE, '"/" is no name of a file; name a new file, or - for stdout'),
        "none/new": (Exit.ERROR, 'cannot write "none/new": No such file or directory'),
        "n" * 300: (Exit.ERROR, f'cannot write "{"n" * 300}": File name too long'),
    }
    for name, (code, says) in refused.items():
        ended = migrate(state, "store", "export", name)
        assert (ended.exit_code, ended.stderr) == (code, f"migrate: {says}\n")
    longest = "n" * 255
    assert migrate(state, "store", "export", longest).exit_code == Exit.DONE
    assert {path.name for path in Path().iterdir() if path.suffix == ".new"} == set()


def test_the_policy_is_enough_and_no_more(migrate: Migrate, front: AwsFront) -> None:
    """All of it by a role that may do just this, and there is no action that it does not use."""
    admin: Any = boto3.Session(profile_name="home").client("iam")
    who = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": who})
    role = admin.create_role(RoleName="worker", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    side = Side(DynamoState(table="least", region=REGION, account=ACCOUNT))
    assert isinstance(side.state, DynamoState)
    allowed = policy(side.state)
    admin.put_role_policy(RoleName="worker", PolicyName="p", PolicyDocument=json.dumps(allowed))
    given = f'{table_of("least")}\naccounts: [{{id: "{ACCOUNT}", profile: home, role: "{role}"}}]'
    assert migrate(given, "store", "init", "--yes").exit_code == Exit.DONE
    _strip(side.table())
    assert migrate(given, "store", "init", "--yes").exit_code == Exit.DONE
    Path("one").write_text(ONE, encoding="utf-8")
    assert migrate(given, "store", "import", "one").exit_code == Exit.DONE
    worker = sessions(**{ACCOUNT: role})
    worker.fleet = replace(worker.fleet, accounts=worker.fleet.accounts[2:])
    table = Table(worker.dynamodb(ACCOUNT, REGION), worker, side.state)
    locks = DynamoLocks(table, "worker", length=60)
    journal = DynamoJournal(table, locks)
    with locks.held(LOCK, doing="apply"):
        journal.begin(RUN)
        journal.record(record("trust"))
        assert len(journal.recent("trust", "")) == len(journal.runs(SERVICE)) == 1
        journal.end(RUN.id, Outcome.DONE, "", at(1))
    locks.close()

    used: set[str] = set()
    for call in front.calls:
        if call.service == "dynamodb" and "/worker/" in call.caller_arn:
            used.update(_actions(call))
    assert used == {action for one in allowed["Statement"] for action in one["Action"]}


def _strip(table: Table) -> None:
    """Takes from a table what makes it ours."""
    table.call("update_table", DeletionProtectionEnabled=False)
    table.call("delete_item", Key=key(("store", "format")))


def _actions(call: Call) -> set[str]:
    kinds = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem"}
    if call.operation == "TransactWriteItems":
        return {f"dynamodb:{kinds[kind]}" for one in call.params["TransactItems"] for kind in one}
    return {f"dynamodb:{call.operation}"}
