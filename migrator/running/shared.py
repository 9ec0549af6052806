"""Locks of what services share: a role, an add-on, a cluster's agent. One edit at a time; another's is waited for."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from migrator.model.errors import Locked
from migrator.model.facts import Json
from migrator.model.plan import PlannedStep, StepKind
from migrator.model.ports.running import Clock, Interrupt, Locks
from migrator.running.pulse import Pulse
from migrator.running.waiting import checkpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What the walk of one service shares with others."""

    locks: Locks
    clock: Clock
    interrupt: Interrupt
    pulse: Pulse

    @contextmanager
    def held(self, planned: PlannedStep, *, doing: str, patience: float, poll: float) -> Iterator[None]:
        """Holds the lock that the step's thing has, if it has one.

        Args:
            planned: the step.
            doing: for what, to be told to others.
            patience: seconds to wait for another runner.
            poll: seconds between two looks.

        Raises:
            Locked: another runner has it for longer than that, or took over a lock that is held here.
            Interrupted: a signal was honoured meanwhile.
        """
        key = _lock_key(planned)
        if key is None:
            yield
            return
        began = self.clock.monotonic()
        while True:
            holding = self.locks.held(key, doing=doing)
            try:
                holding.__enter__()
                break
            except Locked:
                checkpoint(self.interrupt)
                self.pulse.beat()
                if self.clock.monotonic() - began >= patience:
                    raise
                self.clock.sleep(min(poll, 1.0))
        try:
            yield
        finally:
            holding.__exit__(None, None, None)


def _lock_key(planned: PlannedStep) -> str | None:
    on: Mapping[str, Json] = planned.on
    if planned.kind in {StepKind.TRUST, StepKind.SOURCE_ROLE, StepKind.TARGET_TRUST}:
        return f"role:{on['role']}"
    if planned.kind is StepKind.ADDON:  # its update replaces the whole list: two of its ServiceAccounts take turns
        return f"addon:{on['arn']}"
    return f"agent:{on['cluster']}" if planned.kind is StepKind.AGENT else None
