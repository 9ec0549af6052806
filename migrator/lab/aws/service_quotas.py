"""Service Quotas as far as somebody asks how large a trust policy may be: one operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.lab.aws.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrator.lab.aws.pipeline import Handler
    from migrator.lab.aws.wire import Request

_TRUST = ("iam", "L-C07B4B0D")
_HOME = {"us-east-1", "cn-north-1", "us-gov-west-1"}  # of IAM, in each partition


class ServiceQuotas:
    """The quotas of every account; `raised` has, by account, those that were raised, in characters."""

    def __init__(self, raised: Mapping[str, int]) -> None:
        self._raised = raised

    def handlers(self) -> dict[str, Handler]:
        """The operations served here."""
        return {"GetServiceQuota": self.get}

    def get(self, request: Request) -> dict[str, Any]:
        """The quota applied to the account; where none was ever applied AWS knows of none."""
        asked = (request.params["ServiceCode"], request.params["QuotaCode"])
        applied = self._raised.get(request.account) if request.region in _HOME else None
        if asked != _TRUST or applied is None:
            raise ApiError("NoSuchResourceException", "The request failed because the specified quota does not exist.")
        return {
            "Quota": {
                "ServiceCode": asked[0],
                "QuotaCode": asked[1],
                "QuotaName": "Role trust policy length",
                "Value": float(applied),
                "Unit": "None",
                "Adjustable": True,
                "GlobalQuota": True,
            }
        }
