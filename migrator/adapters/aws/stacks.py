"""CloudFormation: which stack a role belongs to.

The role does not tell: roles bear none of the tags that CloudFormation gives what it makes. The stacks of a region come
in pages, and only those with a capability for IAM can have made a role: theirs alone are asked for what is in them, so
that the calls grow with such stacks and not with roles.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from migrator.adapters.aws.sessions import AwsSessions
from migrator.model.errors import EnvironmentFault
from migrator.model.facts import Stack

_MAKES_ROLES = frozenset({"CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"})
_LEFT = ("DELETE_COMPLETE", "DELETE_SKIPPED")  # no longer the stack's, which may have left it where it is


class Stacks:
    """The stacks of each account, in the regions of its clusters; read once, thread-safe."""

    def __init__(self, sessions: AwsSessions) -> None:
        self._sessions = sessions
        self._lock = threading.Lock()
        self._known: dict[str, tuple[Mapping[str, Stack], str]] = {}

    def of_account(self, account: str, partition: str) -> tuple[Mapping[str, Stack], str]:
        """By name of the role; and why not all of them could be read, empty when they could.

        Raises:
            CredentialsExpired: nothing more can be read until they are renewed.
        """
        with self._lock:  # two clusters of one account wait for one reading
            if account not in self._known:
                self._known[account] = self._read(account, partition)
            return self._known[account]

    def _read(self, account: str, partition: str) -> tuple[Mapping[str, Stack], str]:
        found: dict[str, Stack] = {}
        unread = ""
        for region in self._regions(account, partition):
            try:
                found.update(self._in_region(account, region))
            except EnvironmentFault as error:
                unread = unread or error.message
        return found, unread

    def _regions(self, account: str, partition: str) -> list[str]:
        """Those of the account's clusters; of an account without any, those of all clusters of its partition."""
        clusters, where = self._sessions.fleet.clusters, self._sessions.partition_of
        fitting = [cluster for cluster in clusters if where(cluster.region) == partition]
        own = {cluster.region for cluster in fitting if cluster.account == account}
        every = own or {cluster.region for cluster in fitting}
        return sorted(every) or [self._sessions.region_of(account, partition)]

    def _in_region(self, account: str, region: str) -> Iterator[tuple[str, Stack]]:
        client = self._sessions.cloudformation(account, region)
        doing = f'reading the CloudFormation stacks of account "{account}" in {region}'
        for stack in self._pages(client.describe_stacks, "Stacks", doing):
            if _MAKES_ROLES.isdisjoint(stack.get("Capabilities", ())):
                continue
            name = str(stack["StackName"])
            resources = self._pages(client.list_stack_resources, "StackResourceSummaries", doing, StackName=name)
            for one in resources:
                if one["ResourceType"] == "AWS::IAM::Role" and one["ResourceStatus"] not in _LEFT:
                    yield str(one.get("PhysicalResourceId", "")), Stack(name=name, place=one["LogicalResourceId"])

    def _pages(self, page: Callable[..., Any], key: str, doing: str, **asked: str) -> Iterator[Any]:
        token: str | None = None
        while True:
            more = {"NextToken": token} if token else {}
            answer = self._sessions.run(partial(page, **asked, **more), doing=doing, service="cloudformation")
            yield from answer[key]
            token = answer.get("NextToken")
            if not token:
                return
