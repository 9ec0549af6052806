"""`migrate status`."""

from typing import TYPE_CHECKING

import typer

from migrator.cli.options import Accounts, Clusters, Common, Namespaces, RoleGlobs, Waves, command
from migrator.cli.select import Selectors, selectors
from migrator.model.exits import Exit

if TYPE_CHECKING:
    from migrator.cli.wiring import Memory, Wiring
    from migrator.model.ids import ServiceId
    from migrator.model.plan import Plan
    from migrator.render.views.status import Placed

EXAMPLE = """migrate status
migrate status --cluster 'prod-*' --output json"""


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
    ) -> Exit:
        """Show where every service of the fleet stands, from the journal and the plan files. Calls no cloud.

        A plan file that cannot be read is named, and the exit code is then 2. Selectors that leave nothing, and a
        folder of plans that is not there, are said on stderr.
        """
        from migrator.cli.output import Output
        from migrator.cli.wiring import Wiring
        from migrator.render.views import status as view

        wiring = Wiring(common)
        plans, unreadable = wiring.readable_plans()
        with wiring.memory() as memory:
            placed = _placed(wiring, plans, memory, selectors(cluster, namespace, account, role, wave))
            holders = memory.locks.holders() if memory else ()
        output = Output(common)
        output.show(view.document(placed, holders, unreadable), view.blocks)
        if not wiring.folder.is_dir():
            output.hint(f'there is no folder of plans "{wiring.folder}"; "migrate plan" makes it')
        if not placed and any((cluster, namespace, account, role, wave)):
            output.hint("no service is selected; give other globs, or none")
        return Exit.USAGE if unreadable else Exit.DONE


def _placed(
    wiring: "Wiring", plans: "dict[ServiceId, Plan]", memory: "Memory | None", chosen: Selectors
) -> "list[Placed]":
    from migrator.render.views.status import Placed

    states = memory.journal.states() if memory else {}
    placed = []
    for service in sorted(plans.keys() | states.keys()):
        entry, plan = wiring.fleet.cluster(service.cluster), plans.get(service)
        if chosen.cluster(service.cluster, entry.account if entry else "") and chosen.planned(service, plan):
            placed.append(Placed(service=service, plan=plan, state=states.get(service)))
    return placed
