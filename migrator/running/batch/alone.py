"""One batch at a time, or any number of workers; never both."""

from collections.abc import Iterator
from contextlib import contextmanager

from migrator.model.errors import Locked
from migrator.model.journal import Holder
from migrator.model.ports import Locks

KEY = "batch"
_WORKER = "worker:"


@contextmanager
def registered(locks: Locks, name: str, *, worker: bool) -> Iterator[None]:
    """Holds the fleet's batch lock, or a worker's own, for the block.

    Raises:
        Locked: a batch is at work, or, where this is to be the only one, workers are.
    """
    with locks.held(f"{_WORKER}{name}" if worker else KEY, doing="batch"):
        for holder in locks.holders():
            if holder.key == KEY if worker else holder.key.startswith(_WORKER):
                raise _busy(holder)
        yield


def _busy(holder: Holder) -> Locked:
    return Locked(
        f'"{holder.key}" is held by process {holder.pid} on "{holder.host}" since {holder.since} ({holder.doing})',
        remedy="a batch on its own and batches that are workers do not go together; wait for it, or stop it",
    )
