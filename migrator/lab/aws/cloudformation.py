"""CloudFormation's stacks as far as somebody asks which roles they made: two operations, over what worlds declare."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from migrator.lab.aws.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from migrator.lab.aws.pipeline import Handler
    from migrator.lab.aws.wire import Request

_PAGE = 100
_MADE = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class LabStack:
    """A stack; `roles` are names of roles by logical id, and a stack without any has no capability for IAM."""

    account: str
    region: str
    name: str
    roles: Mapping[str, str]

    def as_output(self) -> dict[str, Any]:
        """As DescribeStacks tells it."""
        capabilities = ["CAPABILITY_NAMED_IAM"] if self.roles else []
        return {
            "StackName": self.name,
            "StackId": f"arn:aws:cloudformation:{self.region}:{self.account}:stack/{self.name}/practice",
            "CreationTime": _MADE,
            "StackStatus": "CREATE_COMPLETE",
            "Capabilities": capabilities,
        }


class CloudFormation:
    """Stacks of every account and region; whoever builds a world puts them into `stacks`."""

    def __init__(self) -> None:
        self.stacks: list[LabStack] = []

    def handlers(self) -> dict[str, Handler]:
        """The operations served here."""
        return {"DescribeStacks": self.describe, "ListStackResources": self.resources}

    def describe(self, request: Request) -> dict[str, Any]:
        """The stacks of one account and region, in pages, or the one that is named."""
        name = request.params.get("StackName")
        stacks = [self._named(request, str(name))] if name else self._of(request)
        found, token = _page([stack.as_output() for stack in stacks], request)
        return {"Stacks": found, "NextToken": token}

    def resources(self, request: Request) -> dict[str, Any]:
        """The roles of one stack, in pages."""
        stack = self._named(request, str(request.params["StackName"]))
        rows = [
            {
                "LogicalResourceId": logical,
                "PhysicalResourceId": role,
                "ResourceType": "AWS::IAM::Role",
                "LastUpdatedTimestamp": _MADE,
                "ResourceStatus": "CREATE_COMPLETE",
            }
            for logical, role in sorted(stack.roles.items())
        ]
        found, token = _page(rows, request)
        return {"StackResourceSummaries": found, "NextToken": token}

    def _of(self, request: Request) -> list[LabStack]:
        return [one for one in self.stacks if (one.account, one.region) == (request.account, request.region)]

    def _named(self, request: Request, name: str) -> LabStack:
        stack = next((one for one in self._of(request) if one.name == name), None)
        if stack is None:
            raise ApiError("ValidationError", f"Stack with id {name} does not exist", 400)
        return stack


def _page(rows: Sequence[dict[str, Any]], request: Request) -> tuple[list[dict[str, Any]], str | None]:
    given = str(request.params.get("NextToken", "0"))
    if not given.isdigit():
        raise ApiError("ValidationError", "NextToken is not valid", 400)
    end = int(given) + _PAGE
    return list(rows[int(given) : end]), str(end) if end < len(rows) else None
