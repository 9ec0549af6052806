"""Asks before the cloud is changed; where nobody can answer, says what to add instead of waiting."""

from typing import TextIO

from migrator.model.errors import UsageError

_YES = frozenset({"y", "yes"})


def agreed(question: str, *, yes: bool, stdin: TextIO, stderr: TextIO) -> bool:
    """Whether the change may be made: `yes` was given, or a person at a terminal says so.

    Raises:
        UsageError: `yes` was not given and stdin is no terminal.
        KeyboardInterrupt: Ctrl-C instead of an answer.
    """
    if yes:
        return True
    if not stdin.isatty():
        raise UsageError(
            "this changes the cloud, and stdin is no terminal to ask at",
            remedy='add "--yes" to do it, or "--dry-run" to only see it',
        )
    stderr.write(f"{question} [y/N] ")
    stderr.flush()
    try:
        return stdin.readline().strip().lower() in _YES
    except KeyboardInterrupt:
        stderr.write("\n")  # what is said next begins a line of its own
        raise
