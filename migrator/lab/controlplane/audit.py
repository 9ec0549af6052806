"""What the API server tells of each call, before it is carried out and after; it waits for our answer both times.

So the rest of the practice fleet hears of calls as it does from its own API server. It cannot refuse them.
"""

import json
import logging
import ssl
from collections import OrderedDict
from typing import Any
from urllib.parse import parse_qs, urlsplit

from migrator.lab.kubeapi.hooks import Asked, Hooks
from migrator.lab.kubeapi.tokens import User
from migrator.lab.listener import Exchange, Listener

_log = logging.getLogger(__name__)
_REMEMBERED = 10_000
Json = dict[str, Any]


class AuditTrail:
    """Hears audit events and calls the hooks: `before` as a call has come in, `after` as it has been answered.

    A call that goes on (a watch, an exec) counts as answered when its first answer is given.
    """

    def __init__(self, hooks: Hooks, tls: ssl.SSLContext) -> None:
        self._hooks = hooks
        self._answered: OrderedDict[str, None] = OrderedDict()
        self._listener = Listener(self._respond, tls)
        self.url = self._listener.url
        self.start, self.stop = self._listener.start, self._listener.stop

    def _respond(self, exchange: Exchange) -> None:
        for event in json.loads(exchange.read_body()).get("items") or ():
            try:
                self._hear(event)
            except Exception:  # noqa: BLE001 - the call itself must go on; the log tells why its fault was not played
                _log.exception("audit event %s of %s", event.get("stage"), event.get("requestURI"))
        exchange.reply(200, "{}", "application/json")

    def _hear(self, event: Json) -> None:
        if event["stage"] == "RequestReceived":
            self._hooks.before(asked_of(event))
        elif event["auditID"] not in self._answered:
            self._answered[event["auditID"]] = None
            if len(self._answered) > _REMEMBERED:
                self._answered.popitem(last=False)
            self._hooks.after(asked_of(event), int((event.get("responseStatus") or {}).get("code", 0)))


def asked_of(event: Json) -> Asked:
    """The call that an event is about."""
    user, about = event["user"], event.get("objectRef") or {}
    address = urlsplit(event["requestURI"])
    resource = "/".join(part for part in (about.get("resource", ""), about.get("subresource", "")) if part)
    return Asked(
        User(user.get("username", ""), user.get("uid", ""), tuple(user.get("groups") or ())),
        event["verb"],
        about.get("apiGroup", ""),
        resource,
        about.get("namespace", ""),
        about.get("name", ""),
        path=address.path,
        dry_run="All" in parse_qs(address.query).get("dryRun", []),
    )
