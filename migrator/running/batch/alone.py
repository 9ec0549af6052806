"""One batch at a time, or any number of workers; never both."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from migrator.model.errors import Locked
from migrator.model.journal import Holder
from migrator.model.ports.running import Locks

KEY = "batch"
_WORKER = "worker:"
_WORKERS = 1000  # more than anybody starts


@contextmanager
def registered(locks: Locks, *, worker: bool) -> Iterator[None]:
    """Holds the fleet's batch lock, or one of its workers' places, for the block.

    Raises:
        Locked: a batch is at work, or, where this is to be the only one, workers are.
    """
    with _place(locks) if worker else locks.held(KEY, doing="batch"):
        for holder in locks.holders():
            if holder.key == KEY if worker else holder.key.startswith(_WORKER):
                raise _busy(holder)
        yield


@contextmanager
def _place(locks: Locks) -> Iterator[None]:
    """The first place that is free: a dead worker's is taken over, so that none are left behind."""
    with ExitStack() as stack:
        for number in range(_WORKERS):
            try:
                stack.enter_context(locks.held(f"{_WORKER}{number}", doing="batch"))
            except Locked:
                continue
            break
        else:
            raise Locked(f"{_WORKERS} workers are at work on this fleet already", remedy="start no more")
        yield


def _busy(holder: Holder) -> Locked:
    return Locked(
        f'"{holder.key}" is held by process {holder.pid} on "{holder.host}" since {holder.since} ({holder.doing})',
        remedy="a batch on its own and batches that are workers do not go together; wait for it, or stop it",
    )
