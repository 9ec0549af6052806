"""Looks which identity a service's pods have now, for `migrate verify`; nothing is changed or recorded."""

from dataclasses import dataclass, replace
from typing import Protocol

from migrator.model import identity
from migrator.model.facts import Pod
from migrator.model.identity import Identity
from migrator.model.ids import ServiceId
from migrator.model.plan import Check
from migrator.model.ports import Associations, Workloads
from migrator.steps.pods import live, run_check
from migrator.steps.questions import Answer, Word, ask


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One container of one pod; `check` is the own check's exit code and last line, where it ran.

    `credentials` is what came of asking AWS from inside, where it was asked; `answered` is None if that told nothing.
    """

    pod: str
    owner: str
    container: str
    identity: Identity
    ready: bool
    check: str = ""
    check_passed: bool | None = None
    credentials: str = ""
    answered: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """All live pods of a service; `identity` is what they have in common, `association` the role it names, if any."""

    service: ServiceId
    identity: Identity
    seen: tuple[Seen, ...]
    association: str = ""

    def as_expected(self, expected: Identity) -> bool:
        """Whether every container has that identity, no question was answered badly, and an association is there.

        A service without pods proves nothing.
        """
        served = bool(self.association) or expected is not Identity.POD_IDENTITY
        failed = any(False in (entry.check_passed, entry.answered) for entry in self.seen)
        return self.identity is expected and served and not failed


class Observed(Workloads, Associations, Protocol):
    """What is looked at."""


def observe(
    cluster: Observed, service: ServiceId, check: Check | None, timeout: float, *, role_arn: str = ""
) -> Observation:
    """Reads the pods and, where a check is given, runs it in each. `timeout` in seconds, for one command in one pod.

    With `role_arn`, asks in one pod of each workload on each node whether AWS answers, and as that role.
    """
    pods = live(cluster.pods_of(service.namespace, service.name))
    answers = {(one.pod, one.container): one for one in (ask(cluster, pods, role_arn, timeout) if role_arn else ())}
    looks = (entry for pod in pods for entry in _look(cluster, pod, check, timeout))
    seen = tuple(_with(entry, answers.get((entry.pod, entry.container))) for entry in looks)
    found = cluster.association(service.namespace, service.name)
    return Observation(
        service=service,
        identity=identity.of_pods(pods),
        seen=seen,
        association=found.role_arn if found else "",
    )


def _with(seen: Seen, answer: Answer | None) -> Seen:
    if answer is None or answer.word is Word.GONE:
        return seen
    answered = None if answer.word is Word.OPEN else answer.word is Word.ANSWERED
    return replace(seen, credentials=f"{answer.word}: {answer.said}", answered=answered)


def _look(cluster: Workloads, pod: Pod, check: Check | None, timeout: float) -> list[Seen]:
    ran = run_check(cluster, pod, check, timeout) if check is not None else None
    if ran is not None and ran.gone:
        return []
    entries = []
    for name, found in identity.by_container(pod):
        said, passed = (ran.said, ran.passed) if ran is not None and ran.container == name else ("", None)
        owner = str(pod.owner) if pod.owner else "bare pod"
        entries.append(
            Seen(
                pod=pod.name,
                owner=owner,
                container=name,
                identity=found,
                ready=pod.ready,
                check=said,
                check_passed=passed,
            )
        )
    return entries
