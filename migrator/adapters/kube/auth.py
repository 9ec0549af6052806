"""Who we are to a cluster: a bearer token that is renewed before it expires, and once more after a refusal."""

from typing import Protocol

from migrator.adapters.aws.sessions import AwsSessions
from migrator.adapters.aws.token import EksToken
from migrator.model.errors import CredentialsExpired, EnvironmentFault, MigrateError
from migrator.model.fleet import FleetCluster


class Auth(Protocol):
    """Supplies the Authorization header of one cluster; thread-safe."""

    def header(self) -> str:
        """The header's value; empty when a client certificate speaks for us."""
        ...

    def renew(self, refused: str) -> None:
        """Called once after a 401, with the header that was refused."""
        ...

    def complaint(self, *, worked: bool) -> MigrateError:
        """What a 401 after renewal means.

        Args:
            worked: whether the connection was accepted earlier in this run.
        """
        ...


class EksAuth:
    """A token signed with STS, straight from the account's credentials."""

    def __init__(self, cluster: FleetCluster, sessions: AwsSessions, token: EksToken) -> None:
        self._cluster = cluster
        self._sessions = sessions
        self._token = token

    def header(self) -> str:
        """`Bearer k8s-aws-v1. ...`."""
        return f"Bearer {self._token.current()}"

    def renew(self, refused: str) -> None:
        """Signs anew at the next header."""
        self._token.forget(refused.removeprefix("Bearer "))

    def complaint(self, *, worked: bool) -> MigrateError:
        """Expired credentials if AWS says so now, or if the cluster let us in before; else it does not know us."""
        try:
            who = self._sessions.identity(self._cluster.account, self._cluster.region, afresh=True)
        except MigrateError as error:
            return error
        if worked:
            text = f'cluster "{self._cluster.alias}" let "{who.arn}" in before, and does not any more'
            return CredentialsExpired(text, remedy="renew the credentials, then run the same command again")
        return EnvironmentFault(
            f'cluster "{self._cluster.alias}" does not let "{who.arn}" in',
            remedy="give it an access entry on the cluster, and the permissions it needs there",
        )
