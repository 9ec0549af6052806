"""CloudTrail: LookupEvents over what the front has seen and what worlds have seeded."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from migrator.lab.aws.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from migrator.lab.aws.pipeline import Handler
    from migrator.lab.aws.ports import Clock
    from migrator.lab.aws.trail import Trail, TrailEvent
    from migrator.lab.aws.wire import Request

_KEPT = timedelta(days=90)
_PAGE = 50
_TESTS: dict[str, Callable[[TrailEvent, str], bool]] = {
    "EventId": lambda event, value: event.id == value,
    "EventName": lambda event, value: event.name == value,
    "ReadOnly": lambda event, value: event.read_only == (value.lower() == "true"),
    "Username": lambda event, value: event.username == value,
    "ResourceType": lambda event, value: any(kind == value for kind, _ in event.resources),
    "ResourceName": lambda event, value: any(value in (name, name.rsplit("/", 1)[-1]) for _, name in event.resources),
    "EventSource": lambda event, value: event.source == value,
    "AccessKeyId": lambda event, value: event.access_key == value,
}


class CloudTrail:
    """The one operation of CloudTrail that the practice fleet has."""

    def __init__(self, trail: Trail, clock: Clock) -> None:
        self._trail = trail
        self._clock = clock

    def handlers(self) -> dict[str, Handler]:
        """The operation served here."""
        return {"LookupEvents": self.lookup}

    def lookup(self, request: Request) -> dict[str, Any]:
        """Management events of one account and Region, newest first."""
        params = request.params
        fits = self._filter(params)
        events = [event for event in self._trail.events(request.account, request.region) if fits(event)]
        after = _position(params)
        if after:
            seen = [event.id for event in events]
            if after not in seen:
                raise ApiError("InvalidNextTokenException", "The next token is invalid.", 400)
            events = events[seen.index(after) + 1 :]
        size = int(params.get("MaxResults", _PAGE))
        found = events[:size]
        answer: dict[str, Any] = {"Events": [event.as_output() for event in found]}
        if len(events) > size:
            answer["NextToken"] = base64.b64encode(found[-1].id.encode()).decode()
        return answer

    def _filter(self, params: Mapping[str, Any]) -> Callable[[TrailEvent], bool]:
        if params.get("EventCategory"):
            return lambda _event: False  # insight events: the practice fleet has none
        attributes = params.get("LookupAttributes", [])
        if len(attributes) > 1:
            raise ApiError("InvalidLookupAttributesException", "You can only specify one lookup attribute.", 400)
        start, end = self._range(params)
        key = attributes[0]["AttributeKey"] if attributes else ""
        value = attributes[0]["AttributeValue"] if attributes else ""

        def fits(event: TrailEvent) -> bool:
            return start <= event.time <= end and (not key or _TESTS[key](event, value))

        return fits

    def _range(self, params: Mapping[str, Any]) -> tuple[datetime, datetime]:
        now = self._clock()
        start, end = params.get("StartTime"), params.get("EndTime", now)
        if start is not None and start > end:
            raise ApiError("InvalidTimeRangeException", "The start time is after the end time.", 400)
        oldest = now - _KEPT
        begin = max(start, oldest) if start is not None else oldest
        return begin.replace(microsecond=0), end


def _position(params: Mapping[str, Any]) -> str:
    token = params.get("NextToken")
    if not token:
        return ""
    try:
        return base64.b64decode(str(token), validate=True).decode()
    except (binascii.Error, ValueError) as broken:
        raise ApiError("InvalidNextTokenException", "The next token is invalid.", 400) from broken
