"""DynamoDB's own: lost answers, throttling, tables that cannot serve, and what each of it is told as."""

import itertools
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from time import sleep
from typing import Any

import pytest

from migrator.lab.aws.front import AwsFront
from migrator.lab.aws.wire import Request
from migrator.model.errors import CredentialsExpired, Locked, MigrateError, NotPermitted, RecordFault, StoreFault
from migrator.model.fleet import DynamoState
from migrator.model.journal import Outcome
from migrator.model.ports.running import Closing
from migrator.store.dynamo.journal import DynamoJournal
from migrator.store.dynamo.lease import LEASES, Taking
from migrator.store.dynamo.locks import DynamoLocks
from migrator.store.dynamo.making import TTL, Maker
from migrator.store.dynamo.table import Table, key
from migrator.store.dynamo.time import ServerTime, monotonic
from migrator.store.dynamo.values import number, text
from tests.contract.store.conftest import Trouble
from tests.contract.store.samples import CART, LOCK, RUN, SERVICE, at, record, run
from tests.contract.store.stores import ACCOUNT, REGION, Opened, Side, sessions

WRITES: dict[str, Callable[[Opened], Any]] = {
    "begin": lambda store: store.journal.begin(run("r2", CART)),
    "begin, closing": lambda store: store.journal.begin(
        run("r2", second=5), Closing(run="r1", outcome=Outcome.FAILED, note="drift")
    ),
    "record": lambda store: store.journal.record(record("association")),
    "end": lambda store: store.journal.end("r1", Outcome.DONE, "", at(9)),
}


@pytest.fixture
def side(table: Callable[..., Side]) -> Side:
    return table()


@pytest.fixture
def store(side: Side) -> Iterator[Opened]:
    with side.opened() as opened:
        yield opened


@pytest.fixture
def at_work(store: Opened) -> Iterator[Opened]:
    with store.at_work(RUN), store.at_work(run("r2", CART)):
        store.journal.begin(RUN)
        store.journal.record(record("trust"))
        yield store


def content(side: Side, store: Opened) -> list[Any]:
    """All that the journal tells, and how many items tell it."""
    journal = store.journal
    return [
        *(journal.runs(service) for service in (SERVICE, CART)),
        *(journal.history(service) for service in (SERVICE, CART)),
        *(journal.recent(step, "") for step in ("trust", "association")),
        journal.open_runs(),
        journal.ended(""),
        journal.states(),
        journal.marks(""),
        len(side.table().call("scan")["Items"]),
    ]


def told(work: Callable[[], object], kind: type[MigrateError] = StoreFault) -> str:
    """The one sentence that it ends with."""
    with pytest.raises(kind) as caught:
        work()
    assert type(caught.value) is kind
    assert "\n" not in caught.value.sentence()
    return caught.value.sentence()


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("cut", ["before", "after"])
@pytest.mark.parametrize("write", WRITES)
def test_a_write_whose_answer_is_lost_is_made_once(
    table: Callable[..., Side], trouble: Trouble, write: str, cut: str, times: int
) -> None:
    found = []
    for disturbed in (False, True):
        side = table()
        with side.opened() as store, store.at_work(RUN), store.at_work(run("r2", CART)):
            store.journal.begin(RUN)
            store.journal.record(record("trust"))
            if disturbed:
                trouble.drop("TransactWriteItems", cut, times)
            WRITES[write](store)
            store.locks.renew()
            found.append(content(side, store))
    assert trouble.struck == ["TransactWriteItems"] * times
    assert found[0] == found[1]


def test_it_is_made_once_even_where_no_token_tells(
    at_work: Opened, trouble: Trouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After ten minutes DynamoDB has forgotten the token: what is there tells."""
    tokens = itertools.count()
    plain = Table.call

    def anew(self: Table, operation: str, **given: Any) -> Any:
        client: Any = self._client
        if operation == "transact_write_items":
            send = client.transact_write_items
            monkeypatch.setattr(
                client, operation, lambda **asked: send(**{**asked, "ClientRequestToken": f"t{next(tokens)}"})
            )
            try:
                return plain(self, operation, **given)
            finally:
                monkeypatch.setattr(client, operation, send)
        return plain(self, operation, **given)

    monkeypatch.setattr(Table, "call", anew)
    for write in ("record", "end", "begin"):
        trouble.drop("TransactWriteItems", "after")
        WRITES[write](at_work)
    assert list(at_work.journal.records("r1")) == ["trust", "association"]
    assert [one.id for one in at_work.journal.ended("")] == ["r1"]
    assert [one.id for one in at_work.journal.open_runs()] == ["r2"]
    assert next(tokens) == 6


@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_lock_is_taken_renewed_and_given_back_once(store: Opened, trouble: Trouble, cut: str) -> None:
    trouble.drop("UpdateItem", cut)
    with store.locks.held("k", doing="apply"):
        trouble.drop("UpdateItem", cut)
        store.locks.renew()
        assert [holder.key for holder in store.locks.holders()] == ["k"]
        trouble.drop("UpdateItem", cut)
    assert store.locks.holders() == []
    assert trouble.struck == ["UpdateItem"] * 3


@pytest.mark.parametrize("cut", ["before", "after"])
def test_reads_and_marks_survive_lost_connections(at_work: Opened, trouble: Trouble, cut: str) -> None:
    for operation in ("GetItem", "Query", "BatchGetItem", "PutItem"):
        trouble.drop(operation, cut)
    at_work.journal.mark("m", 1, at(1))
    assert [one.id for one in at_work.journal.runs(SERVICE)] == ["r1"]
    assert at_work.journal.run("r1") == RUN
    assert sorted(trouble.struck) == ["BatchGetItem", "GetItem", "PutItem", "Query"]


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("TransactWriteItems", "ProvisionedThroughputExceededException"),
        ("TransactWriteItems", "TransactionInProgressException"),
        ("TransactWriteItems", "ThrottlingException"),
        ("UpdateItem", "TransactionConflictException"),
    ],
)
def test_throttled_calls_are_made_again(at_work: Opened, trouble: Trouble, operation: str, code: str) -> None:
    trouble.refuse(operation, code, times=4)
    at_work.journal.record(record("association"))
    at_work.locks.renew()
    assert len(trouble.struck) == 4
    assert list(at_work.journal.records("r1")) == ["trust", "association"]


def test_throttled_for_good_is_one_sentence(at_work: Opened, trouble: Trouble) -> None:
    trouble.refuse("TransactWriteItems", "ThrottlingException", times=99)
    said = told(lambda: at_work.journal.record(record("association")))
    assert "went on failing with ThrottlingException" in said
    assert 'the table "store-' in said
    assert list(at_work.journal.records("r1")) == ["trust"]


def test_expired_credentials_stop_at_a_checkpoint(at_work: Opened, trouble: Trouble) -> None:
    trouble.refuse("TransactWriteItems", "ExpiredTokenException")
    said = told(lambda: at_work.journal.record(record("association")), CredentialsExpired)
    assert "renew the credentials" in said
    at_work.journal.record(record("association"))  # renewed: it goes on


def test_a_permission_that_is_missing_is_named(side: Side, front: AwsFront) -> None:
    import boto3  # noqa: PLC0415

    state = side.state
    assert isinstance(state, DynamoState)
    admin: Any = boto3.Session(profile_name="home").client("iam")
    who = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": who})
    may = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "*"}}'
    role = admin.create_role(RoleName="reader", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    admin.put_role_policy(RoleName="reader", PolicyName="p", PolicyDocument=may)
    reader = sessions(**{ACCOUNT: role})
    reader.fleet = replace(reader.fleet, accounts=reader.fleet.accounts[2:])
    table = Table(reader.dynamodb(ACCOUNT, REGION), reader, state)
    table.check()

    said = told(lambda: table.put({**key(("a", "b"))}), NotPermitted)
    assert "dynamodb:PutItem is not permitted" in said
    assert 'allow "dynamodb:PutItem"' in said


def in_another(side: Side, *, table: str = "", region: str = REGION) -> Side:
    assert isinstance(side.state, DynamoState)
    return Side(replace(side.state, table=table or side.state.table, region=region))


def test_a_missing_table_and_a_wrong_region_are_one_sentence(side: Side) -> None:
    for other in ({"table": "nowhere"}, {"region": "eu-west-1"}):
        said = told(in_another(side, **other).table().check)
        assert said.endswith(
            'does not exist; check "state.dynamodb" in the fleet file (region, account), or make it: migrate store init'
        )
        assert all(value in said for value in other.values())


def test_a_table_of_another_format_or_program_is_one_sentence(side: Side) -> None:
    table = side.table()
    table.put({**key(("store", "format")), "format": number(9)})
    assert "has format 9, this program writes format 1" in told(table.check)
    table.call("delete_item", Key=key(("store", "format")))
    assert "holds no state of migrate; make it one: migrate store init" in told(table.check)


def test_a_damaged_item_is_named(at_work: Opened, side: Side) -> None:
    table = side.table()
    item = table.get("run#r1", "run")
    assert item is not None
    for damage in ({"outcome": text("odd")}, {"plan": {"B": b"rubbish"}}, {"plan": text("{")}, {"host": number(1)}):
        table.put({**item, **damage})
        said = told(at_work.journal.open_runs)
        assert 'is damaged: item "run#r1/run" cannot be read' in said


def test_what_does_not_fit_is_refused_in_one_sentence_and_nothing_is_written(at_work: Opened, side: Side) -> None:
    noise = os.urandom(500_000).hex()
    before = content(side, at_work)
    said = told(lambda: at_work.journal.begin(replace(run("r2", CART), plan=noise)), RecordFault)
    assert f'the plan of "{CART}" needs ' in said
    assert "an item of DynamoDB holds 409600" in said
    assert 'step "trust" of run "r1" needs' in told(
        lambda: at_work.journal.record(replace(record("trust"), image=noise)), RecordFault
    )
    assert 'the mark "m" needs' in told(lambda: at_work.journal.mark("m", noise, at(1)), RecordFault)
    assert content(side, at_work) == before


def test_nothing_is_written_without_the_lock(store: Opened) -> None:
    assert f'"{LOCK}" is not held here' in told(lambda: store.journal.begin(RUN), Locked)
    with store.at_work(RUN):
        store.journal.begin(RUN)
    assert "is not held here" in told(lambda: store.journal.record(record("trust")), Locked)
    assert "is not held here" in told(lambda: store.journal.end("r1", Outcome.DONE, "", at(1)), Locked)


def test_tokens_only_grow_and_outlive_their_lease(side: Side) -> None:
    tokens = []
    for _ in range(3):
        with side.opened() as store, store.locks.held("k", doing="apply"):
            item = side.table().get(LEASES, "k")
            assert item is not None
            tokens.append(int(item["token"]["N"]))
    assert sorted(set(tokens)) == tokens


def test_a_token_is_greater_than_all_of_a_lease_that_was_forgotten() -> None:
    taking = Taking(key="k", owner="o", host="h", pid=1, doing="d", now=1e9, expires=1e9, seen=None)
    later = replace(taking, now=1e9 + 86400)
    assert later.token > replace(taking, seen={"token": number(taking.token)}).token > taking.token


def test_only_leases_expire(at_work: Opened, side: Side) -> None:
    at_work.journal.mark("m", 1, at(1))
    at_work.journal.end("r1", Outcome.DONE, "", at(2))
    mortal = {item["pk"]["S"] for item in side.table().call("scan")["Items"] if TTL in item}
    assert mortal == {LEASES}


def test_making_a_table_is_repeatable_and_says_what_lacks(front: AwsFront, trouble: Trouble) -> None:
    state = DynamoState(table="made-twice", region=REGION, account=ACCOUNT)
    table = Side(state).table()
    for operation in ("CreateTable", "UpdateContinuousBackups", "UpdateTimeToLive", "PutItem"):
        trouble.drop(operation, "after")
    maker = Maker(table, lambda _seconds: None)
    assert [deed.title.partition(":")[0] for deed in maker.missing()] == [
        "create it",
        "turn on point-in-time recovery",
        "let the leases expire, and nothing else",
        "mark it as a store of format 1",
    ]
    for deed in maker.missing():
        deed.do()
    assert len(trouble.struck) == 4
    assert maker.missing() == []
    found = table.call("describe_table")["Table"]
    assert found["DeletionProtectionEnabled"] is True
    assert found["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    table.call("update_table", DeletionProtectionEnabled=False)
    assert [deed.title for deed in maker.missing()] == ["protect it against deletion"]


def test_a_table_of_somebody_else_is_left_alone(side: Side) -> None:
    table, maker = side.table(), Maker(side.table(), lambda _seconds: None)
    table.call("delete_item", Key=key(("store", "format")))
    table.put(key(("somebody", "else")))
    assert "holds something else already" in told(maker.missing)
    table.call("update_time_to_live", TimeToLiveSpecification={"Enabled": True, "AttributeName": "gone"})
    assert 'expire by "gone"' in told(maker.missing)


def test_machines_whose_clocks_are_hours_apart_respect_each_other(table: Callable[..., Side]) -> None:
    """Each counts its own seconds from its own beginning; what time it is, both learn from the table."""
    side = table(2.0)
    early, late = (
        (DynamoLocks(one, who, length=2.0), one) for who, one in (("early", side.table()), ("late", side.table()))
    )
    early[1].time = ServerTime(lambda: monotonic() - 9e4)
    late[1].time = ServerTime(lambda: monotonic() + 9e4)
    for mine, other in ((early[0], late[0]), (late[0], early[0])):
        with mine.held("k", doing="apply"):
            sleep(2.2)  # longer than a lease: the heartbeat renews it by the right time
            with pytest.raises(Locked):
                other.held("k", doing="apply").__enter__()
            mine.renew()
        assert other.holders() == []
    for locks, _ in (early, late):
        locks.close()


@pytest.mark.parametrize("stolen", [False, True], ids=["[still ours]", "[taken meanwhile]"])
def test_a_write_that_takes_longer_than_its_lease_is_followed_by_a_renewal(
    side: Side, front: AwsFront, stolen: bool
) -> None:
    """The record is durable, but whoever goes on after it must still hold the lease."""
    passed = [0.0]
    table = side.table()
    table.time = ServerTime(lambda: monotonic() + passed[0])
    locks = DynamoLocks(table, "slow", length=60.0)
    journal = DynamoJournal(table, locks)

    def slowly(request: Request, _answer: object) -> None:
        if request.action == "TransactWriteItems":
            passed[0] += 61
            if stolen:
                side.steal(LOCK)

    with locks.held(LOCK, doing="apply"):
        journal.begin(RUN)
        front.after_hooks.append(slowly)
        try:
            if stolen:
                with pytest.raises(Locked, match="took over"):
                    journal.record(record("trust"))
            else:
                journal.record(record("trust"))
        finally:
            front.after_hooks.remove(slowly)
    locks.close()
    assert list(journal.records("r1")) == ["trust"]
    renewed = [call.operation for call in front.calls if call.params.get("TableName") == table.state.table]
    assert "UpdateItem" in renewed[-4:]
