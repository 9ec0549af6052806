"""`migrate status --watch`: one picture that is drawn over, from the status document. For a terminal only.

It never grows beyond the terminal: who is at work comes first, then what wants a person; the rest is counted.
rich is imported at the top: whoever imports this module has a terminal to draw on.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from migrator.render.blocks import STANDING_TONES, Tone
from migrator.render.redact import redacted
from migrator.render.screen import STYLES
from migrator.render.views.status import closing
from migrator.render.words import seconds

_CARE = ("stranded", "failed", "interrupted", "rolled-back", "waiting")  # the gravest first
_OLD = 5  # pauses
_LEAST = 6  # rows that a part of the picture has at least, if there is that much to show


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was seen of store and plans, and when; `problem` is why the look after it saw nothing."""

    document: Mapping[str, Any]
    at: datetime
    problem: str = ""


class Watch:
    """Draws looks; a context manager that owns the bottom of the terminal meanwhile, and leaves the last picture."""

    def __init__(
        self,
        stream: TextIO,
        *,
        every: float,
        now: Callable[[], datetime] | None = None,
        size: tuple[int, int] | None = None,
    ) -> None:
        width, height = size or (None, None)
        self._console = Console(
            file=stream, force_terminal=True, width=width, height=height, highlight=False, emoji=False, markup=False
        )
        self._every = every
        self._now = now or (lambda: datetime.now(UTC))
        self._live = Live(console=self._console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def draw(self, look: Look) -> None:
        """Draws it over the one before."""
        width, height = self._console.size
        lines = picture(look, self._now(), every=self._every, height=height - 1)
        for line in lines:
            line.truncate(width, overflow="ellipsis")
        self._live.update(Group(*lines), refresh=True)


def picture(look: Look, now: datetime, *, every: float, height: int) -> list[Text]:
    """The picture, one line each, `height` lines at most."""
    data = redacted(look.document)
    top = [_head(look, now, every), _counts(data, now), *_aside(look, data)]
    work, care = list(_at_work(data, now)), list(_wanting(data["services"], now))
    room = max(height - len(top), 0)
    for_work = max(room - max(min(len(care) + 2, room // 3), _LEAST if care else 0), min(_LEAST, room))
    shown = _part("at work", work, for_work, "nobody")
    return [*top, *shown, *_part("to look at", care, room - len(shown), "")][: max(height, 1)]


def _head(look: Look, now: datetime, every: float) -> Text:
    age = max((now - look.at).total_seconds(), 0.0)
    head = Text("migrate status", style="bold")
    old = age > _OLD * max(every, 1.0)
    head.append(f"  as of {look.at:%H:%M:%S} UTC, {seconds(age)} ago", style=STYLES[Tone.WARN if old else Tone.PLAIN])
    return head.append(f"; looks every {every:g} s, Ctrl-C ends", style="dim")


def _counts(data: Mapping[str, Any], now: datetime) -> Text:
    counts = Text(closing(data["summary"]), style="bold")
    changed = max((one["since"] for one in data["services"] if one["since"]), default=None)
    return counts if changed is None else counts.append(f"; last change {_age(changed, now)} ago", style="not bold dim")


def _aside(look: Look, data: Mapping[str, Any]) -> Iterator[Text]:
    if look.problem:
        yield Text(f"not read since: {' '.join(look.problem.split())}", style=STYLES[Tone.BAD])
    if data["unreadable"]:
        count = len(data["unreadable"])
        said = f"{count} plan file{'' if count == 1 else 's'} cannot be read: {data['unreadable'][0]['problem']}"
        yield Text(" ".join(said.split()), style=STYLES[Tone.BAD])


def _at_work(data: Mapping[str, Any], now: datetime) -> Iterator[Text]:
    """Every holder of a lock; of a service's, at which step it is and for how long."""
    known = {f"service:{one['service']}": one for one in data["services"]}
    names = [lock["key"].removeprefix("service:") for lock in data["locks"]]
    width = max(map(len, names), default=0)
    for name, lock in zip(names, data["locks"], strict=True):
        service = known.get(lock["key"])
        line = Text(f"  {name:{width}}  ")
        line.append(_step(service, lock, now) if service else f"held, {_age(lock['since'], now)}")
        yield line.append(f"  {lock['doing']} on {lock['host']}, pid {lock['pid']}", style="dim")


def _step(service: Mapping[str, Any], lock: Mapping[str, Any], now: datetime) -> str:
    step, since = service["step"], service["since"]
    if step is None or since is None or since < lock["since"]:  # the journal's word is of an earlier runner
        return f"looking, {_age(lock['since'], now)}"
    return f"{step['id']} {step['status']}, {_age(since, now)}"


def _wanting(services: Sequence[Mapping[str, Any]], now: datetime) -> Iterator[Text]:
    """The services that a person may want to look at, the gravest first."""
    found = [one for one in services if one["standing"] in _CARE]
    width = max((len(one["service"]) for one in found), default=0)
    for one in sorted(found, key=lambda one: (_CARE.index(one["standing"]), one["service"])):
        line = Text(f"  {one['service']:{width}}  ")
        line.append(f"{one['standing']:11}", style=STYLES[STANDING_TONES[one["standing"]]])
        age = f"{_age(one['since'], now)}  " if one["since"] else ""
        yield line.append(f"  {age}{' '.join(one['note'].split())}", style="dim")


def _part(title: str, lines: Sequence[Text], room: int, none: str) -> list[Text]:
    """A heading and as many lines as there is room for; what is left out is counted."""
    if not lines:
        return [Text(), Text(f"{title}: {none}")] if none else []
    fit = room - 2
    if fit < 1:
        return []
    shown = list(lines) if len(lines) <= fit else [*lines[: fit - 1], Text(f"  and {len(lines) - fit + 1} more")]
    return [Text(), Text(f"{title}: {len(lines)}", style="bold"), *shown]


def _age(since: str, now: datetime) -> str:
    return seconds(max((now - datetime.fromisoformat(since)).total_seconds(), 0.0))
