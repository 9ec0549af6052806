"""Logs on stderr, as lines or as JSON: of structlog's loggers, and of the standard library's below "migrator".

Every line carries the service, run, step and cluster that its thread is working on: what is bound is bound for one
thread. Loggers of libraries are left off: at their debug level they write request headers, tokens included.
"""

import logging
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict
from typing import Any

import structlog

from migrator.model.events import AnyEvent, Event, Reporter, RunEnded, RunStarted, StepMoved, StepWaits, WayBack
from migrator.model.ids import ServiceId
from migrator.model.journal import Status
from migrator.render.redact import redacted
from migrator.render.words import sentence
from migrator.render.writing import takes_all, write_line

_BOUND = ("service", "cluster", "run", "step")
_TURN: ContextVar[ServiceId | None] = ContextVar("migrate_turn", default=None)


def level_of(*, verbose: bool, quiet: bool, debug: bool) -> int:
    """The lowest level that is written."""
    if debug:
        return logging.DEBUG
    if quiet:
        return logging.ERROR
    return logging.INFO if verbose else logging.WARNING


def configure(*, json_lines: bool, level: int, colour: bool) -> None:
    """Sends structlog's and our own standard loggers to stderr, secrets taken out.

    Args:
        json_lines: one JSON object per line, else text.
        level: the lowest level that is written, as `logging` counts them.
        colour: whether text may be coloured.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _hide,
    ]
    last: Any = structlog.processors.JSONRenderer(ensure_ascii=not takes_all(sys.stderr))
    if not json_lines:
        last = structlog.dev.ConsoleRenderer(colors=colour, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, last] if json_lines else [*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_names: _Stderr(),
        cache_logger_on_first_use=False,
    )
    _bridge(shared, last, level)


def begin(service: ServiceId, **more: str) -> None:
    """The same as `turn` for a thread that does nothing else: it lasts as long as the thread."""
    _TURN.set(service)
    structlog.contextvars.bind_contextvars(**_named(service), **more)


@contextmanager
def turn(service: ServiceId, **more: str) -> Iterator[None]:
    """This thread works on the service for the block: every line says so, from before its run begins until after it.

    Args:
        service: the service.
        more: what else every line of the block is to say, such as the batch run.
    """
    before = _TURN.set(service)
    try:
        with structlog.contextvars.bound_contextvars(**_named(service), **more):
            yield
    finally:
        structlog.contextvars.unbind_contextvars("run", "step")
        _TURN.reset(before)


class LogReporter:
    """A Reporter for `--log-format json`: every event is one log line, with its data as fields."""

    def __init__(self) -> None:
        self._log = structlog.get_logger("migrator.events")

    def tell(self, event: AnyEvent) -> None:
        """Takes one event."""
        data = {key: _plain(value) for key, value in asdict(event).items() if key not in {"service", "run", "step"}}
        own = {key: _plain(getattr(event, key)) for key in ("service", "run", "step") if hasattr(event, key)}
        self._log.log(_level(event), sentence(event), code=event.code, **own, **data)


class BindingReporter:
    """A Reporter around another one: binds service, cluster, run and step to its thread's lines until the run ends."""

    def __init__(self, inner: Reporter) -> None:
        self._inner = inner

    def tell(self, event: AnyEvent) -> None:
        """Takes one event."""
        if isinstance(event, Event):
            _rebind(event)
        self._inner.tell(event)
        if isinstance(event, RunEnded):
            structlog.contextvars.unbind_contextvars(*_BOUND)
            structlog.contextvars.bind_contextvars(**_named(_TURN.get()))


class _Stderr:
    """A structlog logger that looks stderr up at every line, so that a live display may stand in for it meanwhile."""

    def msg(self, message: str) -> None:
        """Writes one line."""
        write_line(sys.stderr, message)

    log = debug = info = warning = warn = error = critical = fatal = exception = msg


class _StderrHandler(logging.Handler):
    """The same for the standard library's loggers."""

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one line."""
        _Stderr().msg(self.format(record))


def _bridge(shared: list[Any], last: Any, level: int) -> None:
    handler = _StderrHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last]
        )
    )
    ours = logging.getLogger("migrator")
    ours.handlers = [handler]
    ours.propagate = False
    ours.setLevel(level)


def _hide(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    hidden: dict[str, Any] = redacted(dict(event))
    return hidden


def _rebind(event: Event) -> None:
    """Nothing of another service, or of a run that stopped without a word, is left bound."""
    now = structlog.contextvars.get_contextvars()
    if isinstance(event, RunStarted) or now.get("service") != str(event.service):
        structlog.contextvars.unbind_contextvars(*_BOUND)
    structlog.contextvars.bind_contextvars(**_context(event))


def _named(service: ServiceId | None) -> dict[str, str]:
    return {"service": str(service), "cluster": service.cluster} if service else {}


def _context(event: Event) -> dict[str, str]:
    bound = _named(event.service)
    if isinstance(event, RunStarted | StepMoved | RunEnded):
        bound["run"] = event.run
    if isinstance(event, StepMoved | StepWaits | WayBack):
        bound["step"] = event.step
    return bound


def _level(event: AnyEvent) -> int:
    if isinstance(event, WayBack) or (isinstance(event, StepMoved) and event.status is Status.FAILED):
        return logging.ERROR
    return logging.INFO


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | float | bool | list | tuple | dict | None) else str(value)
