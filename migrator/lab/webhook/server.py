"""The webhook over HTTPS, and its registration as EKS makes it."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrator.lab.certs import ServerCert, server_context
from migrator.lab.kubeapi.webhooks import INSTANCE_HEADER
from migrator.lab.listener import Exchange, Listener
from migrator.lab.webhook.handler import mutate
from migrator.lab.webhook.review import answer
from migrator.lab.webhook.settings import SKIP_LABEL, Flags, read_account
from migrator.lab.webhook.sources import Accounts, AssociationFile, ServiceAccountCache

if TYPE_CHECKING:
    from migrator.lab.kubeclient import KubeClient

Json = dict[str, Any]


@dataclass
class Lapses:
    """What the webhook gets wrong.

    Attributes:
        silent: whether it does not answer now.
        overlooks: namespace, pod and whether it is a dry run; `nothing` or `annotation` (what such a pod gets) if the
            association of this pod's ServiceAccount is overlooked, else empty.
    """

    silent: Callable[[], bool] = lambda: False
    overlooks: Callable[[str, Json, bool], str] = lambda _namespace, _pod, _dry_run: ""


class PodIdentityWebhook:
    """Serves `POST /mutate` on a loopback port of its own, for every instance of a cluster's API server.

    Each instance has an association file of its own; a single one serves them all.
    """

    def __init__(
        self,
        kube: KubeClient,
        flags: Flags,
        associations: Path | Sequence[Path],
        cert: ServerCert,
        *,
        accounts: Accounts | None = None,
        jitter: Callable[[int, int], int] = random.randint,
    ) -> None:
        self._flags, self._jitter = flags, jitter
        self._cache = ServiceAccountCache(kube)
        self._accounts: Accounts = accounts or self._cache
        files = [associations] if isinstance(associations, Path) else associations
        self._associations = [AssociationFile(path) for path in files]
        self.lapses: Lapses = Lapses()
        self._listener = Listener(self._respond, server_context(cert))
        self.url = self._listener.url + "/mutate"

    def start(self) -> None:
        """Fill the ServiceAccount cache, then listen."""
        self._cache.start()
        self._listener.start()

    def stop(self) -> None:
        """Stop listening and following."""
        self._listener.stop()
        self._cache.stop()

    def _respond(self, exchange: Exchange) -> None:
        body = exchange.read_body()
        if exchange.path.split("?")[0] != "/mutate":
            exchange.refuse(404, "404 page not found")
        elif exchange.headers.get("Content-Type") != "application/json":
            exchange.refuse(415, "Invalid Content-Type, expected `application/json`")
        elif self.lapses.silent():
            exchange.refuse(503, "the webhook is off")
        else:
            instance = int(exchange.headers.get(INSTANCE_HEADER) or 0)
            reviewed = answer(body, lambda review: self._decide(review, instance))
            exchange.reply(200, json.dumps(reviewed))  # as text: upstream leaves the type to be guessed

    def _decide(self, review: Json, instance: int) -> list[Json] | None:
        namespace, pod = review.get("namespace", ""), review["object"]
        known = self._associations[instance % len(self._associations)]
        name = pod["spec"].get("serviceAccountName") or ""
        annotations = self._accounts.annotations(namespace, name)
        associated = known.has(namespace, name)
        overlooked = self.lapses.overlooks(namespace, pod, bool(review.get("dryRun"))) if associated else ""
        if overlooked == "nothing":
            return None
        return mutate(
            pod,
            self._flags,
            None if annotations is None else read_account(annotations, self._flags),
            associated=associated and not overlooked,
            jitter=self._jitter,
        )


def registration(url: str, ca_pem: str) -> Json:
    """The MutatingWebhookConfiguration as newer EKS clusters have it, with the skip label."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "pod-identity-webhook"},
        "webhooks": [
            {
                "name": "iam-for-pods.amazonaws.com",
                "clientConfig": {"url": url, "caBundle": base64.b64encode(ca_pem.encode()).decode()},
                "rules": [
                    {
                        "operations": ["CREATE"],
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "resources": ["pods"],
                        "scope": "*",
                    }
                ],
                "failurePolicy": "Ignore",
                "sideEffects": "None",
                "reinvocationPolicy": "IfNeeded",
                "matchPolicy": "Equivalent",
                "timeoutSeconds": 10,
                "namespaceSelector": {},
                "objectSelector": {"matchExpressions": [{"key": SKIP_LABEL, "operator": "DoesNotExist"}]},
                "admissionReviewVersions": ["v1beta1"],
            }
        ],
    }
