"""Runs, records and marks as items, and back."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from migrator.model.errors import StoreFault
from migrator.model.fleet import DynamoState
from migrator.model.ids import ServiceId
from migrator.model.journal import Direction, Mark, Outcome, Run, Status, StepRecord
from migrator.store.dynamo.table import Key, key
from migrator.store.dynamo.values import Attributes, document, fitting, read_document, read_text, text

ENDED, MARKS, OPEN, SERVICES = "ended", "marks", "open", "services"
RUN, RUNS, RECORDS = "run", "run#", "record#"
_PLAIN = ("service", "direction", "outcome", "actor", "host", "started", "ended", "note", "cause")


def of_run(run: str) -> str:
    """The partition of a run and its records."""
    return f"run#{run}"


def of_service(service: ServiceId) -> str:
    """The partition of a service's list of runs."""
    return f"service#{service}"


def of_step(step: str) -> str:
    """The partition of a step's records of all services."""
    return f"step#{step}"


def run_item(run: Run, nonce: str) -> Attributes:
    """The run.

    Raises:
        StoreFault: its plan is too large.
    """
    item = {
        **key((of_run(run.id), RUN)),
        **_about(run),
        "plan": document(run.plan),
        "write": text(nonce),
    }
    return fitting(item, f'the plan of "{run.service}"')


def pointer(run: Run, order: str) -> Attributes:
    """Its place in the service's list of runs."""
    return {**key((of_service(run.service), RUNS + order)), "run": text(run.id)}


def newest(run: Run) -> Attributes:
    """That it is the service's newest run."""
    return {**key((SERVICES, str(run.service))), "run": text(run.id)}


def open_item(run: Run) -> Attributes:
    """That it is the service's open run."""
    return {**key((OPEN, str(run.service))), "run": text(run.id)}


def ended_item(run: Run) -> Attributes:
    """The run among those that ended, without its plan."""
    return {**key((ENDED, f"{run.ended}#{run.id}")), **_about(run), "plan": document(None)}


def record_item(record: StepRecord, order: str, nonce: str) -> Attributes:
    """The record.

    Raises:
        StoreFault: it is too large.
    """
    item = {
        **key((of_run(record.run), RECORDS + order)),
        "id": text(record.run),
        "step": text(record.step),
        "status": text(record.status),
        "at": text(record.at),
        "image": document(record.image),
        "result": document(record.result),
        "note": text(record.note),
        "write": text(nonce),
    }
    return fitting(item, f'the record of step "{record.step}" of run "{record.run}"')


def by_step(record: StepRecord, order: str) -> Attributes:
    """Where the record is, among those of its step."""
    where = {"run": text(record.run), "record": text(RECORDS + order)}
    return {**key((of_step(record.step), f"{record.at}#{record.run}#{order}")), **where}


def mark_item(mark: Mark) -> Attributes:
    """The mark.

    Raises:
        StoreFault: it is too large.
    """
    item = {**key((MARKS, f"#{mark.key}")), "data": document(mark.data), "at": text(mark.at)}
    return fitting(item, f'the mark "{mark.key}"')


def place_of(item: Attributes) -> Key:
    """The key of the record that an item of a step's partition tells of."""
    return of_run(read_text(item, "run")), read_text(item, "record")


class Reader:
    """Reads items of one table."""

    def __init__(self, state: DynamoState) -> None:
        self._state = state

    def run(self, item: Attributes) -> Run:
        """The run of that item.

        Raises:
            StoreFault: it is damaged; so for the others.
        """
        with self._whole(item):
            plain = {name: read_text(item, name) for name in _PLAIN}
            return Run(
                id=read_text(item, "id"),
                service=ServiceId.parse(plain.pop("service")),
                direction=Direction(plain.pop("direction")),
                outcome=Outcome(plain.pop("outcome")),
                plan=read_document(item, "plan"),
                **plain,
            )

    def record(self, item: Attributes) -> StepRecord:
        """The record of that item."""
        with self._whole(item):
            return StepRecord(
                run=read_text(item, "id"),
                step=read_text(item, "step"),
                status=Status(read_text(item, "status")),
                at=read_text(item, "at"),
                image=read_document(item, "image"),
                result=read_document(item, "result"),
                note=read_text(item, "note"),
            )

    def mark(self, item: Attributes) -> Mark:
        """The mark of that item."""
        with self._whole(item):
            return Mark(key=read_text(item, "sk")[1:], data=read_document(item, "data"), at=read_text(item, "at"))

    @contextmanager
    def _whole(self, item: Mapping[str, Any]) -> Iterator[None]:
        try:
            yield
        except ValueError as error:
            which = "/".join(item[name]["S"] for name in ("pk", "sk"))
            raise StoreFault(
                f'{self._state} is damaged: item "{which}" cannot be read: {error}',
                remedy="nothing was changed; restore the table to a point in time",
            ) from error


def _about(run: Run) -> Attributes:
    return {"id": text(run.id), **{name: text(str(getattr(run, name))) for name in _PLAIN}}
