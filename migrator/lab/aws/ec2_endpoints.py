"""EC2, as far as its interface endpoints: DescribeVpcEndpoints over what the world declares."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from migrator.lab.aws.conditions import like

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrator.lab.aws.pipeline import Handler
    from migrator.lab.aws.wire import Request

_FILTERS = {
    "service-name": "ServiceName",
    "vpc-id": "VpcId",
    "vpc-endpoint-state": "State",
    "vpc-endpoint-id": "VpcEndpointId",
}


@dataclass
class VpcEndpoints:
    """The interface endpoints of every account and Region."""

    records: dict[tuple[str, str], list[Mapping[str, Any]]] = field(default_factory=dict)

    def add(self, account: str, region: str, record: Mapping[str, Any]) -> None:
        """Puts an endpoint there; its id follows from its VPC and service."""
        digest = hashlib.sha256(f"{account}/{record['VpcId']}/{record['ServiceName']}".encode()).hexdigest()
        whole = {"VpcEndpointId": f"vpce-{digest[:17]}", "VpcEndpointType": "Interface", "OwnerId": account, **record}
        self.records.setdefault((account, region), []).append(whole)

    def handlers(self) -> dict[str, Handler]:
        """The operation served here."""
        return {"DescribeVpcEndpoints": self.describe}

    def describe(self, request: Request) -> dict[str, Any]:
        """The endpoints that every filter lets through; in one page."""
        ids = set(request.params.get("VpcEndpointIds", ()))
        found = [
            record
            for record in self.records.get((request.account, request.region), ())
            if (not ids or record["VpcEndpointId"] in ids)
            and all(_fits(record, entry) for entry in request.params.get("Filters", ()))
        ]
        return {"VpcEndpoints": found}


def _fits(record: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
    """Whether one of the filter's values, which may hold wildcards, is the record's; letter case counts."""
    member = _FILTERS.get(entry["Name"])
    return member is not None and any(like(value, str(record[member])) for value in entry.get("Values", ()))
