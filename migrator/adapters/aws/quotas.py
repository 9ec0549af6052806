"""Service Quotas: how large a trust policy an account may have."""

import threading

from migrator.adapters.aws.sessions import AwsSessions
from migrator.model.errors import Rejected
from migrator.model.trust import QUOTA

_SERVICE, _TRUST = "iam", "L-C07B4B0D"  # "Role trust policy length"


class TrustQuotas:
    """The quota of each account; read once, thread-safe."""

    def __init__(self, sessions: AwsSessions) -> None:
        self._sessions = sessions
        self._lock = threading.Lock()
        self._known: dict[str, int] = {}

    def of_account(self, account: str, partition: str) -> int:
        """In characters; of an account that never asked for another, the default.

        Raises:
            NotPermitted: the operator may not look.
            EnvironmentFault: Service Quotas does not answer.
        """
        with self._lock:
            if account not in self._known:
                self._known[account] = self._read(account, partition)
            return self._known[account]

    def _read(self, account: str, partition: str) -> int:
        client = self._sessions.service_quotas(account, partition)
        try:
            answer = self._sessions.run(
                lambda: client.get_service_quota(ServiceCode=_SERVICE, QuotaCode=_TRUST),
                doing=f'reading the quota of trust policies of account "{account}"',
                service="servicequotas",  # as in IAM,
            )
        except Rejected as error:
            if error.reason == "NoSuchResourceException":
                return QUOTA
            raise
        return int(answer["Quota"]["Value"])
