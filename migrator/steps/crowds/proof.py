"""What verify asks at the end of the settle period, since it is dear: logs, credentials, the service's own check.

Of many pods a sample is asked, spread over workloads and nodes. What takes long goes on in the next look, so that a
signal is heard in between.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from enum import StrEnum
from functools import partial

from migrator.model import identity
from migrator.model.facts import Json, Pod
from migrator.model.identity import Identity
from migrator.steps.crowds import logs
from migrator.steps.crowds.crowd import is_wrong
from migrator.steps.crowds.judged import JOBS, Checked, count, left_out, listed, run_check
from migrator.steps.crowds.logs import Log
from migrator.steps.crowds.missed import MISSED, Memory
from migrator.steps.crowds.questions import Answer, Word, ask_one, asking, spread, whom
from migrator.steps.step import Context, Failed, NotYet, Settled, Settling

SAMPLE = 20  # pods that are asked, for credentials and by the own check
_KEPT = 50  # containers that the journal names
Question = tuple[str, Callable[[], Answer | Checked | Log]]


class Level(StrEnum):
    """How far it was proven."""

    ENV = "env seen"
    CREDENTIALS = "credentials answered"
    CHECK = "own check passed"


def proven(
    context: Context, seen: Sequence[Pod], pods: Sequence[Pod], wanted: Identity, now: Callable[[], float]
) -> Settling:
    """Settled when every pod asked answers well; NotYet that is `holding` while some of them are still to be asked.

    Args:
        context: `between` keeps what was answered in this settle period.
        seen: the judged pods.
        pods: all of the service's.
        wanted: the identity they have by now.
        now: seconds that only grow; after `waits.check` of them the next look goes on.
    """
    questions = list(_questions(context, seen))
    problem = _asked(context, questions, now)
    if problem is not None:
        return problem
    told = [context.between[key] for key, _ in questions]
    answers = [one for one in told if isinstance(one, Answer)]
    read = [one for one in told if isinstance(one, Log)]
    proof = seen or _witnesses(pods, wanted)
    left = [name for name in left_out(pods, bare=context.judges_bare) if name not in {one.name for one in proof}]
    checked = replace(context, check=context.check if seen else None)
    result = {**_result(checked, proof, answers), **_of_logs(read)}
    return Settled(result=result, note="; ".join([_note(checked, proof, left, wanted, answers), *_doubts(read)]))


def _asked(context: Context, questions: Sequence[Question], now: Callable[[], float]) -> Settling | None:
    began = now()
    for number, (key, question) in enumerate(questions):
        if key in context.between:
            continue
        if now() - began >= context.waits.check:
            reason = f"{number} of {count(len(questions), 'question')} answered well, slowly"
            return NotYet(reason=reason, holding=True, stage=reason)
        answer = question()
        problem = _problem(context, answer)
        if problem is not None:
            return problem
        context.between[key] = answer
    return None


def _questions(context: Context, seen: Sequence[Pod]) -> Iterator[Question]:
    """Each with what it is remembered by: a pod that was made anew is asked anew."""
    timeout = context.waits.check
    for pod, name in logs.whose(seen) if context.waits.log_lines else ():
        yield f"log of {name} in {pod.uid}", partial(logs.read, context.cluster, pod, name, context.waits.log_lines)
    containers = {pod.uid: (pod, name) for pod, name in whom(seen)} if context.identity_arn else {}
    for pod in spread((pod for pod, _ in containers.values()), SAMPLE):
        container = containers[pod.uid][1]
        ask = partial(ask_one, context.cluster, pod, container, asking(context))
        yield f"credentials of {pod.name} {pod.uid}", ask
    if context.check is not None:
        for pod in spread(seen, SAMPLE):
            yield f"own check in {pod.name} {pod.uid}", partial(run_check, context.cluster, pod, context.check, timeout)


def _problem(context: Context, answer: Answer | Checked | Log) -> Settling | None:
    if isinstance(answer, Log):
        return Failed(reason=answer.said) if answer.refused else None
    return _refused(context, answer) if isinstance(answer, Answer) else _failed(answer)


def _refused(context: Context, answer: Answer) -> Settling | None:
    if answer.word in {Word.REFUSED, Word.GONE}:
        return NotYet(reason=f"credentials in {answer.pod}/{answer.container}: {answer.said}")
    if answer.word is Word.WRONG_ROLE:
        wanted = context.identity_arn.rpartition("/")[2]
        return Failed(reason=f'expected role "{wanted}", and {answer.pod}/{answer.container} is {answer.said}')
    return None


def _failed(ran: Checked) -> Settling | None:
    if ran.gone:
        return NotYet(reason=f"{ran.pod} went away")
    return None if ran.passed else NotYet(reason=f"own check failed in {ran.pod}/{ran.container}, {ran.said}")


def _witnesses(pods: Sequence[Pod], wanted: Identity) -> list[Pod]:
    """Where nothing else runs, a Job's pod proves it, over or not; one that began before us is no witness."""
    jobs = (pod for pod in pods if pod.owner is not None and pod.owner.kind in JOBS and identity.by_container(pod))
    return [pod for pod in jobs if not is_wrong(pod, wanted)]


def _level(context: Context, pods: Sequence[Pod], answers: Sequence[Answer]) -> Level | None:
    if not pods:
        return None
    if context.check is not None:
        return Level.CHECK
    return Level.CREDENTIALS if answers and all(a.word is Word.ANSWERED for a in answers) else Level.ENV


def _result(context: Context, pods: Sequence[Pod], answers: Sequence[Answer]) -> Json:
    """The levels and what they rest on; of a crowd of containers only the first are named."""
    containers = {f"{pod.name}/{name}": str(seen) for pod in pods for name, seen in identity.by_container(pod)}
    level = _level(context, pods, answers)
    words = [answer.word for answer in answers]
    return {
        "containers": dict(list(containers.items())[:_KEPT]),
        "pods": len(pods),
        "level": str(level) if level else None,
        "credentials": {str(word): words.count(word) for word in sorted(set(words))},
        "own_check": "passed" if context.check and pods else "none",
        "missed": Memory(context.memory).count(MISSED),
    }


def _of_logs(read: Sequence[Log]) -> dict[str, Json]:
    """How many logs could be read, and whose words in them suggest that credentials are missing."""
    return {"logs": {"read": sum(not one.unread for one in read), "suspect": logs.suspicions(read)}} if read else {}


def _doubts(read: Sequence[Log]) -> list[str]:
    suspect, unread = logs.suspicions(read), logs.unread(read)
    return [
        *([f"without credentials, by its log: {listed(suspect)}"] if suspect else []),
        *([unread] if unread else []),
    ]


def _note(
    context: Context, pods: Sequence[Pod], others: Sequence[str], wanted: Identity, answers: Sequence[Answer]
) -> str:
    left = [f"left out, bare or a Job's: {listed(others)}"] if others else []
    if not pods:
        return "; ".join(["no pods now: the next pod will show", *left])
    parts = [f"{count(len(pods), 'pod')} on {wanted}"]
    places = len(list(whom(pods)))
    parts += [f"{Level.CREDENTIALS}{_of(places)}"] if any(a.word is Word.ANSWERED for a in answers) else []
    parts += [f"{Level.CHECK}{_of(len(pods))}"] if context.check else []
    unasked = sorted({a.said for a in answers if a.word is Word.OPEN})
    again = Memory(context.memory).count(MISSED)
    more = [f"credentials not proven everywhere: {listed(unasked)}"] if unasked else []
    more += [f"{count(again, 'pod')} that the webhook had missed made anew"] if again else []
    return "; ".join([", ".join(parts), *more, *left])


def _of(number: int) -> str:
    """How many were asked, where not all were."""
    return f" in {SAMPLE} of {number} asked" if number > SAMPLE else ""
