"""Every request is counted where it passes: throttled ones, ones made again, lost ones; and an account's rate holds."""

import json
from pathlib import Path

import pytest

from migrator.adapters.aws.iam import IamRoles
from migrator.adapters.aws.sessions import AwsSessions
from migrator.adapters.kube.connection import KubeConnection
from migrator.adapters.kube.errors import Where
from migrator.adapters.kube.execute import run_in
from migrator.adapters.kube.tls import trusting
from migrator.adapters.rate import Rate
from migrator.model.errors import EnvironmentFault
from migrator.model.facts import Container, Pod, PodSpec
from migrator.model.meter import KUBERNETES, Api, Calls, Meter
from tests.contract.adapters.scripted import Said, Server
from tests.contract.adapters.support import Time, Tokens, in_turn, status
from tests.contract.adapters.test_aws import AWAY, HOME, TRUST, Cloud, arn, fault
from tests.fakes.running import FakeClock

PROD = Api("prod", KUBERNETES)


def test_each_account_and_service_has_its_count(cloud: Server, sessions: AwsSessions) -> None:
    cloud.answer = Cloud({"web": TRUST})
    roles = IamRoles(sessions)
    roles.role(arn("web"))
    roles.role(arn("web"))
    sessions.identity(AWAY)

    assert sessions.meter.counts() == {
        Api(HOME, "iam"): Calls(made=2),
        Api(HOME, "sts"): Calls(made=1),
        Api(AWAY, "sts"): Calls(made=2),  # the role is assumed, then asked who it is
    }


def test_throttles_and_tries_are_told_apart(cloud: Server, sessions: AwsSessions) -> None:
    said = [fault("Throttling"), Said(lost=True), fault("ServiceFailure", 503)]
    cloud.answer = Cloud({"web": TRUST}, first=lambda _cloud: said.pop(0) if said else None)
    assert IamRoles(sessions).role(arn("web")) is not None

    assert sessions.meter.counts()[Api(HOME, "iam")] == Calls(made=4, throttled=1, retried=3)


def test_a_refusal_is_no_throttle_and_is_not_tried_again(cloud: Server, sessions: AwsSessions) -> None:
    cloud.answer = Cloud()
    assert IamRoles(sessions).role(arn("web")) is None

    assert sessions.meter.counts()[Api(HOME, "iam")] == Calls(made=1)


def test_the_rate_of_an_account_holds_over_its_services(cloud: Server, sessions: AwsSessions, tmp_path: Path) -> None:
    cloud.answer = Cloud({"web": TRUST})
    clock, meter = FakeClock(), Meter()
    limited = AwsSessions(sessions.fleet, retry=sessions.retry, meter=meter, rate=Rate(2, clock))
    roles = IamRoles(limited)
    for _ in range(5):
        roles.role(arn("web"))

    counts = meter.counts()
    assert counts[Api(HOME, "sts")] == Calls(made=1)
    assert counts[Api(HOME, "iam")] == Calls(made=5, held=2.0)  # two of six at once, then one every half second
    assert clock.monotonic() == 2.0


def test_the_store_waits_for_nobody(cloud: Server, sessions: AwsSessions) -> None:
    clock = FakeClock()
    limited = AwsSessions(sessions.fleet, retry=sessions.retry, rate=Rate(1, clock))
    cloud.answer = in_turn(Said(body=json.dumps({"TableNames": []}).encode()))
    client = limited._account(HOME).client("us-east-1", "dynamodb")
    for _ in range(5):
        client.list_tables()

    assert limited.meter.counts() == {Api(HOME, "dynamodb"): Calls(made=5)}
    assert clock.monotonic() == 0.0


@pytest.fixture
def counted(server: Server, time: Time, tokens: Tokens) -> tuple[KubeConnection, Meter]:
    meter = Meter()
    where = Where(cluster="prod", endpoint=server.url)
    made = KubeConnection(where=where, context=trusting(server.ca_pem), auth=tokens, retry=time.retry, meter=meter)
    return made, meter


def test_an_api_server_has_its_count(server: Server, counted: tuple[KubeConnection, Meter]) -> None:
    connection, meter = counted
    server.answer = in_turn(
        status(429, "TooManyRequests"),
        Said(lost=True),
        status(503, "ServiceUnavailable"),
        Said(),
        status(404, "NotFound"),
    )
    connection.get("/x", doing="trying")
    assert connection.find("/y", doing="looking") is None
    connection.close()

    assert meter.counts() == {PROD: Calls(made=5, throttled=1, retried=3)}
    assert len(server.asked) == 5


def test_a_renewed_token_is_a_second_call(server: Server, counted: tuple[KubeConnection, Meter]) -> None:
    connection, meter = counted
    server.answer = in_turn(status(401, "Unauthorized"), Said())
    connection.get("/x", doing="trying")
    connection.close()

    assert meter.counts() == {PROD: Calls(made=2)}


def test_a_disruption_budget_is_no_throttle(server: Server, counted: tuple[KubeConnection, Meter]) -> None:
    connection, meter = counted
    said = "Cannot evict pod as it would violate the pod's disruption budget."
    server.answer = in_turn(status(429, "TooManyRequests", said), Said())
    connection.get("/x", doing="trying")
    connection.close()

    assert meter.counts() == {PROD: Calls(made=2, retried=1)}


def test_a_command_in_a_pod_is_a_call(server: Server, counted: tuple[KubeConnection, Meter]) -> None:
    connection, meter = counted
    server.answer = in_turn(status(403, "Forbidden"))
    pod = Pod(namespace="shop", name="web-1", uid="u", spec=PodSpec(containers=(Container(name="main", image="web"),)))
    with pytest.raises(EnvironmentFault):
        run_in(connection, pod, "main", ["true"], 5)
    connection.close()

    assert meter.counts() == {PROD: Calls(made=1)}
