"""What is ours: the changes that walks there began and no finished way back has undone yet.

More than one run may have a share in it: a run that met drift is followed by another with a fresh plan, which finds the
first one's changes in place. They stay ours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from migrator.model.facts import Json
from migrator.model.ids import ROLE_ARN_ANNOTATION, ServiceId
from migrator.model.journal import Direction, Outcome, Run, Status, StepRecord
from migrator.model.plan import TRUST_EDITS, Plan, PlannedStep, StepKind
from migrator.model.ports.running import Journal
from migrator.running.handed import left_value
from migrator.steps.crowds import bare

_ASSOCIATING = frozenset({StepKind.ASSOCIATION, StepKind.ADDON})
_UNDONE = _ASSOCIATING | {*TRUST_EDITS, StepKind.SOURCE_ROLE, StepKind.ANNOTATION}
_BEGUN = frozenset({Status.STARTED, Status.DONE, Status.FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Step id to what is remembered of it: `image`, `result`, `runs`. `found` are steps that were so before we came.

    `made_anew` are the names of bare pods that were made anew, or were about to be; `left` is the role in an annotation
    that was left to its owner.
    """

    ours: Mapping[str, Mapping[str, Json]]
    found: frozenset[str]
    made_anew: frozenset[str] = frozenset()
    left: str | None = None

    @property
    def nothing_to_undo(self) -> bool:
        """The agent belongs to the cluster and stays; pods are only made anew again for what is undone before them."""
        return not (_UNDONE & set(self.ours) or self.made_anew)


def ledger(journal: Journal, service: ServiceId) -> Ledger:
    """The service's ledger since its last completed way back."""
    ours: dict[str, dict[str, Json]] = {}
    found: set[str] = set()
    made_anew: frozenset[str] = frozenset()
    left: str | None = None
    for run in _since_last_return(journal.runs(service)):
        for step, record in journal.records(run.id).items():
            if record.status is Status.FOUND or _turned_out_foreign(record):
                found.add(step)
                left = left_value(record) or left
            elif _begun(record):
                _enter(ours, step, record)
                made_anew |= bare.named(record.image) | bare.named(record.result)
    return Ledger(ours=ours, found=frozenset(found - set(ours)), made_anew=made_anew, left=left)


def remembered_role(journal: Journal, service: ServiceId) -> str | None:
    """The role that the ServiceAccount was annotated with before walks there took the annotation, or left it; or None.

    An owner to whom it was left may take it out at any time, and so may EKS while its add-on is updated.
    """
    held = ledger(journal, service)
    images = [held.ours.get(kind, {}).get("image") or {} for kind in (StepKind.ANNOTATION, StepKind.ADDON)]
    roles = (image.get("annotations", {}).get(ROLE_ARN_ANNOTATION) for image in images)
    return next((role for role in roles if role), held.left)


def way_back(plan: Plan, held: Ledger, *, gone: bool = False) -> tuple[PlannedStep, ...]:
    """The planned way back without the steps that are not ours to undo.

    Where the association was there before us it stays, and with it Pod Identity: no restart would bring IRSA back, and
    verify then expects what the association gives. Unless it is `gone` by now: then there is IRSA to go back to.
    """
    foreign_association = bool(_ASSOCIATING & held.found) and not gone
    return tuple(
        _expecting_pod_identity(step) if foreign_association and step.kind is StepKind.VERIFY else step
        for step in plan.back
        if _undo(step, held, foreign_association=foreign_association)
    )


def _undo(step: PlannedStep, held: Ledger, *, foreign_association: bool) -> bool:
    to_irsa = (StepKind.ASSOCIATION in held.ours or StepKind.ASSOCIATION in held.found) and not foreign_association
    if step.kind is StepKind.RESTART:
        return to_irsa
    if step.kind is StepKind.ANNOTATION and step.on.get("owner"):  # nothing to undo, but it must be there by then
        return to_irsa or step.id in held.ours
    if step.kind is StepKind.VERIFY:  # with a foreign association, pods that we never restarted are as we found them
        return not held.nothing_to_undo and (StepKind.RESTART in held.ours or not foreign_association)
    return step.id in held.ours


def _expecting_pod_identity(step: PlannedStep) -> PlannedStep:
    """Nothing was restarted: bare pods are as they were found."""
    return replace(step, on={**step.on, "as_found": True}, after={**step.after, "identity": "pod-identity"})


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


def _turned_out_foreign(record: StepRecord) -> bool:
    """An association that was not made by the run, though it had begun to: somebody was faster, or made it anew."""
    done = record.step == StepKind.ASSOCIATION and record.status is Status.DONE
    return done and (record.result or {"association": ""}).get("association") is None


def _enter(ours: dict[str, dict[str, Json]], step: str, record: StepRecord) -> None:
    entry = ours.setdefault(step, {"image": record.image, "result": None, "runs": []})
    entry["runs"].append(record.run)
    if record.result is not None:
        entry["result"] = record.result
