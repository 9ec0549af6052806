"""The one place where an error becomes one line on stderr and an exit code of `migrator.model.exits`."""

import json
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from migrator.cli.streams import unwritten
from migrator.documents.errors import DocumentError
from migrator.model.errors import Interrupted, MigrateError
from migrator.model.exits import Exit, worst
from migrator.render.redact import redact
from migrator.render.writing import takes_all


@dataclass(frozen=True, slots=True)
class Complaint:
    """What stderr says about an error: its stable code, the sentence, the exit code."""

    code: str
    sentence: str
    exit: Exit


class CutOff(KeyboardInterrupt):
    """Ctrl-C while services were being carried out: what was begun stands in the journal, open."""


def guarded(work: Callable[[], Exit], *, debug: bool, json_lines: bool) -> Exit:
    """Runs a command's body and returns its exit code, whatever happens inside.

    Args:
        work: the body.
        debug: also show the traceback of what went wrong.
        json_lines: write the complaint as a JSON line instead of a sentence.
    """
    try:
        code = work()
    except (KeyboardInterrupt, Exception) as error:  # noqa: BLE001 - here nothing may pass: it becomes a line and a code
        found = complaint(error)
        trace = redact("".join(traceback.format_exception(error))) if debug else ""
        sys.stderr.write(line(found, json_lines=json_lines, trace=trace))
        code = found.exit
    return _heard(code, json_lines=json_lines)


def complaint(error: BaseException) -> Complaint:
    """What to say about `error`; one that nobody foresaw is named by its type and its own words, on one line."""
    if isinstance(error, KeyboardInterrupt):
        said = "interrupted at once; the same command resumes" if isinstance(error, CutOff) else "interrupted"
        return Complaint("interrupted", said, Exit.INTERRUPTED)
    if isinstance(error, Interrupted):
        return Complaint(error.code, error.sentence(), error.code_of_exit)
    if isinstance(error, MigrateError):
        return Complaint(error.code, error.sentence(), error.exit)
    if isinstance(error, DocumentError):
        return Complaint("document", str(error), Exit.USAGE)
    words = " ".join(str(error).split())
    what = f"{type(error).__name__}: {words}" if words else type(error).__name__
    return Complaint("unexpected", f'unexpected error: {what}; run again with "--debug"', Exit.ERROR)


def line(found: Complaint, *, json_lines: bool, trace: str = "") -> str:
    """The complaint as stderr shows it, newline included, secrets taken out; a traceback stands before it, or in it."""
    sentence = redact(" ".join(found.sentence.split()))
    if not json_lines:
        return f"{trace}migrate: {sentence}\n"
    more = {"exception": trace} if trace else {}
    return _json_line("error", "error", code=found.code, exit=int(found.exit), message=sentence, **more)


def hint(text: str, *, json_lines: bool, event: str = "hint") -> str:
    """What a person may have overlooked, or a warning, as stderr shows it, newline included."""
    sentence = redact(" ".join(text.split()))
    if not json_lines:
        return f"migrate: {sentence}\n"
    return _json_line("warning", event, message=sentence)


def _json_line(level: str, event: str, **more: str | int) -> str:
    """With what every line of a JSON log begins with, in the log's own form."""
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    data = {"timestamp": now, "level": level, "event": event, **more}
    return json.dumps(data, ensure_ascii=not takes_all(sys.stderr)) + "\n"


def _heard(code: Exit, *, json_lines: bool) -> Exit:
    """The exit code, once it is known whether the result got to stdout; what was done stands whether it did or not."""
    problem = unwritten()
    if not problem:
        return code
    sys.stderr.write(line(Complaint("output", problem, Exit.ERROR), json_lines=json_lines))
    return worst((code, Exit.ERROR))
