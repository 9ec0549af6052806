"""The webhook over HTTPS, and its registration as EKS makes it."""

from __future__ import annotations

import base64
import json
import random
from typing import TYPE_CHECKING, Any

from migrator.lab.certs import ServerCert, server_context
from migrator.lab.listener import Exchange, Listener
from migrator.lab.webhook.handler import mutate
from migrator.lab.webhook.review import answer
from migrator.lab.webhook.settings import SKIP_LABEL, Flags, read_account
from migrator.lab.webhook.sources import Accounts, AssociationFile, ServiceAccountCache

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from migrator.lab.kubeclient import KubeClient

Json = dict[str, Any]


class PodIdentityWebhook:
    """Serves `POST /mutate` on a loopback port of its own, one instance per cluster."""

    def __init__(
        self,
        kube: KubeClient,
        flags: Flags,
        associations: Path,
        cert: ServerCert,
        *,
        accounts: Accounts | None = None,
        jitter: Callable[[int, int], int] = random.randint,
    ) -> None:
        self._flags, self._jitter = flags, jitter
        self._cache = ServiceAccountCache(kube)
        self._accounts: Accounts = accounts or self._cache
        self._associations = AssociationFile(associations)
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
            exchange.reply(404, "404 page not found\n")
        elif exchange.headers.get("Content-Type") != "application/json":
            exchange.reply(415, "invalid Content-Type, expected `application/json`\n")
        else:
            exchange.reply(200, json.dumps(answer(body, self._decide)), "application/json")

    def _decide(self, namespace: str, pod: Json) -> list[Json] | None:
        name = pod["spec"].get("serviceAccountName") or ""
        annotations = self._accounts.annotations(namespace, name)
        return mutate(
            pod,
            self._flags,
            None if annotations is None else read_account(annotations, self._flags),
            associated=self._associations.has(namespace, name),
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
