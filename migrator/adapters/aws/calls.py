"""Where every AWS request of this process passes: held back by the account's rate, fenced, and counted.

The hooks are botocore's events, so that no caller has to think of them; a client of a session has those of its session.
The rate is waited for before a request is signed: a signature that waits grows old.
"""

import threading
from collections.abc import Mapping
from typing import Any

from botocore.session import Session

from migrator.adapters.aws.errors import throttled
from migrator.adapters.fence import Fence
from migrator.adapters.rate import Rate
from migrator.model.meter import Api, Meter

UNLIMITED = frozenset({"dynamodb"})  # the store: a lock's renewal waits for nobody
_UNFENCED = frozenset({"dynamodb", "sts"})  # the locks' own, and what changes nothing
_READS = ("Describe", "Get", "List", "Lookup", "Simulate")


class AwsCalls:
    """The hooks; thread-safe."""

    def __init__(self, meter: Meter, rate: Rate | None = None, fence: Fence | None = None) -> None:
        self.meter = meter
        self.fence = fence or Fence()
        self._rate = rate
        self._asked = threading.local()

    def watch(self, session: Session, account: str) -> None:
        """Hangs them on every client that the session makes from now on."""

        def hold(**event: Any) -> None:
            api = _api(account, event)
            if self._rate is not None and api.service not in UNLIMITED and (waited := self._rate.take(account)):
                self.meter.held(api, waited)
            if _changes(event):
                self.fence.check()

        def sent(**event: Any) -> None:
            self._asked.last = _api(account, event)
            self.meter.called(self._asked.last)

        def answered(**event: Any) -> None:
            answer = event["parsed_response"]  # None when none came
            if answer is not None and throttled(answer):
                self.meter.throttled(_api(account, event))

        session.register("before-call", hold)
        session.register("before-send", sent)
        session.register("response-received", answered)

    def again(self, _error: BaseException) -> None:
        """What this thread asked last failed in passing, and is asked again; nothing, if it asked nothing."""
        last = getattr(self._asked, "last", None)
        if last is not None:
            self._asked.last = None
            self.meter.retried(last)


def _changes(event: Mapping[str, Any]) -> bool:
    service, operation = event["event_name"].split(".")[1:3]
    return service not in _UNFENCED and not operation.startswith(_READS)


def _api(account: str, event: Mapping[str, Any]) -> Api:
    """`before-send.iam.GetRole` is IAM's."""
    return Api(account, event["event_name"].split(".")[1])
