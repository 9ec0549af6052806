"""Annotations that were left to their owners: to whom, and whether he has taken his out since.

The journal says what the run saw. A later look leaves a mark where the ServiceAccount stands otherwise by then.
"""

from collections.abc import Iterable, Mapping

from migrator.model.ids import ServiceId
from migrator.model.journal import Direction, Mark, Run, ServiceState, Status, StepRecord
from migrator.model.plan import StepKind
from migrator.model.ports.running import Clock, Journal
from migrator.model.ports.steps import ServiceAccounts

MARK = "annotation:"  # a mark's key begins so


def key(service: ServiceId) -> str:
    """Of the mark that a later look leaves."""
    return f"{MARK}{service}"


def left_value(record: StepRecord) -> str | None:
    """The annotation's value where the step left it in place, for its owner; else None."""
    value: str | None = record.result["value"] if _left(record) else None
    return value


def left_to(state: ServiceState | None, marks: Mapping[str, Mark]) -> str:
    """Whose annotation a walk there left in place and is in place still, as people name him; empty if there is none."""
    if state is None or state.run is None or state.run.direction is Direction.BACK:
        return ""
    owner = owner_of(state.steps)
    return "" if owner and gone(state.run, marks) else owner


def owner_of(steps: Iterable[StepRecord]) -> str:
    """Whom a run left its annotation to; empty if it did not."""
    return next((str(one.result["left_to"]) for one in steps if _left(one)), "")


def gone(run: Run, marks: Mapping[str, Mark]) -> bool:
    """Whether a look since the run found the annotation taken out."""
    mark = marks.get(key(run.service))
    said = mark.data or {} if mark is not None else {}
    return said.get("run") == run.id and bool(said.get("gone"))


def look(run: Run, cluster: ServiceAccounts, journal: Journal, clock: Clock) -> bool:
    """Whether the annotation that the run left is gone by now; what has changed since the last look is marked."""
    account = cluster.service_account(run.service.namespace, run.service.name)
    now = account is None or account.role_arn is None
    if now != gone(run, journal.marks(key(run.service))):
        journal.mark(key(run.service), {"run": run.id, "gone": now}, clock.now())
    return now


def _left(record: StepRecord) -> bool:
    found = record.step == StepKind.ANNOTATION and record.status is Status.FOUND
    return found and bool((record.result or {}).get("left_to"))
