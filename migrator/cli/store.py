"""`migrate store`: makes the DynamoDB table, or tells how to; and moves the whole state from one store to another."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from migrator.cli.options import Common, command
from migrator.model.errors import StoreFault, UsageError
from migrator.model.exits import Exit

if TYPE_CHECKING:
    from migrator.cli.output import Output
    from migrator.cli.wiring import Wiring
    from migrator.model.fleet import DynamoState
    from migrator.render.blocks import Block
    from migrator.store.dynamo.making import Deed

HELP = "The state's store: make the DynamoDB table, describe it, and move the state between stores."

app = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode=None)


@command(app, "init", example="migrate store init --dry-run\nmigrate store init --yes")
def init(
    common: Common,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> Exit:
    """Make the DynamoDB table that the fleet file names, or what an existing one lacks.

    On-demand, with point-in-time recovery, protection against deletion, and expiry of leases only. May be run again.
    A state file needs none of it: the first command that writes makes it.
    """
    from migrator.cli.output import Output
    from migrator.cli.wiring import Wiring
    from migrator.render.views import store as view

    wiring, output = Wiring(common), Output(common)
    deeds = _missing(wiring)
    titles = [deed.title for deed in deeds]
    state = str(wiring.fleet.state)
    if deeds and not dry_run:
        if not _agreed(output, view.init_blocks(view.initialised(state, titles, done=False)), yes=yes):
            return Exit.UNFINISHED
        for deed in deeds:
            deed.do()
    output.show(view.initialised(state, titles, done=bool(deeds) and not dry_run), view.init_blocks)
    return Exit.DONE


@command(
    app, "describe", example="migrate store describe > store.tf\nmigrate store describe --output json | jq .policy"
)
def describe(common: Common) -> Exit:
    """Print the DynamoDB table and the least IAM policy: as Terraform, or with --output json as the API takes them.

    Whoever makes the table by these runs "migrate store init" once: it marks it as a store. Calls no cloud.
    """
    from migrator.cli.output import Output
    from migrator.cli.wiring import Wiring
    from migrator.render.views import store as view
    from migrator.store.dynamo import describing

    state, output = _table(Wiring(common)), Output(common)
    if output.for_people:
        sys.stdout.write(describing.terraform(state))
        return Exit.DONE
    document = view.described(str(state), describing.table(state), describing.policy(state))
    output.show(document, view.init_blocks)
    return Exit.DONE


@command(app, "export", example="migrate store export state.jsonl\nmigrate store export - | gzip > state.jsonl.gz")
def export(
    common: Common,
    file: Annotated[str, typer.Argument(metavar="FILE", help="The file to write, new; - is stdout.")],
) -> Exit:
    """Write the whole state to a file, a line of JSON for each run, record and mark.

    Nobody may be at work meanwhile. The same state gives the same bytes, whatever the store.
    """
    from dataclasses import asdict

    from migrator.cli.output import Output
    from migrator.cli.wiring import Wiring
    from migrator.render.views import store as view
    from migrator.store import transfer

    wiring = Wiring(common)
    with wiring.stores.archive(create=False) as (archive, locks), _target(file) as target:
        counts = transfer.write_out(archive, locks, target)
    if file != "-":
        document = view.moved("export", str(wiring.fleet.state), file, asdict(counts))
        Output(common).show(document, view.moved_blocks)
    return Exit.DONE


@command(app, "import", example="migrate store import state.jsonl --fleet new-fleet.yaml")
def import_(
    common: Common,
    file: Annotated[Path, typer.Argument(metavar="FILE", help='What "migrate store export" has written.')],
) -> Exit:
    """Read a whole state into a store that is empty, and count what is there afterwards.

    A state file gets all of it or nothing. A table refuses every other command until all is there: cut off, run it
    again with the same file.
    """
    from dataclasses import asdict

    from migrator.cli.output import Output
    from migrator.cli.wiring import Wiring
    from migrator.render.views import store as view
    from migrator.store import transfer

    wiring = Wiring(common)
    whole = transfer.read_through(file)
    with wiring.stores.archive(create=True) as (archive, locks):
        transfer.load(whole, archive, locks)
    document = view.moved("import", str(wiring.fleet.state), str(file), asdict(whole.counts))
    Output(common).show(document, view.moved_blocks)
    return Exit.DONE


def _missing(wiring: "Wiring") -> "list[Deed]":
    from time import sleep

    from migrator.model.fleet import DynamoState
    from migrator.store.dynamo.making import Maker

    state = wiring.fleet.state
    return Maker(wiring.stores.table(state), sleep).missing() if isinstance(state, DynamoState) else []


def _table(wiring: "Wiring") -> "DynamoState":
    from migrator.model.fleet import DynamoState

    state = wiring.fleet.state
    if not isinstance(state, DynamoState):
        raise UsageError(f"the fleet keeps its state in {state}", remedy='a table is named by "state.dynamodb"')
    return state


def _agreed(output: "Output", blocks: "list[Block]", *, yes: bool) -> bool:
    from migrator.cli.ask import agreed

    if not yes and sys.stdin.isatty():
        output.draw(blocks, sys.stderr)
    if agreed("do it?", yes=yes, stdin=sys.stdin, stderr=sys.stderr):
        return True
    sys.stderr.write("nothing was changed\n")
    return False


@contextmanager
def _target(name: str) -> Iterator[IO[bytes]]:
    """Where an export goes: stdout, or a file that is there only when it is whole."""
    if name == "-":
        yield sys.stdout.buffer
        return
    path = Path(name)
    if not path.name:
        raise UsageError(f'"{name}" is no name of a file', remedy="name a new file, or - for stdout")
    beside = path.with_name(f".export-{os.getpid()}.new")  # made of no name, which may be as long as one can be
    try:
        if path.exists():
            raise UsageError(f'"{name}" is there already', remedy="name a new file")
        with beside.open("wb") as file:
            try:
                yield file
                file.flush()
                beside.rename(path)
            finally:
                beside.unlink(missing_ok=True)
    except OSError as error:
        raise StoreFault(f'cannot write "{name}": {error.strerror or error}') from error
