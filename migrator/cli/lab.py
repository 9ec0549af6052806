"""`migrate lab`: the practice fleet, for those who installed the extra."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from migrator.cli.options import Common, command
from migrator.model.errors import EnvironmentFault
from migrator.model.exits import Exit

HELP = "A local practice fleet: AWS accounts and EKS clusters on loopback ports. Needs no cloud."
NEEDS = ("cryptography", "flask", "jsonpatch", "moto")  # of the extra `lab`


class Choice(StrEnum):
    """What the clusters are built on."""

    PRACTICE = "practice"
    REAL = "real"


Directory = Annotated[Path, typer.Option("--directory", metavar="DIR", help="Where its files are.")]

ControlPlane = Annotated[
    Choice,
    typer.Option(
        "--control-plane",
        help="practice: an API server of our own. real: etcd, kube-apiserver, kube-controller-manager and EKS's own"
        " webhook; taken from KUBEBUILDER_ASSETS, or built once from pinned Go modules.",
    ),
]

app = typer.Typer(help=HELP, no_args_is_help=True, rich_markup_mode=None)


@contextmanager
def complaining() -> Iterator[None]:
    """Turns the practice fleet's own error into ours.

    Raises:
        EnvironmentFault: it cannot do what was asked, or the extra is not installed.
    """
    missing = [name for name in NEEDS if find_spec(name) is None]
    if missing:
        raise EnvironmentFault(
            f"the practice fleet needs {', '.join(missing)}, not installed here",
            remedy='pip install "irsa-migrator[lab]"',
        )
    from migrator.lab.record import LabError

    try:
        yield
    except LabError as error:
        raise EnvironmentFault(str(error)) from error


@command(
    app,
    "up",
    example="migrate lab up --detach\nmigrate lab up --world my-world.yaml\nmigrate lab up --control-plane real",
)
def up(
    common: Common,
    world: Annotated[
        Path | None,
        typer.Option("--world", metavar="FILE", help="The world file.  [default: a fleet of forty services]"),
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Leave it running in the background.")] = False,
    directory: Directory = Path(".lab"),
    control_plane: ControlPlane = Choice.PRACTICE,
) -> Exit:
    """Start a practice fleet and print what to export to use it; without --detach it runs until Ctrl-C."""
    from migrator.cli.output import Output
    from migrator.render.views import lab as view

    with complaining():
        from migrator.cli.lab_fleet import seen
        from migrator.lab import daemon

        daemon.up(
            world,
            directory,
            detach=detach,
            real=control_plane is Choice.REAL,
            ready=lambda lab: Output(common).show(view.document("up", str(directory), seen(lab)), view.blocks),
        )
    return Exit.DONE


@command(app, "status", example="migrate lab status")
def status(common: Common, directory: Directory = Path(".lab")) -> Exit:
    """Show the practice fleet that runs in a directory, and how it does."""
    from migrator.cli.output import Output
    from migrator.render.views import lab as view

    with complaining():
        from migrator.cli.lab_fleet import doing
        from migrator.lab import watching

        running = watching.status(directory)
    Output(common).show(view.document("status", str(directory), doing(running) if running else None), view.blocks)
    return Exit.DONE


@command(app, "down", example="migrate lab down")
def down(common: Common, directory: Directory = Path(".lab")) -> Exit:
    """Stop the practice fleet that runs in a directory, and wait until its ports are closed."""
    from migrator.cli.output import Output
    from migrator.render.views import lab as view

    with complaining():
        from migrator.lab import daemon

        stopped = daemon.down(directory)
    Output(common).show(view.document("down", str(directory), None, stopped=stopped), view.blocks)
    return Exit.DONE
