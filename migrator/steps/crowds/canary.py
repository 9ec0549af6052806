"""What must hold before another workload is touched: the role lets its pods in, and the last one's get credentials.

Variables alone prove neither, and by the time verify looks every workload has been replaced. Nor do credentials prove
that its program takes them, where its log says that it does not.
"""

from migrator.steps.crowds.crowd import Crowd
from migrator.steps.crowds.doors import closed
from migrator.steps.crowds.logs import refusal
from migrator.steps.crowds.questions import Word, ask, asking
from migrator.steps.step import Context, Failed, NotYet, Settling


def held_back(context: Context, last: Crowd | None) -> Settling | None:
    """None when the next may be touched; `last` is the workload that was moved before it, None before the first."""
    refused = _refused(context)
    if refused is not None or last is None:
        return refused
    return _too_old(context, last) or _without_credentials(context, last)


def _refused(context: Context) -> Settling | None:
    """IAM's reads may be stale: wait."""
    problem = closed(context, context.cluster_arn) if context.role_arn and context.cluster_arn else ""
    return NotYet(reason=f"{problem}; no other workload is touched", stage="trust") if problem else None


def _too_old(context: Context, last: Crowd) -> Settling | None:
    """Its logs may tell what its credentials do not: they are fetched by the container's tools, not by its program."""
    said = refusal(context.cluster, last.pods, context.waits.log_lines)
    return Failed(reason=f"{last.ref}: {said}", memo=context.memory) if said else None


def _without_credentials(context: Context, last: Crowd) -> Settling | None:
    """One pod of it is asked; where nobody can be asked, the question is left to verify."""
    answer = next(iter(ask(context.cluster, last.pods, asking(context))), None)
    if answer is None or answer.word in {Word.ANSWERED, Word.OPEN}:
        return None
    said = f"{last.ref}: credentials in {answer.pod}/{answer.container}: {answer.said}"
    if answer.word is Word.WRONG_ROLE:
        wanted = context.identity_arn.rpartition("/")[2]
        reason = f'{last.ref}: expected role "{wanted}", and {answer.pod}/{answer.container} is {answer.said}'
        return Failed(reason=reason, memo=context.memory)
    return NotYet(reason=f"{said}; no other workload is touched", stage="credentials")
