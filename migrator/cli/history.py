"""`migrate history`."""

import typer

from migrator.cli.options import Common, OneService, command
from migrator.model.exits import Exit

EXAMPLE = """migrate history payments/orders
migrate history payments/orders --verbose"""


def register(app: typer.Typer) -> None:
    """Hangs the command on `app`."""

    @command(app, "history", example=EXAMPLE)
    def history(common: Common, service: OneService) -> Exit:
        """Show a service's journal: every step, by whom, when; with --verbose also before and after."""
        from migrator.cli.output import Output
        from migrator.cli.wiring import Wiring
        from migrator.render.views import history as view

        wiring = Wiring(common)
        with wiring.memory() as memory:
            found = wiring.find([service], memory)[0]
            lines = memory.journal.history(found) if memory else ()
        document = view.document(found, lines)
        Output(common).show(document, lambda data: view.blocks(data, verbose=common.verbose))
        return Exit.DONE
