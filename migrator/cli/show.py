"""`migrate show`."""

import typer

from migrator.cli.options import Common, OneService, command
from migrator.model.exits import Exit

EXAMPLE = """migrate show payments/orders
migrate show prod-eu/payments/orders --output json"""


def register(app: typer.Typer) -> None:
    """Hangs the command on `app`."""

    @command(app, "show", example=EXAMPLE)
    def show(common: Common, service: OneService) -> Exit:
        """Show one plan in full: facts, findings, steps, the trust policy's diff, the way back.

        Reads the plan file and the journal only.
        """
        from migrator.cli.output import Output
        from migrator.cli.wiring import Wiring
        from migrator.render.views import show as view

        wiring = Wiring(common)
        with wiring.memory() as memory:
            found = wiring.find([service], memory)[0]
            state = memory.journal.state(found) if memory else None
        plan = wiring.plans.read(found)
        Output(common).show(view.document(plan, file=wiring.plan_file(found), state=state), view.blocks)
        return Exit.DONE
