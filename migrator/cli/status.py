"""`migrate status`."""

import os
import sys
from math import isfinite
from typing import TYPE_CHECKING, Annotated, Any

import typer

from migrator.cli.options import Accounts, Clusters, Common, Namespaces, RoleGlobs, Waves, command
from migrator.cli.select import Selectors, selectors
from migrator.model.errors import UsageError
from migrator.model.exits import Exit

if TYPE_CHECKING:
    from migrator.cli.output import Output
    from migrator.cli.stores import Memory
    from migrator.cli.wiring import Wiring
    from migrator.model.ids import ServiceId
    from migrator.model.plan import Plan
    from migrator.render.views.status import Placed
    from migrator.store.plan_file import PlanFiles

EXAMPLE = """migrate status
migrate status --cluster 'prod-*' --output json
migrate status --watch --every 5"""

_EVERY = 2.0  # seconds


def register(app: typer.Typer) -> None:
    """Hangs the command on `app`."""

    @command(app, "status", example=EXAMPLE)
    def status(
        common: Common,
        *,
        cluster: Clusters = None,
        namespace: Namespaces = None,
        account: Accounts = None,
        role: RoleGlobs = None,
        wave: Waves = None,
        watch: Annotated[
            bool, typer.Option("--watch", "-w", help="Look again and again, on a terminal, until Ctrl-C.")
        ] = False,
        every: Annotated[
            float | None,
            typer.Option(
                "--every", metavar="SECONDS", min=0.1, max=86400, help=f"Pause of --watch.  [default: {_EVERY:g}]"
            ),
        ] = None,
    ) -> Exit:
        """Show where every service of the fleet stands, from the journal and the plan files. Asks no cluster.

        A plan file that cannot be read is named, and the exit code is then 2. Selectors that leave nothing, and a
        folder of plans that is not there, are said on stderr.

        With "--watch" journal and plans are read again every few seconds: how old the picture is, counts, who is at
        work at which step, and what wants a person. Ctrl-C is how to leave it, and no error (exit code 0).
        """
        from migrator.cli.output import Output
        from migrator.cli.wiring import Wiring
        from migrator.render.views import status as view

        wiring, output = Wiring(common), Output(common)
        chosen = selectors(cluster, namespace, account, role, wave)
        if every is not None and not isfinite(every):
            raise UsageError(f'"--every" is "{every}"', remedy="give it seconds, such as 5")
        if watch:
            return _watch(wiring, chosen, output, _EVERY if every is None else every)
        if every is not None:
            raise UsageError('"--every" is the pause of "--watch"', remedy='add "--watch", or leave it out')
        document = _document(wiring, chosen)
        output.show(document, view.blocks)
        if not wiring.folder.is_dir():
            output.hint(f'there is no folder of plans "{wiring.folder}"; "migrate plan" makes it')
        elif wiring.stores.none_yet:
            output.hint(f'nothing was ever carried out: there is no state file "{wiring.stores.none_yet}"')
        if not document["services"] and any((cluster, namespace, account, role, wave)):
            output.hint("no service is selected; give other globs, or none")
        return Exit.USAGE if document["unreadable"] else Exit.DONE


def _watch(wiring: "Wiring", chosen: Selectors, output: "Output", every: float) -> Exit:
    """Looks until it is told to stop.

    Raises:
        UsageError: there is no terminal to draw on, or the result is not for people.
    """
    from migrator.render.screen import lively

    if not output.for_people:
        raise UsageError('"--watch" draws for people', remedy='leave out "--output", or "--watch"')
    if not sys.stdout.isatty():
        raise UsageError('"--watch" draws on a terminal, and stdout is none', remedy='leave out "--watch"')
    if not lively(sys.stdout, os.environ):
        raise UsageError(
            '"--watch" draws over its own lines, which NO_COLOR or a dumb terminal does not allow',
            remedy='leave out "--watch"',
        )
    from migrator.cli.watching import watch
    from migrator.store.plan_watch import WatchedPlans

    files = WatchedPlans(wiring.folder)
    return watch(lambda: _document(wiring, chosen, files), every)


def _document(wiring: "Wiring", chosen: Selectors, files: "PlanFiles | None" = None) -> dict[str, Any]:
    """The status as it is now."""
    from migrator.render.views import status as view
    from migrator.running.batch.brakes import BREAKER, marked_open

    plans, unreadable = wiring.readable_plans(files)
    with wiring.memory() as memory:
        placed = _placed(wiring, plans, memory, chosen)
        holders = memory.locks.holders() if memory else ()
        breakers = marked_open(memory.journal.marks(BREAKER)) if memory else {}
    return view.document(placed, holders, unreadable, breakers)


def _placed(
    wiring: "Wiring", plans: "dict[ServiceId, Plan]", memory: "Memory | None", chosen: Selectors
) -> "list[Placed]":
    from migrator.render.views.status import Placed
    from migrator.running import handed, proven

    states = memory.journal.states() if memory else {}
    marks = memory.journal.marks(proven.MARK) if memory else {}
    looks = memory.journal.marks(handed.MARK) if memory else {}
    placed = []
    for service in sorted(plans.keys() | states.keys()):
        entry, plan = wiring.fleet.cluster(service.cluster), plans.get(service)
        if chosen.cluster(service.cluster, entry.account if entry else "") and chosen.planned(service, plan):
            state = states.get(service)
            unproven = state is not None and proven.unproven(state, marks)
            left_to = handed.left_to(state, looks)
            placed.append(Placed(service=service, plan=plan, state=state, unproven=unproven, left_to=left_to))
    return placed
