"""What others do to the world of the property test while a command runs, or between two."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from migrator.model.facts import Association
from migrator.model.ids import ROLE_ARN_ANNOTATION
from migrator.model.trust import ours
from tests.fakes.parts import IRSA_TRUST, ROLE_ARN
from tests.resume.model import FOREIGN, FOUND, SUBJECT, ModelWorld, opened

OTHER_ROLE = ROLE_ARN + "-other"
THEIRS = {
    "Sid": "Theirs",
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::222222222222:root"},
    "Action": "sts:AssumeRole",
}


@dataclass
class Others:
    """Everybody else: what they did, for the checks (their marks must stay), and how each puts right what stops us."""

    world: ModelWorld
    statements: int = 0
    labels: int = 0
    jobs: int = 0
    undone: dict[str, int] = field(default_factory=dict)  # step: how often they undid a change of ours, or made it
    undo: list[Callable[[], None]] = field(default_factory=list)

    def do(self, kind: str) -> None:
        """One deed."""
        deeds: dict[str, Callable[[], None]] = {
            "statement": self._statement,
            "label": self._label,
            "annotation": self._annotation,
            "repoint": self._repoint,
            "scale": self._scale,
            "dissociate": self._dissociate,
            "untrust": self._untrust,
            "take": self._take,
            "foreign": self._foreign,
            "pause": self._pause,
            "delete": self._delete,
            "job": self._job,
            "budget": self._budget,
        }
        deeds[kind]()

    def roll_all(self) -> None:
        """The owner's own rollout of everything."""
        for workload in self.world.declared:
            if not workload.paused:
                self.world._roll(workload)
        self._excuse_the_new()

    def put_right(self) -> None:
        """A person puts right what stands against us for good; Jobs end."""
        for undo in reversed(self.undo):
            undo()
        self.undo.clear()
        world = self.world
        world.live = {name: p for name, p in world.live.items() if p.owner is None or p.owner.kind != "Job"}

    def give_back(self, *, found: bool) -> None:
        """What a way back needs: the annotation that somebody took, and no association in the place of ours."""
        if ROLE_ARN_ANNOTATION not in self.world.annotations and "annotation" in self.world.harm:
            self.world.annotations[ROLE_ARN_ANNOTATION] = ROLE_ARN
            self.world.harm.discard("annotation")
            self._did_ours("annotation")
        if not found and self.world.made is not None and self.world.made.id == FOREIGN:
            self.world.made = None
            self._took("association")

    # --- harmless

    def _statement(self) -> None:
        document = json.loads(self.world.trust)
        listed = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
        document["Statement"] = [*listed, {**THEIRS, "Sid": f"Theirs{self.statements}"}]
        self.world.trust = json.dumps(document)
        self.statements += 1

    def _label(self) -> None:
        self.labels += 1
        self.world.annotations[f"theirs-{self.labels}"] = "kept"

    def _scale(self) -> None:
        for workload in self.world.declared[:1]:
            workload.replicas += 1
            self.world._admit(workload, self.world.injected())
        self._excuse_the_new()

    def _job(self) -> None:
        self.jobs += 1
        self.world.start_job(f"nightly-{self.jobs}")
        self._excuse_the_new()

    def _delete(self) -> None:
        if len(self.world.declared) > 1:
            gone = self.world.declared.pop(0)
            self.world.live = {name: p for name, p in self.world.live.items() if p.owner != gone.ref}

    def _excuse_the_new(self) -> None:
        """Nobody but they made pods while something was missing that they had taken."""
        if self.world.harm:
            self.world.excused |= {one.uid for one in self.world.live.values() if self.world.problem(one)}

    # --- stops us

    def _annotation(self) -> None:
        was = self.world.annotations.get(ROLE_ARN_ANNOTATION)
        self.world.annotations[ROLE_ARN_ANNOTATION] = OTHER_ROLE
        self.undo.append(lambda: self._restore_annotation(was))

    def _restore_annotation(self, value: str | None) -> None:
        if self.world.annotations.get(ROLE_ARN_ANNOTATION) != OTHER_ROLE:
            return
        if value is None:
            del self.world.annotations[ROLE_ARN_ANNOTATION]
        else:
            self.world.annotations[ROLE_ARN_ANNOTATION] = value

    def _repoint(self) -> None:
        was = self.world.made
        if was is not None:
            self.world.made = replace(was, role_arn=OTHER_ROLE)
            self.undo.append(lambda: self._restore_association(was))

    def _restore_association(self, was: Association) -> None:
        if self.world.made is not None and self.world.made.id == was.id:
            self.world.made = was

    def _pause(self) -> None:
        for workload in self.world.declared:
            if workload.ref.kind == "Deployment" and not workload.paused:
                workload.paused = True
                self.world.paused_at[workload.ref.name] = self.world.points
                self.undo.append(lambda paused=workload: self.world.resume(paused))  # type: ignore[misc]
                return

    def _budget(self) -> None:
        self.world.unmovable = self.world.was_unmovable = True

    # --- does harm

    def _took(self, what: str) -> None:
        self.world.harm.add(what)
        self.world.recent.add(what)
        self._did_ours(what)
        self.world.excused |= {one.uid for one in self.world.live.values()}

    def _did_ours(self, step: str) -> None:
        self.undone[step] = self.undone.get(step, 0) + 1

    def _dissociate(self) -> None:
        was = self.world.made
        if was is not None:
            self.world.made = None
            self.world._seen_association = False
            self._took("association")
            if was.id in {FOUND, FOREIGN}:
                self.undo.append(lambda: self._associate(was))

    def _associate(self, was: Association) -> None:
        if self.world.made is None:
            self.world.made = was
            self.world.harm.discard("association")

    def _untrust(self) -> None:
        """The document that their tool knows is put back."""
        if SUBJECT in ours(self.world.trust):
            document = json.loads(self.world.trust)
            kept = [s for s in document["Statement"] if not str(s.get("Sid", "")).startswith("IrsaMigrator")]
            self.world.trust = json.dumps({**document, "Statement": kept}) if kept else IRSA_TRUST
            self._took("trust")

    def _take(self) -> None:
        if self.world.annotations.pop(ROLE_ARN_ANNOTATION, None) is not None:
            self._took("annotation")

    def _foreign(self) -> None:
        """Their tool makes the same association, and opens the role for it."""
        if self.world.made is None:
            document = json.loads(self.world.trust)
            theirs = [s for s in json.loads(opened())["Statement"] if str(s.get("Sid", "")).startswith("Opened")]
            document["Statement"] = [*document["Statement"], *theirs]
            self.world.trust = json.dumps(document)
            self._did_ours("trust")
            self.world.made = Association(
                id=FOREIGN, namespace="shop", service_account="orders", role_arn=ROLE_ARN, tags={"theirs": "yes"}
            )
