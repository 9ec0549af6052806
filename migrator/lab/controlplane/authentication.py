"""The API server's question who the bearer of a token is, as EKS's own API servers ask their authenticator."""

import json
import ssl
from collections.abc import Callable
from typing import Any

from migrator.lab.kubeapi.tokens import User
from migrator.lab.listener import Exchange, Listener

_IMPLIED = "system:authenticated"  # the API server adds it itself


class Authenticator:
    """Answers TokenReviews."""

    def __init__(self, authenticate: Callable[[str], User | None], tls: ssl.SSLContext) -> None:
        self._authenticate = authenticate
        self._listener = Listener(self._respond, tls)
        self.url = self._listener.url
        self.start, self.stop = self._listener.start, self._listener.stop

    def _respond(self, exchange: Exchange) -> None:
        review = json.loads(exchange.read_body())
        user = self._authenticate(review["spec"].get("token", ""))
        answer = {"apiVersion": review["apiVersion"], "kind": "TokenReview", "status": _status(user)}
        exchange.reply(200, json.dumps(answer), "application/json")


def _status(user: User | None) -> dict[str, Any]:
    if user is None:
        return {"authenticated": False}
    groups = [group for group in user.groups if group != _IMPLIED]
    return {"authenticated": True, "user": {"username": user.name, "uid": user.uid, "groups": groups}}
