"""How a task, and how the whole batch ended, in words and as an exit code."""

from collections import Counter
from collections.abc import Iterable, Mapping

from migrator.model.batch import ServiceEnded
from migrator.model.errors import Interrupted, MigrateError
from migrator.model.exits import Exit, worst
from migrator.model.ids import ServiceId
from migrator.running.batch.agenda import FOR_A_PERSON, UNFINISHED, Left
from migrator.running.batch.hands import Finished
from migrator.running.batch.hours import TIME_IS_UP

_REASONS: Mapping[str, Exit] = {"store": Exit.ERROR, "lock": Exit.LOCKED, "credentials": Exit.UNFINISHED}
_GRAVE = frozenset({Exit.STRANDED, Exit.ROLLED_BACK, Exit.DRIFT, Exit.BLOCKED})  # of a service of this very run


def ended_as(finished: Finished, seconds: float) -> ServiceEnded:
    """What is said of a task that has ended."""
    code, message = _said(finished)
    left_to = finished.result.left_to if finished.result is not None else ""
    return ServiceEnded(service=finished.service, exit=code, message=message, seconds=seconds, left_to=left_to)


def _said(finished: Finished) -> tuple[Exit, str]:
    error = finished.error
    if finished.result is not None:
        return finished.result.exit, finished.result.message
    if isinstance(error, Interrupted):
        time_is_up = error.signal == TIME_IS_UP
        why = "the time was up: stopped at a checkpoint" if time_is_up else error.message
        return Exit.UNFINISHED if time_is_up else error.code_of_exit, f"{why}; the next run goes on"
    if isinstance(error, MigrateError):
        return error.exit, error.sentence()
    words = " ".join(str(error).split())
    remedy = f'run "migrate apply --service {finished.service} --debug"'
    return Exit.ERROR, f"unexpected error: {type(error).__name__}: {words}; {remedy}"


def exit_of(
    ended: Iterable[ServiceEnded], left: Iterable[Left], stopped: str, signal: int | None, *, astray: bool = False
) -> Exit:
    """The batch's own: the gravest of its services', then the signal, then why it stopped or left some.

    `astray`: plan files or folders of them could not be read, and nobody knows whose they are.
    """
    codes = [one.exit for one in ended]
    grave = worst(code for code in codes if code in _GRAVE)
    if grave is not Exit.DONE:
        return grave
    if signal is not None:
        return Interrupted(signal).code_of_exit
    for why in set(left):
        codes += [Exit.BLOCKED] * (why in FOR_A_PERSON) + [Exit.UNFINISHED] * (why in UNFINISHED)
        codes += [Exit.USAGE] * (why is Left.UNREADABLE)
    codes += [Exit.USAGE] * astray
    return worst([*codes, _REASONS.get(stopped, Exit.DONE)])


def counts(left: Mapping[ServiceId, Left]) -> dict[str, int]:
    """How many services were left for each reason, by its name."""
    return {str(why): count for why, count in sorted(Counter(left.values()).items())}
