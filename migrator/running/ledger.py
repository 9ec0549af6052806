"""What is ours: the changes that walks there began and no finished way back has undone yet.

More than one run may have a share in it: a run that met drift is followed by another with a fresh plan, which finds the
first one's changes in place. They stay ours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from migrator.model.facts import Json
from migrator.model.ids import ROLE_ARN_ANNOTATION, ServiceId
from migrator.model.journal import Direction, Outcome, Run, Status, StepRecord
from migrator.model.plan import Plan, PlannedStep, StepKind
from migrator.model.ports import Journal

_BEGUN = frozenset({Status.STARTED, Status.DONE, Status.FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Step id to what is remembered of it: `image`, `result`, `runs`. `found` are steps that were so before we came."""

    ours: Mapping[str, Mapping[str, Json]]
    found: frozenset[str]

    @property
    def nothing_to_undo(self) -> bool:
        """The agent belongs to the cluster and stays: with nothing else of ours there is no way back to walk."""
        return not set(self.ours) - {StepKind.AGENT}


def ledger(journal: Journal, service: ServiceId) -> Ledger:
    """The service's ledger since its last completed way back."""
    ours: dict[str, dict[str, Json]] = {}
    found: set[str] = set()
    for run in _since_last_return(journal.runs(service)):
        for step, record in journal.records(run.id).items():
            if _begun(record):
                _enter(ours, step, record)
            elif record.status is Status.FOUND:
                found.add(step)
    return Ledger(ours=ours, found=frozenset(found - set(ours)))


def remembered_role(journal: Journal, service: ServiceId) -> str | None:
    """The role that the ServiceAccount was annotated with before walks there took the annotation; None if none did."""
    image = ledger(journal, service).ours.get(StepKind.ANNOTATION, {}).get("image") or {}
    role: str | None = image.get("annotations", {}).get(ROLE_ARN_ANNOTATION)
    return role


def way_back(plan: Plan, held: Ledger) -> tuple[PlannedStep, ...]:
    """The planned way back without the steps that are not ours to undo.

    Where the association was there before us it stays, and with it Pod Identity: no restart would bring IRSA back, and
    verify then expects what the association gives.
    """
    foreign_association = StepKind.ASSOCIATION in held.found
    return tuple(
        _expecting_pod_identity(step) if foreign_association and step.kind is StepKind.VERIFY else step
        for step in plan.back
        if _undo(step, held, foreign_association=foreign_association)
    )


def _undo(step: PlannedStep, held: Ledger, *, foreign_association: bool) -> bool:
    if step.kind is StepKind.RESTART:
        return StepKind.ASSOCIATION in held.ours and not foreign_association
    if step.kind is StepKind.VERIFY:
        return not held.nothing_to_undo
    return step.id in held.ours


def _expecting_pod_identity(step: PlannedStep) -> PlannedStep:
    return replace(step, after={**step.after, "identity": "pod-identity"})


def _since_last_return(runs: Sequence[Run]) -> list[Run]:
    there: list[Run] = []
    for run in runs:
        if run.direction is Direction.FORWARD:
            there.append(run)
        elif run.outcome is Outcome.DONE:
            there.clear()
    return there


def _begun(record: StepRecord) -> bool:
    """FAILED counts only if it was STARTED before: then it has a before-image, and may have changed something."""
    return record.status in _BEGUN and (record.status is not Status.FAILED or record.image is not None)


def _enter(ours: dict[str, dict[str, Json]], step: str, record: StepRecord) -> None:
    entry = ours.setdefault(step, {"image": record.image, "result": None, "runs": []})
    entry["runs"].append(record.run)
    if record.result is not None:
        entry["result"] = record.result
