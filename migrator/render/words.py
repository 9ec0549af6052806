"""Events in words: the one place where a coded fact becomes a sentence, for live display, lines and logs alike."""

from migrator.model.events import AnyEvent, Noticed, RunEnded, RunStarted, StepMoved, StepWaits, WayBack
from migrator.model.journal import Direction, Status

REASONS = {
    "done": "everything was looked at, and nothing more can be done now",
    "window": "the window closed",
    "until": 'the time given with "--until" came',
    "max-services": "as many services as asked for were begun",
    "budget": "the failure budget is used up",
    "signal": "a signal asked it to stop",
    "credentials": "the credentials ran out",
    "store": "the state store failed",
    "lock": "another runner took over its lock",
    "limits": "others hold the rest of what the limits allow",
}
"""Why a batch run is over."""

LEFT = {
    "blocked": "blocked by a finding",
    "attention": "with a warning that nobody took on",
    "unreadable": "with a plan file that cannot be read",
    "failed": "failed before, with the same plan",
    "stopped": "stopped where a person said",
    "drift": "left by the world: plan again",
    "breaker": "in a cluster whose breaker is open",
    "hold": "on hold",
    "rolled-back": "taken back by a person",
    "unreachable": "in a cluster with errors in a row",
    "locked": "with another runner at work",
    "canary": "waiting for its cluster's first service",
    "later": "for a later run",
}
"""Why a batch run did not do a service."""

_STATUS = {
    Status.PENDING: "not begun",
    Status.STARTED: "started",
    Status.DONE: "done",
    Status.FOUND: "found so already",
    Status.FAILED: "failed",
}


def sentence(event: AnyEvent) -> str:
    """What happened, without the service's id; never more than one line."""
    return " ".join(_sentence(event).split())


def _sentence(event: AnyEvent) -> str:
    if isinstance(event, Noticed):
        data = ", ".join(f"{key} {value}" for key, value in event.data.items())
        return f"{event.what}{f' ({data})' if data else ''}"
    said = event.code
    match event:
        case RunStarted():
            verb = "going on with" if event.resumed else "beginning"
            said = f"{verb} the {way(event.direction)}, run {event.run}: {', '.join(event.steps)}"
        case StepMoved():
            said = f"{event.step}: {status_words(event.status)}{_note(event.note)}"
        case StepWaits():
            said = f"{event.step}: {event.reason} ({seconds(event.waited)} of at most {seconds(event.deadline)})"
        case WayBack():
            said = f"{event.step}: {event.reason}; going the way back"
        case RunEnded():
            said = f"{way(event.direction)} ended: {event.outcome}{_note(event.note)}"
    return said


def status_words(status: Status) -> str:
    """A status as people say it."""
    return _STATUS[status]


def way(direction: Direction) -> str:
    """A direction as people say it."""
    return "way there" if direction is Direction.FORWARD else "way back"


def seconds(value: float) -> str:
    """A duration: `8 s`, `2 min 5 s`, `3 h 12 min`."""
    minutes, rest = divmod(int(value), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _note(note: str) -> str:
    return f" ({note})" if note else ""
