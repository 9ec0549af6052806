"""Which clusters EKS lists, and what the AWS configuration says of regions."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from botocore.session import Session

from migrator.adapters.aws.sessions import AwsSessions

PARTITIONS = ("aws", "aws-cn", "aws-us-gov")
_PAGE = 100
_WILD = frozenset("*?[")


class Discovery:
    """Reads nothing but lists; thread-safe."""

    def __init__(self, sessions: AwsSessions) -> None:
        self._sessions = sessions

    def clusters(self, account: str, region: str) -> list[str]:
        """The names of the clusters there, those that are merely connected left out.

        Raises:
            EnvironmentFault: the account is not reached there, or does not let us list, or goes on throttling.
            CredentialsExpired: they ran out.
        """
        eks = self._sessions.eks(account, region)
        doing = f'listing the clusters of account "{account}" in "{region}"'
        found: list[str] = []
        token: dict[str, Any] = {}
        while True:
            page = partial(eks.list_clusters, maxResults=_PAGE, **token)
            answer = self._sessions.run(page, doing=doing, service="eks")
            found += answer["clusters"]
            if not answer.get("nextToken"):
                return found
            token = {"nextToken": answer["nextToken"]}


def home_region(sessions: AwsSessions, profile: str) -> str:
    """The region that the environment, or the profile in the AWS configuration, names; empty if none does.

    Raises:
        EnvironmentFault: there is no such profile.
    """
    session = Session(profile=profile or None)
    found = sessions.run(
        lambda: session.get_config_variable("region"), doing="reading the AWS configuration", service="sts"
    )
    return str(found or "")


def regions_like(globs: Sequence[str]) -> list[str]:
    """The regions meant, each once: a name as it is, a glob as those regions with EKS that it fits."""
    session = Session()
    known = [one for partition in PARTITIONS for one in session.get_available_regions("eks", partition)]
    found = [one for glob in globs for one in (_fitting(glob, known) if _WILD & set(glob) else [glob])]
    return list(dict.fromkeys(found))


def _fitting(glob: str, known: Sequence[str]) -> list[str]:
    return sorted(one for one in known if fnmatchcase(one, glob))
