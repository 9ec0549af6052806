"""A runner that has lost a lock changes nothing more: not by a first attempt, and not by another."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from migrator.adapters.aws.iam import IamRoles
from migrator.adapters.aws.sessions import AwsSessions
from migrator.adapters.fence import Fence
from migrator.adapters.kube.connection import KubeConnection
from migrator.adapters.kube.errors import Where
from migrator.adapters.kube.tls import trusting
from migrator.model.errors import Locked
from migrator.model.journal import Holder
from tests.contract.adapters.scripted import Said, Server
from tests.contract.adapters.support import Time, Tokens, in_turn, status
from tests.contract.adapters.test_aws import TRUST, Cloud, arn, fault


class Taken:
    """Locks that another runner takes over after so many renewals."""

    def __init__(self, lasts: int) -> None:
        self.left = lasts

    @contextmanager
    def held(self, key: str, *, doing: str) -> Iterator[None]:
        raise NotImplementedError

    def renew(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Locked('"service:prod/shop/web" was taken over', remedy="look at migrate status")

    def holders(self) -> Sequence[Holder]:
        raise NotImplementedError


@pytest.mark.parametrize("lasts", [0, 1, 2])
def test_aws_is_changed_only_while_the_locks_are_held(cloud: Server, sessions: AwsSessions, lasts: int) -> None:
    asked = Cloud({"web": TRUST})
    cloud.answer = asked
    roles = IamRoles(sessions)
    role = roles.role(arn("web"))
    assert role is not None
    asked.first = lambda said: fault("ServiceFailure", 503) if said.asked[-1] == "UpdateAssumeRolePolicy" else None

    with sessions.fence.by(Taken(lasts)), pytest.raises(Locked, match="taken over"):
        roles.write_trust(role, '{"Version": "2012-10-17", "Statement": []}')

    assert asked.asked.count("UpdateAssumeRolePolicy") == lasts


def test_to_look_needs_no_lock(cloud: Server, sessions: AwsSessions) -> None:
    cloud.answer = Cloud({"web": TRUST})
    with sessions.fence.by(Taken(0)):
        assert IamRoles(sessions).role(arn("web")) is not None


def test_whoever_holds_no_lock_is_asked_for_none(cloud: Server, sessions: AwsSessions) -> None:
    cloud.answer = Cloud({"web": TRUST})
    roles = IamRoles(sessions)
    with sessions.fence.by(Taken(0)):
        pass
    role = roles.role(arn("web"))
    assert role is not None
    roles.write_trust(role, '{"Version": "2012-10-17", "Statement": []}')


@pytest.mark.parametrize("lasts", [0, 1, 2])
def test_a_cluster_is_changed_only_while_the_locks_are_held(
    server: Server, time: Time, tokens: Tokens, lasts: int
) -> None:
    server.answer = in_turn(status(503, "ServiceUnavailable"))
    fence, where = Fence(), Where(cluster="prod", endpoint=server.url)
    trusted = trusting(server.ca_pem)
    connection = KubeConnection(where=where, context=trusted, auth=tokens, retry=time.retry, fence=fence)

    with fence.by(Taken(lasts)), pytest.raises(Locked, match="taken over"):
        connection.run(lambda: connection.once("PATCH", "/apis/apps/v1/x", body={}), doing="restarting")

    assert len(server.asked) == lasts
    connection.close()


def test_a_dry_run_needs_no_lock(server: Server, connection: KubeConnection) -> None:
    server.answer = in_turn(Said(201))
    with connection._fence.by(Taken(0)):
        connection.once("POST", "/api/v1/namespaces/shop/pods", query={"dryRun": "All"}, body={})
    assert len(server.asked) == 1
