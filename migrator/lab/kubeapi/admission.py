"""Admission: the built-in rules first, then mutating webhooks, and validating ones before storing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi.admission_pods import PodAdmission
from migrator.lab.kubeapi.webhooks import Webhooks

if TYPE_CHECKING:
    from migrator.lab.kubeapi.calls import Call
    from migrator.lab.kubeapi.cluster import Cluster

Json = dict[str, Any]


class Admission:
    """The chain that a write passes."""

    def __init__(self, cluster: Cluster) -> None:
        self._pods = PodAdmission(cluster)
        self._webhooks = Webhooks(cluster)

    def mutate(self, call: Call, obj: Json, old: Json | None) -> Json:
        """The object as it is after all that may change it.

        Raises:
            ApiError: somebody says no.
        """
        if old is None and call.kind.key == ("", "pods"):
            self._pods.admit(call, obj)
        return self._webhooks.mutate(call, obj, old)

    def close(self) -> None:
        """Let go of the connections to webhooks."""
        self._webhooks.close()

    def validate(self, call: Call, obj: Json | None, old: Json | None) -> None:
        """Ask all that may only say yes or no.

        Raises:
            ApiError: somebody says no.
        """
        self._webhooks.validate(call, obj, old)
