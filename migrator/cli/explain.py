"""`migrate explain`."""

from typing import Annotated

import typer

from migrator.cli.options import Common, command
from migrator.model.exits import Exit

EXAMPLE = """migrate explain role-missing
migrate explain drift
migrate explain 6"""


def register(app: typer.Typer) -> None:
    """Hangs the command on `app`."""

    @command(app, "explain", example=EXAMPLE)
    def explain(
        common: Common,
        code: Annotated[str, typer.Argument(metavar="CODE", help="A finding's, an error's or an exit code.")],
    ) -> Exit:
        """Explain a finding, an error code or an exit code: what it means, why it matters, what to do."""
        from migrator.cli.output import Output
        from migrator.render.views import explain as view

        Output(common).show(view.document(code), view.blocks)
        return Exit.DONE
