"""Looks which identity a service's pods have now, for `migrate verify`; nothing is changed or recorded."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from migrator.model import identity
from migrator.model.facts import Pod, Workload
from migrator.model.identity import Identity
from migrator.model.ids import ServiceId
from migrator.model.plan import Check
from migrator.model.ports.steps import Associations, ServiceAccounts, Workloads
from migrator.steps.crowds import logs
from migrator.steps.crowds.judged import JOBS, listed, live, run_check
from migrator.steps.crowds.logs import Log
from migrator.steps.crowds.metadata import fallen_to
from migrator.steps.crowds.questions import Answer, Asking, Word, ask


class Verdict(StrEnum):
    """What comes of comparing a service with what is expected of it."""

    AS_EXPECTED = "as-expected"
    PENDING = "pending"  # nothing is wrong, and no pod is there to prove it
    OTHERWISE = "otherwise"


class Manned(StrEnum):
    """Whether a workload has the pods that it should have."""

    READY = "ready"
    SHORT = "short"
    PENDING = "pending"  # without a pod and rightly so: scaled to zero, a CronJob or a Job between two pods


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """One workload's pods: `ready` of the `wanted` ones; a Job's and a CronJob's are not counted against a number."""

    workload: str
    ready: int
    wanted: int
    state: Manned


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One container of one pod; `check` is the own check's exit code and last line, where it ran.

    `credentials` is what came of asking AWS from inside, where it was asked; `answered` is None if that told nothing.
    `log` is what its log tells of its SDK, where that was read.
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
    log: Log | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """All live pods of a service; `identity` is what they have in common, `association` the role that theirs gives.

    `annotation` is the role the ServiceAccount names, if any, and `role_arn` the plan's; where that is empty, neither
    is compared. `under_way` tells that a run is open, which may have taken the annotation out. `left_to` is its owner,
    where a run left it to him. `fallen` tells where SDKs end up that find no credentials in their containers.
    """

    service: ServiceId
    identity: Identity
    seen: tuple[Seen, ...]
    association: str = ""
    annotation: str = ""
    role_arn: str = ""
    under_way: bool = False
    left_to: str = ""
    crews: tuple[Crew, ...] = ()
    fallen: str = ""

    def verdict(self, expected: Identity) -> Verdict:
        """Whether all is as expected: now, and for the next pod. A service without pods proves nothing."""
        if self.problems(expected) or self.short:
            return Verdict.OTHERWISE
        return Verdict.PENDING if self._idle else Verdict.AS_EXPECTED

    def problems(self, expected: Identity) -> list[str]:
        """What is wrong, a clause for each, the identity first; the workloads that are `short` are not repeated."""
        wrong = [] if self._idle or self.identity is expected else [f"expected {expected}{self.fallen}"]
        return wrong + self._of_the_next_pod(expected) + self._unanswered()

    @property
    def _idle(self) -> bool:
        """No pod is there, nor wanted; pods whose containers all skip the webhook are `NO_PODS` too, but are there."""
        return self.identity is Identity.NO_PODS and all(one.state is Manned.PENDING for one in self.crews)

    @property
    def short(self) -> tuple[Crew, ...]:
        """The workloads that want more ready pods than they have."""
        return tuple(one for one in self.crews if one.state is Manned.SHORT)

    def _of_the_next_pod(self, expected: Identity) -> list[str]:
        """Pods keep what they were given; the next one gets what stands in EKS and in its ServiceAccount then."""
        if not self.association and expected is Identity.POD_IDENTITY:
            return ["EKS lists no association for it"]
        if self.role_arn and self.association not in ("", self.role_arn):
            return [f'its association names another role, "{self.association}", and the plan "{self.role_arn}"']
        if expected is not Identity.IRSA:
            return []
        if self.association and self._idle:
            return ["expected irsa; its association gives the next pod Pod Identity"]
        return self._of_the_annotation()

    def _of_the_annotation(self) -> list[str]:
        if self.role_arn in ("", self.annotation) or (self.under_way and not self.annotation):
            return []
        if not self.annotation:
            return [f'its ServiceAccount is not annotated with a role: the next pod does not get "{self.role_arn}"']
        return [
            f'its ServiceAccount is annotated with another role, "{self.annotation}", and the plan "{self.role_arn}"'
        ]

    def _unanswered(self) -> list[str]:
        asked = [f"{entry.pod}/{entry.container}" for entry in self.seen if entry.answered is False]
        checked = [f"{entry.pod}/{entry.container}" for entry in self.seen if entry.check_passed is False]
        said = [f"AWS does not answer as it should in {listed(asked)}"] if asked else []
        read = [entry.log.said for entry in self.seen if entry.log is not None and entry.log.refused]
        return said + read + ([f"its own check fails in {listed(checked)}"] if checked else [])


class Observed(Workloads, Associations, ServiceAccounts, Protocol):
    """What is looked at."""


def observe(
    cluster: Observed,
    service: ServiceId,
    check: Check | None,
    timeout: float,
    *,
    role_arn: str = "",
    under_way: bool = False,
    log_lines: int = 0,
    keys_accepted: bool = False,
) -> Observation:
    """Reads the pods and, where a check is given, runs it in each. `timeout` in seconds, for one command in one pod.

    With `role_arn`, asks in one pod of each workload on each node whether AWS answers, and as that role; with
    `keys_accepted` it may be whoever the keys in the pods are. With `log_lines`, reads so many from the ends of the
    logs of a few pods of each workload.
    """
    crews, pods = _crews(cluster, service)
    asking = Asking(role_arn=role_arn, timeout=timeout, keys_accepted=keys_accepted)
    answers = {(one.pod, one.container): one for one in (ask(cluster, pods, asking) if role_arn else ())}
    read = [logs.read(cluster, pod, name, log_lines) for pod, name in (logs.whose(pods) if log_lines else ())]
    told = {(one.pod, one.container): one for one in read}
    looks = (entry for pod in pods for entry in _look(cluster, pod, check, timeout))
    seen = tuple(
        replace(_with(entry, answers.get(place)), log=told.get(place))
        for entry in looks
        for place in [(entry.pod, entry.container)]
    )
    found = cluster.association(service.namespace, service.name)
    account = cluster.service_account(service.namespace, service.name)
    return Observation(
        service=service,
        identity=identity.of_pods(pods),
        seen=seen,
        association=(found.target_role_arn or found.role_arn) if found else "",
        annotation=(account.role_arn or "") if account else "",
        role_arn=role_arn,
        under_way=under_way,
        crews=crews,
        fallen=fallen_to(pods),
    )


def _crews(cluster: Workloads, service: ServiceId) -> tuple[tuple[Crew, ...], list[Pod]]:
    """The workloads with their live pods, and all live pods, bare ones included."""
    workloads = cluster.workloads_of(service.namespace, service.name)
    pods = live(cluster.pods_of(service.namespace, service.name))
    return tuple(_crew(one, pods) for one in sorted(workloads, key=lambda one: one.ref)), pods


def _crew(workload: Workload, pods: Iterable[Pod]) -> Crew:
    own: Sequence[Pod] = [pod for pod in pods if pod.owner == workload.ref]
    ready = sum(pod.ready for pod in own)
    wanted = 0 if workload.ref.kind in JOBS else workload.replicas
    idle = Manned.READY if own else Manned.PENDING
    state = (Manned.READY if ready >= wanted else Manned.SHORT) if wanted else idle
    return Crew(workload=str(workload.ref), ready=ready, wanted=wanted, state=state)


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
