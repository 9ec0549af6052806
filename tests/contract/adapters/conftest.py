"""What the adapters' tests share: a cluster that says what it is told, and the fleet's accounts behind one endpoint."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from migrator.adapters.aws.sessions import AwsSessions
from migrator.adapters.kube.connection import KubeConnection
from migrator.adapters.kube.errors import Where
from migrator.adapters.kube.tls import trusting
from migrator.model.fleet import Account, Fleet, FleetCluster, SqliteState
from tests.contract.adapters.scripted import Said, Server, serving
from tests.contract.adapters.support import Time, Tokens, in_turn


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(in_turn(Said())) as running:
        yield running


@pytest.fixture
def connection(server: Server, time: Time, tokens: Tokens) -> Iterator[KubeConnection]:
    where = Where(cluster="prod", endpoint=server.url)
    made = KubeConnection(where=where, context=trusting(server.ca_pem), auth=tokens, retry=time.retry)
    yield made
    made.close()


@pytest.fixture
def cloud() -> Iterator[Server]:
    with serving(in_turn(Said()), tls=False) as running:
        yield running


@pytest.fixture
def sessions(cloud: Server, time: Time, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AwsSessions:
    """Account 1111... by profile `home`, 2222... by a role assumed from it, anything else by nothing."""
    keys = "aws_access_key_id = AKIAHOME\naws_secret_access_key = made-up\n"
    (tmp_path / "config").write_text(f"[profile home]\nregion = us-east-1\nendpoint_url = {cloud.url}\n{keys}")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    accounts = (
        Account(id="111111111111", profile="home"),
        Account(id="222222222222", profile="home", role="arn:aws:iam::222222222222:role/ops", external_id="x-1"),
        Account(id="333333333333", profile="nowhere"),
    )
    clusters = tuple(
        FleetCluster(alias=alias, name=f"eks-{alias}", region="us-east-1", account=account)
        for alias, account in (("home", "111111111111"), ("away", "222222222222"))
    )
    fleet = Fleet(
        file=tmp_path / "fleet.yaml",
        state=SqliteState(tmp_path / "state.db"),
        plans=tmp_path / "plans",
        clusters=clusters,
        accounts=accounts,
    )
    return AwsSessions(fleet, retry=time.retry)
