"""`migrate plan`."""

from typing import TYPE_CHECKING, Annotated

import typer

from migrator.cli.options import Accounts, Clusters, Common, Namespaces, RoleGlobs, command
from migrator.cli.run import Complaint
from migrator.cli.select import Selectors, selectors
from migrator.model.errors import UsageError
from migrator.model.exits import Exit

if TYPE_CHECKING:
    from migrator.model.fleet import Fleet, FleetCluster
    from migrator.render.views.plan import Planning

EXAMPLE = """migrate plan
migrate plan --cluster 'prod-*' --namespace payments --dry-run"""


def register(app: typer.Typer) -> None:
    """Hangs the command on `app`."""

    @command(app, "plan", example=EXAMPLE)
    def plan(
        common: Common,
        *,
        cluster: Clusters = None,
        namespace: Namespaces = None,
        account: Accounts = None,
        role: RoleGlobs = None,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Print only; write no plan file.")] = False,
    ) -> Exit:
        """Inventory the fleet and write one plan file per service. Changes nothing in the cloud.

        Prints the table of services with their findings and verdict, and what changed in the folder of plans. A cluster
        that cannot be reached is left out and named; the exit code is then 3, or 1 when no cluster could be reached.
        """
        from migrator.cli.output import Output
        from migrator.cli.planning import run_planning
        from migrator.cli.wiring import Wiring
        from migrator.render.views import plan as view

        wiring = Wiring(common)
        chosen = selectors(cluster, namespace, account, role)
        planning = run_planning(wiring, chosen, clusters_of(wiring.fleet, chosen), dry_run=dry_run)
        output = Output(common)
        output.show(view.document(planning), view.blocks)
        code = ended(planning)
        for one in planning.left_out:
            output.complain(Complaint("environment", f'cluster "{one.cluster}" was left out: {one.why}', code))
        return code


def ended(planning: "Planning") -> Exit:
    """Not finished when a cluster was left out, an error of the environment when all were."""
    if not planning.left_out:
        return Exit.DONE
    return Exit.ERROR if len(planning.left_out) == planning.clusters else Exit.UNFINISHED


def clusters_of(fleet: "Fleet", chosen: Selectors) -> tuple["FleetCluster", ...]:
    """The clusters that the selectors leave.

    Raises:
        UsageError: none is left.
    """
    found = tuple(one for one in fleet.clusters if chosen.cluster(one.alias, one.account))
    if not found:
        known = ", ".join(f'"{one.alias}" (account {one.account})' for one in fleet.clusters)
        raise UsageError("no cluster of the fleet file is selected", remedy=f"it has {known}")
    return found
