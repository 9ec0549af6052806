"""The plan of one service: plain frozen data that a person reviews and the executor carries out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from migrator.model.facts import Json
from migrator.model.ids import ServiceId

FORMAT = 1


class StepKind(StrEnum):
    """The kinds of step, one module each under `migrator.steps`."""

    AGENT = "agent"
    TRUST = "trust"
    ASSOCIATION = "association"
    ANNOTATION = "annotation"
    RESTART = "restart"
    VERIFY = "verify"


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
    order: str = "annotation-first"
    restart: str = "rollout"
    verify: Check | None = None
    accept: tuple[Acceptance, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All of it. `facts` are the plain data the plan was made from; `forward` and `back` are complete, in order."""

    service: ServiceId
    edit: Edit
    verdict: Verdict
    findings: tuple[Finding, ...]
    facts: Mapping[str, Json]
    forward: tuple[PlannedStep, ...] = field(default=())
    back: tuple[PlannedStep, ...] = field(default=())

    def step(self, step_id: str) -> PlannedStep | None:
        """The forward step of that id."""
        return next((step for step in self.forward if step.id == step_id), None)
