"""The world of the property test: a FakeWorld to which things happen at chosen points, and which counts what was done.

A point is before or after each change and at each write of the journal. At a point a runner is killed, a call fails
before or after it had its effect, somebody else edits something, or a second runner comes along.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from migrator.model.errors import EnvironmentFault, Locked, StoreFault
from migrator.model.facts import Association, Pod, Role
from migrator.model.identity import Identity, of_pod
from migrator.model.ids import ROLE_ARN_ANNOTATION
from migrator.model.journal import Holder
from migrator.model.trust import allows, ours
from migrator.model.trust_own import Subject
from tests.fakes.running import SERVICE, Bench
from tests.fakes.world import CLUSTER_ARN, ROLE_ARN, FakeWorkload, FakeWorld

SUBJECT = Subject(cluster_arn=CLUSTER_ARN, namespace=SERVICE.namespace, name=SERVICE.name)
THEIRS = {
    "Sid": "Theirs",
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::222222222222:root"},
    "Action": "sts:AssumeRole",
}
FOUND = "a-0"  # the association that was there before us
OTHER_ROLE = ROLE_ARN + "-other"


class Killed(BaseException):
    """SIGKILL: nothing after it runs, and no lock is given back."""


class Dead(BaseException):
    """What a killed process would still try to do: it cannot."""


@dataclass
class TheirEdits:
    """What others did, for the checks: their marks must stay, their changes are not ours."""

    statements: int = 0
    labels: int = 0
    annotation_taken: int = 0
    association_gone: int = 0
    undo: list[Callable[[], None]] = field(default_factory=list)


@dataclass
class ModelWorld(FakeWorld):
    """Counts effective changes, and at every point looks whether a pod is without credentials because of us."""

    missed: int = 0  # pods that the webhook will overlook
    effects: Counter[str] = field(default_factory=Counter)
    gaps: list[str] = field(default_factory=list)
    put_back: int = 0  # how often a reconciler will put the annotation back
    put_backs: int = 0  # how often it did
    slow: int = 0  # how many looks a rollout takes
    overlooked: set[str] = field(default_factory=set)
    before_us: set[str] = field(default_factory=set)
    orphans: set[str] = field(default_factory=set)  # on Pod Identity, with the association taken by somebody else

    def __post_init__(self) -> None:
        super().__post_init__()
        self.before_us = {pod.uid for pod in self.live.values()}

    def _admit(self, workload: FakeWorkload, mode: str) -> str:
        overlook = self.missed > 0 and mode == "pod-identity"
        if overlook:
            self.missed -= 1
            mode = "irsa" if self.annotations.get(ROLE_ARN_ANNOTATION) else "none"
        name = super()._admit(workload, mode)
        if overlook or self.reality is not None:
            self.overlooked.add(self.live[name].uid)
        return name

    def _roll(self, workload: FakeWorkload) -> None:
        super()._roll(workload)
        workload.looks_until_complete = self.slow

    def rest(self) -> None:
        """Time passes: every rollout that is under way ends."""
        for workload in self.declared:
            workload.looks_until_complete = 0

    def roll_all(self) -> None:
        """The owner's own rollout of everything."""
        for workload in self.declared:
            self._roll(workload)

    def look_for_gaps(self, where: str) -> None:
        """Notes every pod that has no credentials, and is not there without them because of a fault."""
        for pod in self.live.values():
            problem = self._problem(pod)
            if problem and pod.uid not in self.overlooked | self.before_us | self.orphans:
                self.gaps.append(f"{where}: {pod.name}: {problem}")

    def _problem(self, pod: Pod) -> str:
        seen = of_pod(pod)
        if seen is Identity.NONE:
            return "no identity"
        if seen is Identity.POD_IDENTITY and not allows(self.trust, SUBJECT):
            return "on Pod Identity, and the role does not trust it"
        return ""

    # --- effective changes

    def write_trust(self, role: Role, document: str) -> None:
        old, writes = self.trust, len(self.calls)
        try:
            super().write_trust(role, document)
        finally:
            if len(self.calls) > writes:
                had, has = SUBJECT in ours(old), SUBJECT in ours(document)
                self.effects["trust in"] += has and not had
                self.effects["trust out"] += had and not has
                self.effects["trust idle"] += has == had

    def after(self, name: str) -> None:
        """What a change sets off in the world by itself."""
        if name == "remove-annotation" and self.put_back > 0:
            self.put_back -= 1
            self.put_backs += 1
            self.annotations[ROLE_ARN_ANNOTATION] = ROLE_ARN

    # --- what others do

    def edit(self, kind: str, theirs: TheirEdits) -> None:
        """One edit of somebody else's; where it may stop us for good, the way to put it right is noted."""
        if kind == "statement":
            document = json.loads(self.trust)
            document["Statement"] = [*_listed(document["Statement"]), {**THEIRS, "Sid": f"Theirs{theirs.statements}"}]
            self.trust = json.dumps(document)
            theirs.statements += 1
        elif kind == "label":
            theirs.labels += 1
            self.annotations[f"theirs-{theirs.labels}"] = "kept"
        elif kind == "annotation":
            was = self.annotations.get(ROLE_ARN_ANNOTATION)
            self.annotations[ROLE_ARN_ANNOTATION] = OTHER_ROLE
            theirs.undo.append(lambda: self._restore_annotation(was))
        elif kind == "repoint" and self.made is not None:
            was_made = self.made
            self.made = replace(was_made, role_arn=OTHER_ROLE)
            theirs.undo.append(lambda: self._restore_association(was_made))
        elif kind == "scale":
            for workload in self.declared[:1]:
                workload.replicas += 1
                self._admit(workload, self.injected())

    def _restore_annotation(self, value: str | None) -> None:
        if self.annotations.get(ROLE_ARN_ANNOTATION) != OTHER_ROLE:
            return
        if value is None:
            del self.annotations[ROLE_ARN_ANNOTATION]
        else:
            self.annotations[ROLE_ARN_ANNOTATION] = value

    def _restore_association(self, was: Association) -> None:
        if self.made is not None and self.made.id == was.id:
            self.made = was


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else [value]


@dataclass
class Process:
    """One runner's life."""

    alive: bool = True


@dataclass
class SharedLocks:
    """Locks between runners: a living one's hold, a dead one's are taken over; nothing is given back by the dead."""

    process: Process
    table: dict[str, Process]

    @contextmanager
    def held(self, key: str, *, doing: str) -> Iterator[None]:
        assert doing
        holder = self.table.get(key)
        if holder is not None and holder.alive:
            raise Locked(f'"{key}" is held')
        self.table[key] = self.process
        try:
            yield
        except Killed:
            self.process.alive = False
            raise
        finally:
            if self.process.alive:
                del self.table[key]

    def holders(self) -> Sequence[Holder]:
        return []


@dataclass
class Stage:
    """A bench on which runners come and go, over one world, one journal and one table of locks."""

    world: ModelWorld
    bench: Bench
    table: dict[str, Process] = field(default_factory=dict)
    theirs: TheirEdits = field(default_factory=TheirEdits)
    passed: int = 0
    due: dict[int, str] = field(default_factory=dict)
    second: Callable[[], None] = lambda: None
    happened: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world.before_call = lambda name: self.point(f"before {name}", "call")
        self.world.after_call = self._after
        self.bench.journal.on_write = lambda what: self.point(f"journal {what}", "journal")

    def begin(self, happenings: dict[int, str]) -> None:
        """The next command, to which these things happen at these points; it runs as a process of its own."""
        self.passed, self.due = 0, dict(happenings)
        self.bench.locks = SharedLocks(Process(), self.table)  # type: ignore[assignment]

    def _after(self, name: str) -> None:
        self.world.effects[name.partition(" ")[0]] += 1
        self.world.after(name)
        self.point(f"after {name}", "answer")

    def point(self, where: str, kind: str) -> None:
        """One point is passed."""
        self.passed += 1
        self.world.look_for_gaps(where)
        what = self.due.pop(self.passed, "")
        if not what:
            return
        self.happened.append(f"{what} at {where}")
        if what == "kill":
            raise Killed
        if what == "fault":
            raise StoreFault("disk full") if kind == "journal" else EnvironmentFault("no answer")
        if what == "second":
            self.second()
        else:
            self.world.edit(what, self.theirs)
