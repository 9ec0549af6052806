"""`migrate apply`."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from migrator.cli.options import RECREATE, Common, Services, command
from migrator.model.exits import Exit
from migrator.model.plan import StepKind

if TYPE_CHECKING:
    from migrator.cli.again import Again
    from migrator.model.journal import Run
    from migrator.model.plan import Plan
    from migrator.model.ports.running import Journal
    from migrator.render.views.walk import Intended
    from migrator.running.result import Result
    from migrator.running.service import Runner

EXAMPLE = """migrate apply --service payments/orders
migrate apply --service orders --service checkout --yes
migrate apply --service orders --to association"""


def register(app: typer.Typer) -> None:
    """Hangs the command on `app`."""

    @command(app, "apply", example=EXAMPLE)
    def apply(
        common: Common,
        *,
        service: Services,
        yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")] = False,
        no_auto_rollback: Annotated[
            bool, typer.Option("--no-auto-rollback", help="When a step fails, stop there instead of going back.")
        ] = False,
        to: Annotated[
            StepKind | None,
            typer.Option("--to", metavar="STEP", help="Stop after this step; the same command without it goes on."),
        ] = None,
        from_drift: Annotated[
            bool, typer.Option("--from-drift", help="Where the world left the plan, plan again and go on.")
        ] = False,
        recreate_bare_pods: Annotated[bool, typer.Option("--recreate-bare-pods", help=RECREATE)] = False,
    ) -> Exit:
        """Carry out the plans of services, step by step. Shows what it will do, and asks.

        A run that was cut off is taken up where it stopped. When a step fails, the way back is walked by itself and
        IRSA is proven to be back (exit code 7). With several services, the exit code is the gravest of theirs.

        STEP is one that the plan has, as "migrate show" lists them: agent; trust, or source-role and target-trust;
        association or addon; annotation; restart; verify. The exit code is then 3.

        Without "--from-drift", a world that is neither before nor after a step stops the run (exit code 6). With it the
        service is planned again, what changed is shown, and once that is agreed to its plan file is written and carried
        out.
        """
        from migrator.cli.again import Again, plan_again, write
        from migrator.cli.carry import Carrier, Errand
        from migrator.cli.wiring import Wiring

        wiring = Wiring(common)

        def carry(runner: "Runner", plan: "Plan") -> "Result":
            told = replace(runner, recreate_bare_pods=recreate_bare_pods)
            return told.apply(
                plan,
                wiring.document_of(plan),
                auto_rollback=not no_auto_rollback,
                to=to,
                anew=planned[plan.service].anew,
            )

        errand = Errand(
            command="apply",
            question="migrate",
            intend=lambda plan, journal: intended(
                planned[plan.service], journal, to=to, recreate_bare_pods=recreate_bare_pods
            ),
            carry=carry,
            prepare=lambda: write(wiring, planned.values()),
        )
        with wiring.memory() as memory:
            found = wiring.find(service, memory)
            again = plan_again(wiring, found, memory) if from_drift else None
        planned = {one.plan.service: one for one in again or (Again(plan=wiring.plans.read(one)) for one in found)}
        return Carrier(wiring, errand, yes=yes, dry_run=dry_run).run([one.plan for one in planned.values()])


def intended(
    one: "Again", journal: "Journal | None", *, to: StepKind | None = None, recreate_bare_pods: bool = False
) -> "Intended":
    """What apply would do with a service: nothing while its plan is on hold or a finding blocks it.

    Neither stops a run that is open: what becomes of it, the runner decides. With `to`, its steps end there.
    """
    from migrator.render.views.walk import Intended
    from migrator.running.admission import blocks_of, way_past
    from migrator.running.runs import carried_out
    from migrator.running.stops import up_to
    from migrator.store.plan_document import plan_of

    plan = one.plan
    if one.problem:
        return Intended(plan=plan, left_alone=one.problem, exit=one.exit)
    shown = replace(plan, forward=up_to(plan, to))
    unfinished = journal.open_run(plan.service) if journal else None
    if unfinished is not None:
        return replace(_taken_up(shown, unfinished, anew=one.anew), changes=one.changes)
    blocks = blocks_of(plan, recreate_bare_pods=recreate_bare_pods)
    if plan.edit.hold:
        left = "on hold; set edit.hold to false in its plan file"
        return Intended(plan=plan, left_alone=left, exit=Exit.BLOCKED, changes=one.changes)
    if journal is not None and not one.anew and carried_out(journal, plan, plan_of) is not None:
        return Intended(plan=plan, note="migrated already by this very plan: it is only looked at again", looks=True)
    if blocks:
        said = f"blocked by {', '.join(blocks)}; see {way_past(blocks)}"
        return Intended(plan=plan, left_alone=said, exit=Exit.BLOCKED, changes=one.changes)
    return Intended(plan=shown, changes=one.changes)


def _taken_up(plan: "Plan", run: "Run", *, anew: bool) -> "Intended":
    from migrator.model.journal import Direction
    from migrator.render.views.walk import Intended

    if run.direction is Direction.BACK:
        return Intended(plan=replace(plan, forward=()), note="its way back is not over; that comes first")
    if anew:
        return Intended(plan=plan, note="a run is open that the world has left: this newer plan replaces it")
    return Intended(plan=plan, note="a run is open: it is taken up where it stopped, or replaced by a newer plan")
