"""`migrate plan`."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from migrator.cli.options import Accounts, Clusters, Common, Namespaces, RoleGlobs, Waves, command
from migrator.cli.run import Complaint
from migrator.cli.select import Selectors, clusters_of, selectors
from migrator.model.errors import UsageError
from migrator.model.exits import Exit, worst

if TYPE_CHECKING:
    from migrator.cli.output import Output
    from migrator.render.views.plan import Planning

EXAMPLE = """migrate plan
migrate plan --cluster 'prod-*' --namespace payments --dry-run
migrate plan --by role --dry-run"""


class By(StrEnum):
    """What the table of a plan is about."""

    SERVICE = "service"
    ROLE = "role"


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
        wave: Waves = None,
        by: Annotated[By, typer.Option("--by", help="What the table is about: services, or roles.")] = By.SERVICE,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Print only; write no plan file.")] = False,
    ) -> Exit:
        """Inventory the fleet and write one plan file per service. Changes nothing in the cloud.

        Prints the table of services with their findings and verdict, and what changed in the folder of plans. A cluster
        that cannot be reached is left out and named; the exit code is then 3, or 1 when no cluster could be reached. A
        service whose plan file cannot be read is named and not planned; the exit code is then 2. Which wave a service
        is in, its plan file says; one that has none yet is in no wave.

        With "--by role" the table tells of each role who uses it in any cluster of the fleet file, who else may assume
        it, and how large its trust policy gets. A cluster where nobody could look is named.
        """
        from migrator.cli.output import Output
        from migrator.cli.planning import run_planning
        from migrator.cli.wiring import Wiring

        wiring = Wiring(common)
        chosen = selectors(cluster, namespace, account, role, wave)
        planning = run_planning(
            wiring, chosen, clusters_of(wiring.fleet, chosen), dry_run=dry_run, by_role=by is By.ROLE
        )
        require_a_match(planning, chosen)
        return tell(planning, Output(common))


def tell(planning: "Planning", output: "Output") -> Exit:
    """Shows what planning came to; where no cluster could be reached, people are told why and nothing else."""
    from migrator.render.views import plan, roles

    code = ended(planning)
    reasons_only = output.for_people and len(planning.left_out) == planning.clusters
    if not reasons_only:
        if planning.seen is None:
            output.show(plan.document(planning), plan.blocks)
        else:
            output.show(roles.document(planning, planning.seen), roles.blocks)
    for complaint in complaints(planning, code):
        output.complain(complaint, always=reasons_only)
    return code


def ended(planning: "Planning") -> Exit:
    """Wrong usage when a plan file cannot be read; not finished when a cluster was left out, an error when all were."""
    codes = [Exit.USAGE] if planning.unread else []
    if planning.left_out:
        codes.append(Exit.ERROR if len(planning.left_out) == planning.clusters else Exit.UNFINISHED)
    return worst(codes)


def complaints(planning: "Planning", code: Exit) -> list[Complaint]:
    """What was left out, and why: clusters with the same reason in one line."""
    reasons: dict[str, list[str]] = {}
    for one in planning.left_out:
        reasons.setdefault(one.why, []).append(f'"{one.cluster}"')
    said = [
        f"{'cluster' if len(names) == 1 else 'clusters'} {', '.join(names)} left out: {why}"
        for why, names in reasons.items()
    ]
    files = [f'"{one.service}" was not planned: {one.problem}' for one in planning.unread]
    return [
        *(Complaint("environment", text, code) for text in said),
        *(Complaint("document", text, code) for text in files),
    ]


def require_a_match(planning: "Planning", chosen: Selectors) -> None:
    """Nothing, unless the selectors leave no service although every cluster was looked at.

    Raises:
        UsageError: they do.
    """
    seen = (planning.planned, planning.gone, planning.moved, planning.left_out, planning.unread)
    if (chosen.namespaces or chosen.roles or chosen.waves) and not any(seen):
        raise UsageError(
            f"no service with an annotated ServiceAccount is selected by {chosen.given()}",
            remedy='give others to "--namespace", "--role" and "--wave", or none',
        )
