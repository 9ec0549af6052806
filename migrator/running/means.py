"""What every walk of a runner is made of: the ports, the contexts of its steps, its book, its lock."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from migrator.model.errors import Drift
from migrator.model.events import Reporter, RunStarted
from migrator.model.facts import Json
from migrator.model.fleet import Waits
from migrator.model.ids import ServiceId
from migrator.model.journal import Direction, Run
from migrator.model.plan import Plan, PlannedStep, StepKind
from migrator.model.ports.running import Clock, Interrupt, Journal, Locks
from migrator.model.ports.steps import ClusterWorld, IamWorld
from migrator.model.trust import subject_from
from migrator.running.guards import Guards
from migrator.running.lately import lately
from migrator.running.ledger import ledger
from migrator.running.moves import Book
from migrator.running.pulse import Pulse
from migrator.running.role_past import role_past
from migrator.running.runs import Runs
from migrator.running.walk import Walk
from migrator.steps.step import Context, RolePast


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a runner works with. `plan_of` revives the plan document that a run carries.

    `file_of` names a service's plan file to people. `recreate_bare_pods` is a person's word, for both ways: bare pods
    may be deleted and made anew. `at_lock` is called once a service's lock is held, before anything else; what it
    raises ends the command.
    """

    cluster: ClusterWorld
    trust: IamWorld
    journal: Journal
    locks: Locks
    clock: Clock
    reporter: Reporter
    interrupt: Interrupt
    waits: Waits
    actor: str
    host: str
    plan_of: Callable[[Json], Plan]
    file_of: Callable[[ServiceId], str]
    recreate_bare_pods: bool = False
    at_lock: Callable[[ServiceId], None] = lambda _service: None

    def _book(self, run: Run) -> Book:
        return Book.open(run, self.journal, self.clock, self.reporter)

    def _walk(self, book: Book, plan: Plan, steps: tuple[PlannedStep, ...]) -> None:
        run = book.run
        context = partial(self._context, run, plan)
        self.reporter.tell(
            RunStarted(
                service=run.service,
                direction=run.direction,
                run=run.id,
                resumed=bool(book.records),
                steps=tuple(step.id for step in steps),
                statuses={step: record.status for step, record in book.records.items()},
            )
        )
        Walk(
            steps=steps,
            book=book,
            context=context,
            locks=self.locks,
            clock=self.clock,
            reporter=self.reporter,
            interrupt=self.interrupt,
            guard=Guards.of(plan, book, context).before,
            pulse=Pulse(self.locks, self.clock),
        ).go()

    def _context(self, run: Run, plan: Plan, step: str) -> Context:
        back, held = run.direction is Direction.BACK, ledger(self.journal, run.service)
        return Context(
            service=run.service,
            run=run.id,
            cluster=self.cluster,
            trust=self.trust,
            waits=self.waits,
            check=None if back else plan.edit.verify,  # it may be about Pod Identity; the way back asks for IRSA only
            keys_accepted=plan.edit.accepts("static-keys"),
            **_roles(plan),
            cluster_arn=str(plan.facts["cluster"]["arn"]),
            forward=held.ours.get(step, {}) if back else {},
            past=partial(self._past, plan),
            lately=lately(self.journal, self.clock, plan.step(step), self.waits.trust),
            restart="rollout" if back else plan.edit.restart,
            recreate_bare_pods=self.recreate_bare_pods,
            made_anew=held.made_anew,
        )

    def _past(self, plan: Plan) -> RolePast:
        step = plan.trust_step
        return role_past(self.journal, plan.service, step) if step is not None else RolePast()

    def _look_context(self, plan: Plan) -> Context:
        return Context(
            service=plan.service,
            run="",
            cluster=self.cluster,
            trust=self.trust,
            waits=self.waits,
            check=plan.edit.verify,
            keys_accepted=plan.edit.accepts("static-keys"),
            **_roles(plan),
            cluster_arn=str(plan.facts["cluster"]["arn"]),
            restart=plan.edit.restart,
            recreate_bare_pods=self.recreate_bare_pods,
        )

    def _prove(self, plan: Plan) -> None:
        difference = self.cluster.prove(plan.facts["cluster"])
        if difference is not None:
            doing = f"{self.file_of(plan.service)}: planned for another cluster than the one reached"
            raise Drift(difference, doing=doing, remedy="plan again, or correct the fleet file")

    @property
    def _runs(self) -> Runs:
        return Runs(journal=self.journal, clock=self.clock, reporter=self.reporter, actor=self.actor, host=self.host)

    @contextmanager
    def _service(self, service: ServiceId, doing: str) -> Iterator[None]:
        with self.locks.held(f"service:{service}", doing=doing):
            self.at_lock(service)
            yield


def _roles(plan: Plan) -> dict[str, Any]:
    """The roles that the plan's association names, and whom the roles on the way must let in."""
    step = plan.step(StepKind.ASSOCIATION) or plan.step(StepKind.ADDON)
    edited, source = plan.trust_step, plan.step(StepKind.SOURCE_ROLE)
    if step is None or edited is None:
        return {}
    own = {source.on["role"]: subject_from(source.on["subject"])} if source else {}
    return {
        "role_arn": step.after["role_arn"],
        "target": step.after.get("target_role_arn", ""),
        "lets_in": {**own, edited.on["role"]: subject_from(edited.after["subject"])},
    }
