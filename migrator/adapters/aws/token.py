"""The bearer token that opens an EKS cluster: a presigned STS GetCallerIdentity, the cluster's name in a signed header.

No call is made; signing takes less than a millisecond. The URL says 60 seconds, as every EKS client's does; the cluster
takes it for 15 minutes from its signing, so it is renewed after 14.
"""

import base64
import threading
import time
from collections.abc import Callable

from botocore.model import ServiceId
from botocore.signers import RequestSigner

from migrator.adapters.aws.sessions import AwsSessions
from migrator.model.fleet import FleetCluster

PREFIX = "k8s-aws-v1."
LIFETIME = 14 * 60.0  # seconds
_URL_SECONDS = 60
_QUERY = "Action=GetCallerIdentity&Version=2011-06-15"


class EksToken:
    """Tokens for one cluster, signed with its account's credentials; thread-safe."""

    def __init__(
        self, cluster: FleetCluster, sessions: AwsSessions, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._cluster = cluster
        self._sessions = sessions
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0

    def current(self) -> str:
        """A token that is good for a minute at least."""
        with self._lock:
            if not self._token or self._monotonic() >= self._until:
                self._token = self._sign()
                self._until = self._monotonic() + LIFETIME
            return self._token

    def forget(self, refused: str) -> None:
        """Signs anew at the next `current`, unless another thread already has since `refused` was handed out."""
        with self._lock:
            if self._token == refused:
                self._token = ""

    def _sign(self) -> str:
        account, region = self._cluster.account, self._cluster.region
        credentials = self._sessions.credentials(account, region)
        sts = self._sessions.sts(account, region)
        signer = RequestSigner(ServiceId("sts"), region, "sts", "v4", credentials, sts.meta.events)
        request = {
            "method": "GET",
            "url": f"{sts.meta.endpoint_url.rstrip('/')}/?{_QUERY}",
            "body": {},
            "headers": {"x-k8s-aws-id": self._cluster.name},
            "context": {},
        }

        def presign() -> str:
            return str(
                signer.generate_presigned_url(request, region_name=region, expires_in=_URL_SECONDS, operation_name="")
            )

        doing = f'cluster "{self._cluster.alias}": signing a token'
        url = self._sessions.run(presign, doing=doing, service="sts")
        return PREFIX + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")
