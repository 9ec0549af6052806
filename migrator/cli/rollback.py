"""`migrate rollback`."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from migrator.cli.options import RECREATE, Common, Services, command
from migrator.model.exits import Exit

if TYPE_CHECKING:
    from migrator.cli.stores import Memory
    from migrator.cli.wiring import Wiring
    from migrator.model.ids import ServiceId
    from migrator.model.plan import Plan
    from migrator.model.ports.running import Journal
    from migrator.render.views.walk import Intended

EXAMPLE = """migrate rollback --service payments/orders"""


def register(app: typer.Typer) -> None:
    """Hangs the command on `app`."""

    @command(app, "rollback", example=EXAMPLE)
    def rollback(
        common: Common,
        service: Services,
        yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")] = False,
        recreate_bare_pods: Annotated[bool, typer.Option("--recreate-bare-pods", help=RECREATE)] = False,
    ) -> Exit:
        """Take services back to IRSA: undo what the journal says is ours, and nothing else. Shows it, and asks.

        A rollback that was cut off is taken up where it stopped.
        """
        from migrator.cli.carry import Carrier, Errand
        from migrator.cli.wiring import Wiring

        wiring = Wiring(common)
        errand = Errand(
            command="rollback",
            question="roll back",
            intend=intended,
            carry=lambda runner, plan: replace(runner, recreate_bare_pods=recreate_bare_pods).rollback(plan.service),
        )
        with wiring.memory() as memory:
            plans = [plan_of(wiring, found, memory) for found in wiring.find(service, memory)]
        return Carrier(wiring, errand, yes=yes, dry_run=dry_run).run(plans)


def plan_of(wiring: "Wiring", service: "ServiceId", memory: "Memory | None") -> "Plan":
    """The plan that the newest run of the service carries; the plan file's when it never had one."""
    run = memory.journal.state(service).run if memory else None
    return wiring.plan_of(run.plan) if run else wiring.plans.read(service)


def intended(plan: "Plan", journal: "Journal | None") -> "Intended":
    """What rollback would do: the planned way back without the steps that are not ours to undo.

    A run that is open is never left alone: where nothing is to be undone, rollback ends it.
    """
    from migrator.render.views.walk import Intended
    from migrator.running.ledger import ledger, way_back

    held = ledger(journal, plan.service) if journal else None
    unfinished = journal.open_run(plan.service) if journal else None
    if held is None or (held.nothing_to_undo and unfinished is None):
        return Intended(plan=plan, left_alone="nothing of ours is in place; nothing to do")
    if held.nothing_to_undo:
        return Intended(plan=replace(plan, back=()), note="nothing of ours is in place; the run that is open is ended")
    return Intended(plan=replace(plan, back=way_back(plan, held)))
