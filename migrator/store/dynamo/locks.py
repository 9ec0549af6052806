"""Locks in the table: leases that a heartbeat keeps alive, so that those of a dead process soon are anybody's.

A lease lasts a minute, unless the fleet file says otherwise; it is renewed four times as often, and by every write to
the journal. Which runner has it only the table decides: each renewal and each journal write is made on the condition
that owner and token are still ours. A process that was stopped, or cut off, for longer learns from its next write that
it has lost it, and writes nothing.
"""

import os
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any
from uuid import uuid4

from migrator.model.errors import Locked, MigrateError
from migrator.model.journal import Holder
from migrator.store.dynamo.heart import Heart
from migrator.store.dynamo.lease import LEASES, Lease, Taking, holder, living
from migrator.store.dynamo.table import Refused, Table
from migrator.store.holders import held_by, taken_over

_TRIES = 5  # of taking a lease that others take and give back meanwhile


class DynamoLocks:
    """The Locks port over a table."""

    def __init__(self, table: Table, who: str, *, length: float) -> None:
        self._table = table
        self._who = who
        self._length = length
        self._guard = threading.Lock()
        self._leases: dict[str, Lease] = {}
        self._heart = Heart(self._beat, length / 4)

    @contextmanager
    def held(self, key: str, *, doing: str) -> Iterator[None]:
        """Holds `key` for the block; a lease that ran out is taken over.

        Raises:
            Locked: a living runner has it, this one included.
        """
        lease = self._take(key, doing)
        with self._guard:
            self._leases[key] = lease
        self._heart.start()
        try:
            yield
        except BaseException as error:
            try:
                self._release(lease)
            except MigrateError as second:  # it runs out by itself; the block's own error tells more
                error.add_note(f'lock "{key}" was not given back: {second.sentence()}')
            raise
        self._release(lease)

    def renew(self) -> None:
        """Puts off the end of every lease that this thread holds; the heartbeat sees to the others.

        Raises:
            Locked: another runner took one of them over.
        """
        for lease in self._own():
            self._renew(lease)
            self._assure(lease)

    def holders(self) -> Sequence[Holder]:
        """Every lease that still holds, by key."""
        items = list(self._table.query(LEASES, owned=True))
        return [holder(item) for item in items if living(item, self._table.time.earliest())]

    def lease(self, key: str) -> Lease:
        """The lease that this process has on the key.

        Raises:
            Locked: it has none, or has lost it.
        """
        with self._guard:
            lease = self._leases.get(key)
        if lease is None:
            raise Locked(f'"{key}" is not held here', remedy="look at migrate status")
        if lease.lost:
            raise taken_over(key)
        return lease

    def fenced(self, lease: Lease, writes: Sequence[dict[str, Any]], nonce: str) -> Refused | None:
        """Writes all of it on condition that `lease`, and all that this thread holds, are still ours; renews them.

        Raises:
            Locked: one was lost: nothing was written, or it was before.
        """
        leases = list({id(one): one for one in (lease, *self._own())}.values())
        with ExitStack() as guards:
            for one in leases:
                guards.enter_context(one.guard)
            expires = self._expires()
            refused = self._table.transact([*(one.renewal(expires) for one in leases), *writes], nonce)
            for position, one in enumerate(leases):
                one.lost = one.lost or (refused is not None and refused.failed[position])
                if one.lost:
                    raise taken_over(one.key)
            if refused is not None and not refused.wrote(nonce):
                return refused
            for one in leases:
                self._renewed(one, expires)
                self._assure(one)
        return None

    def close(self) -> None:
        """Ends the heartbeat."""
        self._heart.stop()

    def _take(self, key: str, doing: str) -> Lease:
        for _ in range(_TRIES):
            seen = self._table.get(LEASES, key)
            now = self._table.time.earliest()
            if seen is not None and living(seen, now):
                raise held_by(holder(seen))
            taking = Taking(
                key=key,
                owner=uuid4().hex,
                host=socket.gethostname(),
                pid=os.getpid(),
                doing=f"{doing}, {self._who}",
                now=now,
                expires=now + self._length,
                seen=seen,
            )
            if taking.done(self._table.update(taking.write())):
                clock = self._table.time
                return Lease(key, taking.owner, taking.token, clock.passes(taking.expires), clock.clock())
        raise Locked(f'"{key}" is taken by one runner after another', remedy="run the same command again")

    def _release(self, lease: Lease) -> None:
        with self._guard:
            if self._leases.get(lease.key) is lease:
                del self._leases[lease.key]
        with lease.guard:
            if not lease.lost:
                self._table.update(lease.release())  # refused: it was lost, and is not ours to give back

    def _own(self) -> list[Lease]:
        with self._guard:
            return [lease for lease in self._leases.values() if lease.thread == threading.get_ident()]

    def _expires(self) -> float:
        return self._table.time.earliest() + self._length

    def _renew(self, lease: Lease) -> None:
        with lease.guard:
            expires = self._expires()
            refused = None if lease.lost else self._table.update(lease.renewal(expires))
            lease.lost = lease.lost or refused is not None
            if lease.lost:
                raise taken_over(lease.key)
            self._renewed(lease, expires)

    def _renewed(self, lease: Lease, expires: float) -> None:
        lease.deadline = self._table.time.passes(expires)
        lease.renewed = self._table.time.clock()

    def _assure(self, lease: Lease) -> None:
        """After a write: it may have taken so long, with all its attempts, that the lease has run out meanwhile.

        Raises:
            Locked: it is another's by now, or every renewal takes as long as it lasts.
        """
        for _ in range(_TRIES):
            if self._table.time.clock() < lease.deadline:
                return
            self._renew(lease)
        raise Locked(f'the lease of "{lease.key}" runs out while it is renewed', remedy="look at the network")

    def _beat(self) -> None:
        """Renews what was not renewed lately; a lease in the middle of a write is renewed by that."""
        with self._guard:
            leases = list(self._leases.values())
        for lease in leases:
            if self._table.time.clock() - lease.renewed >= self._length / 5 and lease.guard.acquire(blocking=False):
                try:
                    self._keep(lease)
                finally:
                    lease.guard.release()

    def _keep(self, lease: Lease) -> None:
        with self._guard:
            if self._leases.get(lease.key) is not lease or lease.lost:
                return
        with suppress(MigrateError):  # whoever holds the lease meets the same at his next write, in his own thread
            self._renew(lease)
