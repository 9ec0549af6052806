"""The plan of one service: plain frozen data that a person reviews and the executor carries out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from migrator.model.facts import Json
from migrator.model.ids import ServiceId

FORMAT = 1


class StepKind(StrEnum):
    """The kinds of step, one module each under `migrator.steps`."""

    AGENT = "agent"
    TRUST = "trust"
    SOURCE_ROLE = "source-role"
    TARGET_TRUST = "target-trust"
    ASSOCIATION = "association"
    ADDON = "addon"
    ANNOTATION = "annotation"
    RESTART = "restart"
    VERIFY = "verify"


TRUST_EDITS = (StepKind.TRUST, StepKind.TARGET_TRUST)  # of one role: some services' own, the target of others


class Order(StrEnum):
    """When the annotation goes: before the restart, or as a safety net only after the pods are proven."""

    ANNOTATION_FIRST = "annotation-first"
    ANNOTATION_LAST = "annotation-last"


class Severity(StrEnum):
    """How much a finding weighs: `block` stops the service, `warn` wants attention, `info` is for the record."""

    BLOCK = "block"
    WARN = "warn"
    INFO = "info"


class Verdict(StrEnum):
    """What may happen to the service now."""

    READY = "ready"
    ATTENTION = "attention"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something the planner saw: a code of the catalogue, and the evidence: which object, which field, which value."""

    code: str
    severity: Severity
    object: str
    field: str = ""
    value: str = ""
    says: str = ""  # the catalogue's sentence filled in for this evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """Moves one thing, named by `on`, from a recorded `before` to a recorded `after`. No closures, no clients."""

    id: str  # unique in its direction; the kind, while there is one step of each
    kind: StepKind
    on: Mapping[str, Json]
    before: Mapping[str, Json]
    after: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The service's own check: a command run inside one container of every pod that runs it."""

    command: tuple[str, ...]
    container: str = ""  # the first ordinary container if empty


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """A finding taken on by a person, with the reason."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """The few fields of a plan that a person may edit."""

    hold: bool = False
    wave: int | None = None
    order: Order = Order.ANNOTATION_FIRST
    restart: str = "rollout"
    verify: Check | None = None
    accept: tuple[Acceptance, ...] = ()

    def accepts(self, code: str) -> bool:
        """Whether a person has taken that finding on."""
        return any(one.code == code for one in self.accept)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All of it. `facts` are the plain data the plan was made from; `forward` and `back` are complete.

    `forward` stands as it was planned; what counts is `way_there`, since the order may be edited after planning.
    """

    service: ServiceId
    edit: Edit
    verdict: Verdict
    findings: tuple[Finding, ...]
    facts: Mapping[str, Json]
    forward: tuple[PlannedStep, ...] = field(default=())
    back: tuple[PlannedStep, ...] = field(default=())

    @property
    def way_there(self) -> tuple[PlannedStep, ...]:
        """The forward steps in the order in which they are carried out."""
        return in_order(self.forward, self.edit.order)

    @property
    def trust_step(self) -> PlannedStep | None:
        """The step that edits the trust policy of the annotated role."""
        return next(filter(None, map(self.step, TRUST_EDITS)), None)

    def step(self, step_id: str) -> PlannedStep | None:
        """The forward step of that id."""
        return next((step for step in self.forward if step.id == step_id), None)


_BEFORE_THE_ANNOTATION = (
    StepKind.AGENT,
    StepKind.TRUST,
    StepKind.SOURCE_ROLE,
    StepKind.TARGET_TRUST,
    StepKind.ASSOCIATION,
    StepKind.ADDON,
)
_PODS = (StepKind.RESTART, StepKind.VERIFY)
_RANKS: Mapping[Order, tuple[StepKind, ...]] = {
    Order.ANNOTATION_FIRST: (*_BEFORE_THE_ANNOTATION, StepKind.ANNOTATION, *_PODS),
    Order.ANNOTATION_LAST: (*_BEFORE_THE_ANNOTATION, *_PODS, StepKind.ANNOTATION),
}


def in_order(forward: Iterable[PlannedStep], order: Order) -> tuple[PlannedStep, ...]:
    """The steps there in that order, however they stood. The way back is the same for both."""
    return tuple(sorted(forward, key=lambda step: _RANKS[order].index(step.kind)))
