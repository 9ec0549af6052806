"""The world of the property test: a FakeWorld that counts what was done, and looks for harm that is of our making.

Harm is a pod that cannot get credentials. Others do harm too, and webhooks fail: a pod that they hit is excused. What
others did before a command began is no excuse for what the command does: it could have looked.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from migrator.model.errors import Rejected
from migrator.model.facts import Pod, Role, Rollout, WorkloadRef
from migrator.model.identity import Identity, of_pod
from migrator.model.ids import ROLE_ARN_ANNOTATION
from migrator.model.moving import How, how
from migrator.model.trust import Subject, allows, merge, ours
from tests.fakes.parts import CLUSTER_ARN, IRSA_TRUST, ROLE_ARN, FakeWorkload, pod
from tests.fakes.running import SERVICE
from tests.fakes.world import FakeWorld

SUBJECT = Subject(cluster_arn=CLUSTER_ARN, namespace=SERVICE.namespace, name=SERVICE.name)
FOUND = "a-0"  # the association that was there before us
FOREIGN = "a-foreign"  # the one that somebody else made meanwhile
BARE = "bare"
_SEEN_IN_TIME = 2  # points between the last look and the deletion of the association: what happens there is not seen


def opened() -> str:
    """A trust policy in which somebody else lets Pod Identity in."""
    return merge(IRSA_TRUST, SUBJECT).document.replace("IrsaMigrator", "Opened")


@dataclass
class ModelWorld(FakeWorld):
    """Counts effective changes; at every point it looks whether a pod is without credentials because of us."""

    missed: int = 0  # pods that the webhook will overlook
    bare: bool = False  # there is a pod without owner
    put_back: int = 0  # how often a reconciler will put the annotation back
    put_backs: int = 0  # how often it did
    slow: int = 0  # how many looks a rollout takes
    late: int = 0  # how many looks a controller takes to begin with one
    unmovable: bool = False  # a budget that forbids to evict any pod of the first workload that nobody rolls
    was_unmovable: bool = False
    effects: Counter[str] = field(default_factory=Counter)
    gaps: list[str] = field(default_factory=list)
    excused: set[str] = field(default_factory=set)  # uids of pods that others, or the webhook, did harm to
    made_wrong: set[str] = field(default_factory=set)  # uids of pods that should have come with Pod Identity
    harm: set[str] = field(default_factory=set)  # what others took and nobody gave back
    recent: set[str] = field(default_factory=set)  # what others took during this very command
    paused_at: dict[str, int] = field(default_factory=dict)
    points: int = 0
    unreliable: bool = False  # it seldom is what the gate shows
    _known: set[str] = field(default_factory=set)  # uids of pods that were judged when they came
    _late: dict[str, int] = field(default_factory=dict)  # by workload: looks until its controller begins

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.bare:
            self.live[BARE] = pod("irsa", BARE)

    # --- pods come and go

    def _really(self, mode: str) -> str:
        """The webhook overlooks some; a pod made while somebody just took something suffers from that, not from us."""
        overlook = self.missed > 0 and mode == "pod-identity"
        if overlook:
            self.missed -= 1
            return "irsa" if self.annotations.get(ROLE_ARN_ANNOTATION) else "none"
        return super()._really(mode)

    def _note_new(self) -> None:
        """Pods that have just come: what is wrong with them from the first is not because of us."""
        for new in [one for one in self.live.values() if one.uid not in self._known]:
            self._known.add(new.uid)
            expected = self._seen_association or "association" in self.harm
            if expected and of_pod(new) is not Identity.POD_IDENTITY:
                self.made_wrong.add(new.uid)
                self.excused.add(new.uid)
            if self.recent or self.reality is not None:
                self.excused.add(new.uid)

    def _admit(self, workload: FakeWorkload, mode: str) -> str:
        name = super()._admit(workload, mode)
        self._note_new()
        return name

    def start_job(self, name: str) -> None:
        """A CronJob's next run."""
        owner = WorkloadRef(kind="Job", namespace="shop", name=name)
        self.live[name] = pod(self._really(self.injected()), name, owner)
        self._note_new()

    def _roll(self, workload: FakeWorkload) -> None:
        super()._roll(workload)
        workload.looks_until_complete = self.slow

    def restart(self, ref: WorkloadRef, stamp: str) -> None:
        """A late controller keeps the old pods for some looks; the roll may begin between any two of ours."""
        workload = self._workload(ref)
        if not self.late or workload is None or workload.paused:
            super().restart(ref, stamp)
            return
        self._change(f"restart {ref.name}")
        workload.stamp, self._late[ref.name] = stamp, self.late
        self.after_call(f"restart {ref.name}")

    def rollout(self, ref: WorkloadRef) -> Rollout | None:
        self._time_passes()
        seen = super().rollout(ref)
        if seen is None or ref.name not in self._late:
            return seen
        return replace(seen, updated=0, old=seen.desired, complete=False)

    def pods_of(self, namespace: str, service_account: str) -> Sequence[Pod]:
        self._time_passes()
        return super().pods_of(namespace, service_account)

    def _time_passes(self) -> None:
        for workload in self.declared:
            if workload.ref.name in self._late:
                self._late[workload.ref.name] -= 1
                if self._late[workload.ref.name] <= 0:
                    del self._late[workload.ref.name]
                    self._roll(workload)

    def rest(self) -> None:
        """Time passes: every rollout that is under way ends."""
        while self._late:
            self._time_passes()
        for workload in self.declared:
            workload.looks_until_complete = 0

    def evict(self, pod: Pod) -> None:
        if self.unmovable and pod.owner in self._unmovable():
            raise Rejected("Cannot evict pod as it would violate the pod's disruption budget.", reason="budget")
        super().evict(pod)

    def _unmovable(self) -> list[WorkloadRef]:
        return [w.ref for w in self.workloads_of("shop", "orders") if how(w) is How.EVICT][:1] if self.unmovable else []

    # --- harm

    def look_for_gaps(self, where: str) -> None:
        """Notes every pod that has no credentials, and is not without them because of others."""
        self.points += 1
        self._note_new()
        for one in self.live.values():
            if one.uid not in self.excused and (problem := self.problem(one)):
                self.gaps.append(f"{where}: {one.name}: {problem}")

    def problem(self, one: Pod) -> str:
        """Why the pod gets no credentials, but for the association, which it lacks for a while on every way back."""
        seen = of_pod(one)
        if seen is Identity.NONE:
            return "no identity"
        if seen is Identity.POD_IDENTITY and not allows(self.trust, SUBJECT):
            return "on Pod Identity, and the role does not trust it"
        return ""

    def unassociated(self) -> list[Pod]:
        """Pods on Pod Identity although there is no association."""
        return [one for one in self.live.values() if self.made is None and of_pod(one) is Identity.POD_IDENTITY]

    def before(self, name: str) -> None:
        """What must be so when a change is about to be made."""
        if name == "remove-annotation" and self.made is None and "association" not in self.recent:
            self.gaps.append(f"{name}: there is no association")
        if name != "delete-association":
            return
        if ROLE_ARN_ANNOTATION not in self.annotations and "annotation" not in self.recent:
            self.gaps.append(f"{name}: there is no annotation")
        if self.made is not None and self.made.id in {FOUND, FOREIGN}:
            self.gaps.append(f"{name}: it is somebody else's")
        for workload in self.declared:
            long = self.points - self.paused_at.get(workload.ref.name, self.points) > _SEEN_IN_TIME
            if workload.paused and long and workload.replicas:
                self.gaps.append(f"{name}: {workload.ref} is paused and will not replace its pods")

    def after(self, name: str) -> None:
        """What a change sets off in the world by itself, and what it mends."""
        if name == "remove-annotation" and self.put_back > 0:
            self.put_back -= 1
            self.put_backs += 1
            self.annotations[ROLE_ARN_ANNOTATION] = ROLE_ARN
        mended = {"create-association": "association", "add-annotation": "annotation", "write-trust": "trust"}
        self.harm.discard(mended.get(name, ""))

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
