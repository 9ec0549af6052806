"""What a cluster's nodes are in AWS: their role, with credentials as an instance has them."""

import hashlib
import threading
from datetime import UTC, datetime, timedelta

from migrator.lab.aws.callers import Credentials
from migrator.lab.aws.front import AwsFront
from migrator.lab.nodes.botoclients import Keys
from migrator.lab.world.model import Cluster

_EARLY = timedelta(minutes=10)


class NodeRole:
    """Credentials of the node role, renewed before they end."""

    def __init__(self, front: AwsFront, cluster: Cluster) -> None:
        self._front = front
        self._arn = cluster.node_role_arn
        digest = hashlib.sha256(f"{cluster.account}/{cluster.region}/{cluster.name}".encode()).hexdigest()
        self._instance = f"i-{digest[:17]}"
        self._held: Credentials | None = None
        self._lock = threading.Lock()

    def keys(self) -> Keys:
        """The keys to sign with now.

        Raises:
            LookupError: the role is gone.
        """
        with self._lock:
            if self._held is None or self._held.expires - datetime.now(UTC) < _EARLY:
                self._held = self._front.instance_credentials(self._arn, self._instance)
            return Keys(self._held.access_key, self._held.secret, self._held.token)
