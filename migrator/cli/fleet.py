"""`migrate fleet`: what has to do with the fleet file itself."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from migrator.cli.options import Common, command
from migrator.model.exits import Exit

if TYPE_CHECKING:
    from migrator.cli.output import Output
    from migrator.render.views.fleet import Discovered

HELP = "The fleet file: write it, or add to it, from what the accounts hold."
EXAMPLE = """migrate fleet discover --region eu-west-1 --region eu-central-1
migrate fleet discover --account 111111111111=prod --account 222222222222 --role-name Migrator --region 'eu-*'
migrate fleet discover --dry-run --name 'prod-*'"""

app = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def group() -> None:
    """Keeps the group a group, though it has one command."""


@command(app, "discover", example=EXAMPLE)
def discover(
    common: Common,
    *,
    account: Annotated[
        list[str] | None,
        typer.Option(
            "--account",
            metavar="ID[=PROFILE]",
            help="Look in this account, with the credentials of this profile. May be repeated."
            "  [default: those of the fleet file, else the one the credentials lead to]",
        ),
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(
            "--region",
            metavar="GLOB",
            help="Look in these regions. May be repeated."
            "  [default: those of the fleet file, else that of the AWS configuration]",
        ),
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option("--name", metavar="GLOB", help="Only clusters of this EKS name. May be repeated."),
    ] = None,
    profile: Annotated[
        str, typer.Option("--profile", metavar="NAME", help="Profile for accounts that have none of their own.")
    ] = "",
    role_name: Annotated[
        str,
        typer.Option(
            "--role-name",
            metavar="ROLE",
            help="Assume this role, its path before it, in each account that has neither a profile of its own nor a"
            " place in the fleet file; {account} in it is the account's id.",
        ),
    ] = "",
    external_id: Annotated[
        str, typer.Option("--external-id", metavar="ID", help="What those roles' trust policies ask for.")
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write to this new file, and leave the fleet file as it is."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be written; write nothing.")] = False,
) -> Exit:
    """Write the fleet file from the clusters that EKS lists, over accounts and regions. Changes nothing in the cloud.

    A fleet file that is there is added to: new clusters and accounts come at the end of their lists, everything else,
    comments included, stays as it is. A cluster that is gone is named and its entry kept. An account whose role cannot
    be assumed, or a region that denies or throttles, is named and left out; the exit code is then 3, or 1 when nothing
    could be reached. How an account of the fleet file is reached is for the fleet file to say.
    """
    from migrator.cli.discovering import run_discovery
    from migrator.cli.discovery_scope import Wish
    from migrator.cli.output import Output

    wish = Wish(
        file=common.fleet,
        accounts=tuple(account or ()),
        regions=tuple(region or ()),
        names=tuple(name or ()),
        profile=profile,
        role_name=role_name,
        external_id=external_id,
        out=out,
        dry_run=dry_run,
    )
    return tell(run_discovery(wish), Output(common))


def tell(found: "Discovered", output: "Output") -> Exit:
    """Shows what was found; where nothing could be reached, people are told why and nothing else."""
    from migrator.cli.run import Complaint
    from migrator.render.views import fleet as view

    nothing = not found.reached
    code = Exit.DONE if not found.left_out else Exit.ERROR if nothing else Exit.UNFINISHED
    reasons_only = output.for_people and nothing
    if not reasons_only:
        output.show(view.document(found), view.blocks)
    for sentence in view.reasons(found.left_out):
        output.complain(Complaint("environment", sentence, code), always=reasons_only)
    if not found.entries and not found.left_out:
        output.hint("no cluster was found, so nothing was written; look in other regions, or for other names")
    return code
