"""`migrate apply`."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from migrator.cli.options import Common, Services, command
from migrator.model.exits import Exit

if TYPE_CHECKING:
    from migrator.model.journal import Run
    from migrator.model.plan import Plan
    from migrator.model.ports import Journal
    from migrator.render.views.walk import Intended

EXAMPLE = """migrate apply --service payments/orders
migrate apply --service orders --service checkout --yes"""


def register(app: typer.Typer) -> None:
    """Hangs the command on `app`."""

    @command(app, "apply", example=EXAMPLE)
    def apply(
        common: Common,
        service: Services,
        yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")] = False,
        no_auto_rollback: Annotated[
            bool, typer.Option("--no-auto-rollback", help="When a step fails, stop there instead of going back.")
        ] = False,
    ) -> Exit:
        """Carry out the plans of services, step by step. Shows what it will do, and asks.

        A run that was cut off is taken up where it stopped. When a step fails, the way back is walked by itself and
        IRSA is proven to be back (exit code 7). With several services, the exit code is the gravest of theirs.
        """
        from migrator.cli.carry import Carrier, Errand
        from migrator.cli.wiring import Wiring

        wiring = Wiring(common)
        errand = Errand(
            command="apply",
            question="migrate",
            intend=intended,
            carry=lambda runner, plan: runner.apply(plan, wiring.document_of(plan), auto_rollback=not no_auto_rollback),
        )
        with wiring.memory() as memory:
            plans = [wiring.plans.read(found) for found in wiring.find(service, memory)]
        return Carrier(wiring, errand, yes=yes, dry_run=dry_run).run(plans)


def intended(plan: "Plan", journal: "Journal | None") -> "Intended":
    """What apply would do with the plan: nothing while it is on hold or a finding blocks it.

    Neither stops a run that is open: what becomes of it, the runner decides.
    """
    from migrator.planning.verdict import open_blocks
    from migrator.render.views.walk import Intended

    unfinished = journal.open_run(plan.service) if journal else None
    if unfinished is not None:
        return _taken_up(plan, unfinished)
    blocks = open_blocks(plan.findings, plan.edit.accept)
    if plan.edit.hold:
        return Intended(plan=plan, left_alone="on hold; set edit.hold to false in its plan file", exit=Exit.BLOCKED)
    if blocks:
        said = f"blocked by {', '.join(blocks)}; see migrate explain {blocks[0]}"
        return Intended(plan=plan, left_alone=said, exit=Exit.BLOCKED)
    if journal is not None and _carried_out(plan, journal):
        return Intended(plan=plan, note="migrated already by this very plan: it is only looked at again", looks=True)
    return Intended(plan=plan)


def _carried_out(plan: "Plan", journal: "Journal") -> bool:
    """Whether the newest run of the service was this plan's, there, and is done."""
    from migrator.model.journal import Standing
    from migrator.store.plan_document import document_of

    state = journal.state(plan.service)
    return state.standing is Standing.MIGRATED and state.run is not None and state.run.plan == document_of(plan)


def _taken_up(plan: "Plan", run: "Run") -> "Intended":
    from migrator.model.journal import Direction
    from migrator.render.views.walk import Intended

    if run.direction is Direction.BACK:
        return Intended(plan=replace(plan, forward=()), note="its way back is not over; that comes first")
    return Intended(plan=plan, note="a run is open: it is taken up where it stopped, or replaced by a newer plan")
