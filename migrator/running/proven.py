"""Whether a pod proved a migrated service: at the end of its run, or, where there was none then, at a later look."""

from collections.abc import Mapping

from migrator.model.ids import ServiceId
from migrator.model.journal import Mark, ServiceState, Standing, StepRecord
from migrator.model.plan import StepKind

MARK = "proven:"  # a mark's key begins so


def key(service: ServiceId) -> str:
    """Of the mark that a later look leaves."""
    return f"{MARK}{service}"


def proven_by(record: StepRecord | None) -> bool:
    """Whether verify's own record names a container that it saw."""
    return bool(record and (record.result or {}).get("containers"))


def unproven(state: ServiceState, marks: Mapping[str, Mark]) -> bool:
    """Whether a migrated service still waits for its first pod."""
    run = state.run
    if run is None or state.standing is not Standing.MIGRATED:
        return False
    proof = next((step for step in state.steps if step.step == StepKind.VERIFY), None)
    if proof is None or proven_by(proof):
        return False
    mark = marks.get(key(run.service))
    return mark is None or (mark.data or {}).get("run") != run.id
