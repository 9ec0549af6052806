"""The wiring of `apply` and `rollback` over a fake world, and what is read of what they print."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from migrator.cli import apply, rollback
from migrator.cli.again import Again
from migrator.cli.carry import Carrier, Errand
from migrator.cli.options import Common, Form, LogFormat
from migrator.cli.stores import Memory
from migrator.model.events import Reporter
from migrator.model.exits import Exit
from migrator.model.ids import ServiceId
from migrator.model.journal import Direction, Outcome, Run
from migrator.model.plan import Plan
from migrator.model.ports.running import Interrupt, Journal
from migrator.render.contract import schema
from migrator.render.views.walk import Intended
from migrator.running.result import Result
from migrator.running.service import Runner
from tests.fakes.parts import deployment
from tests.fakes.running import SERVICE, Bench
from tests.fakes.world import FakeWorld

COMMON = Common(
    fleet=Path("fleet.yaml"),
    plans=None,
    output=Form.TABLE,
    log_format=LogFormat.CONSOLE,
    verbose=False,
    quiet=False,
    debug=False,
)


def intend(plan: Plan, journal: Journal | None) -> Intended:
    return apply.intended(Again(plan=plan), journal)


@dataclass
class Crew:
    """One runner for all."""

    bench: Bench

    def runner(self, service: ServiceId) -> Runner:
        assert service.cluster == "prod"
        return self.bench.runner()


@dataclass
class Desk:
    """The wiring over a fake world."""

    bench: Bench = field(default_factory=lambda: Bench(FakeWorld(declared=[deployment()])))
    common: Common = COMMON

    @contextmanager
    def memory(self) -> Iterator[Memory | None]:
        yield Memory(self.bench.journal, self.bench.locks) if self.bench.journal.all_runs else None

    @contextmanager
    def crew(self, reporter: Reporter, interrupt: Interrupt, wake: threading.Event) -> Iterator[Crew]:
        assert interrupt() is None
        assert not wake.is_set()
        self.bench.reporter.tell = reporter.tell  # type: ignore[method-assign] # the bench's runner tells the edge
        yield Crew(self.bench)

    def apply(self, *plans: Plan, yes: bool = True, dry_run: bool = False) -> Exit:
        errand = Errand(
            command="apply",
            question="migrate",
            intend=intend,
            carry=lambda runner, plan: runner.apply(plan, self.bench.document),
        )
        return Carrier(self, errand, yes=yes, dry_run=dry_run).run(plans or [self.bench.plan])

    def rollback(self) -> Exit:
        errand = Errand(
            command="rollback",
            question="roll back",
            intend=rollback.intended,
            carry=lambda runner, plan: runner.rollback(plan.service),
        )
        return Carrier(self, errand, yes=True, dry_run=False).run([self.bench.plan])

    def carry(self, carry: Callable[[Runner, Plan], Result], *plans: Plan) -> Exit:
        errand = Errand(command="apply", question="migrate", intend=intend, carry=carry)
        return Carrier(self, errand, yes=True, dry_run=False).run(plans)


def results(text: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(text)
    Draft202012Validator(schema(data["command"])).validate(data)
    return data


def open_run() -> Run:
    forward, outcome = Direction.FORWARD, Outcome.OPEN
    return Run(id="r", service=SERVICE, direction=forward, outcome=outcome, plan={}, actor="", host="", started="")
