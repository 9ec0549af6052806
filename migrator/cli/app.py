"""The command line as a whole: every command hung on one typer app. Importing it is cheap; see `migrator.cli`."""

import sys
from typing import Annotated

import typer

from migrator import __version__
from migrator.cli import apply, batch, explain, fleet, history, lab, plan, rollback, show, status, store, verify
from migrator.cli.usage import WrongUsage, wrong_usage
from migrator.model.exits import Exit

HELP = """Moves EKS workloads from IRSA to EKS Pod Identity, one service at a time, and can always go back.

Start with "migrate plan": it reads the clusters of the fleet file and writes one plan file
per service, changing nothing.
"""

app = typer.Typer(
    name="migrate",
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(given: bool) -> None:
    if given:
        typer.echo(f"migrate {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Show the version and exit.")
    ] = False,
) -> None:
    """What every command has in common; the help text is `HELP`."""


for module in (plan, show, explain, apply, rollback, verify, batch, status, history):
    module.register(app)
app.add_typer(fleet.app, name="fleet", short_help=fleet.HELP)
app.add_typer(store.app, name="store", short_help=store.HELP)
app.add_typer(lab.app, name="lab", short_help=lab.HELP)


def run() -> int:
    """Runs the command line in `sys.argv`; the exit code is one of `migrator.model.exits`.

    Raises:
        KeyboardInterrupt: Ctrl-C outside of a command's body; typer alone would end without a word.
    """
    try:
        code = app(prog_name="migrate", standalone_mode=False)
    except WrongUsage as error:
        return wrong_usage(error, sys.argv[1:])
    if code == 130 and not isinstance(code, Exit):  # typer's own number, no command's: nothing has been said yet
        raise KeyboardInterrupt
    return int(code or 0)
