"""What a batch is told and works with."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from migrator.model.errors import MigrateError
from migrator.model.events import Reporter
from migrator.model.facts import Json
from migrator.model.ids import ServiceId
from migrator.model.plan import Plan
from migrator.model.ports.running import Clock, Interrupt, Journal, Locks
from migrator.running.batch.agenda import Selected, Task
from migrator.running.runs import PlanOf
from migrator.running.service import Runner


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What the command line says.

    Attributes:
        selected: whether a service is meant.
        max_services: how many may be begun; None for any number.
        retry_failed: begin what failed earlier, too.
        worker: one of many; it waits for what others are at work on, and takes over what they leave.
    """

    selected: Selected
    max_services: int | None = None
    retry_failed: bool = False
    worker: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a batch works with.

    Attributes:
        runner: gives the runner of a service's cluster.
        account_of: the account of a cluster, by its alias.
        document_of: a plan's plain data.
        plan_of: revives the plan that a run carries.
    """

    journal: Journal
    locks: Locks
    clock: Clock
    reporter: Reporter
    interrupt: Interrupt
    runner: Callable[[ServiceId], Runner]
    account_of: Callable[[str], str]
    document_of: Callable[[Plan], Json]
    plan_of: PlanOf


@dataclass(slots=True, kw_only=True)
class Running:
    """A task under way, with the shares that it holds."""

    task: Task
    shares: ExitStack
    began: float  # monotonic


class Overtaken(MigrateError):
    """Another runner was at work on the service since the journal was read; nothing was done."""

    code = "overtaken"
