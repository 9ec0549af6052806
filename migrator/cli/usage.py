"""A wrong command line in one sentence, in the form that was asked for: typer alone would write four lines."""

import os
import re
import sys
from collections.abc import Sequence
from typing import Any

import typer

from migrator.cli.run import Complaint, line
from migrator.model.exits import Exit

# typer's own click is no public name; these are the roots of what it raises
WrongUsage: type[Exception] = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
_QUOTED = re.compile(r"'([^']*)'")
_JSON = re.compile(r"--log-format[= ]json")


def wrong_usage(error: Exception, arguments: Sequence[str]) -> int:
    """Says on stderr what is wrong; the exit code.

    Args:
        error: a `WrongUsage`.
        arguments: the command line without the program's name; whether it asks for JSON lines is not parsed yet.
    """
    raised: Any = error
    context = getattr(raised, "ctx", None)
    if context is not None and raised.message == context.get_help():  # a bare "migrate" asks for help
        raised.show()
        return int(raised.exit_code)
    complaint = Complaint("usage", _sentence(raised, context.command_path if context else "migrate"), Exit.USAGE)
    asked = os.environ.get("MIGRATE_LOG_FORMAT") == "json" or _JSON.search(" ".join(arguments)) is not None
    sys.stderr.write(line(complaint, json_lines=asked))
    return Exit.USAGE


def _sentence(raised: Any, command: str) -> str:
    text = _QUOTED.sub(r'"\1"', raised.format_message()).rstrip(". ")
    text = re.sub(r"^No such option: (\S+)(?: \(Possible options: (.*)\))?$", _no_option, text)
    joint = " " if text.endswith("?") else "; "
    return f'{text[:1].lower()}{text[1:]}{joint}see "{command} --help"'


def _no_option(match: re.Match[str]) -> str:
    near = " or ".join(f'"{name}"' for name in (match[2] or "").split(", ") if name)
    return f'no such option "{match[1]}"' + (f"; did you mean {near}?" if near else "")
