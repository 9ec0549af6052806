"""The four ends of a command as a person sees them on a terminal, and the page that keeps them: docs/terminal.md.

Written anew by `python -m tests.lab.screens`.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from migrator.model.exits import Exit
from tests.lab import harness, scenes
from tests.lab.harness import ROOT, Fleet
from tests.lab.recorder import Recording, record

PAGE = ROOT / "docs" / "terminal.md"
KEPT = 80  # columns of the kept ones
_HEAD = """# What you see

Each command below was run by a test on an 80-column terminal; the test fails when a word of it changes. Wider terminals
fold less. With `NO_COLOR`, on a dumb terminal and into a pipe goes the same text, unfolded, without colours, and
nothing is redrawn.
"""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A command, what is wrong while it runs, and how it ends."""

    name: str
    title: str
    arguments: Sequence[str]
    exit: Exit
    faults: Sequence[Mapping[str, Any]] = ()
    undo: Sequence[str] = ()


SCENES = (
    Scene(
        name="cart",
        title="It went well",
        arguments=("apply", "--service", "cart", "--yes"),
        exit=Exit.DONE,
        undo=("rollback", "--service", "cart", "--yes"),
    ),
    Scene(
        name="orders",
        title="A step failed, and the way back was walked",
        arguments=("apply", "--service", "orders", "--yes"),
        exit=Exit.ROLLED_BACK,
        faults=({"associationLate": {"serviceAccount": "shop/orders", "create": "never"}},),
    ),
    Scene(
        name="search",
        title="Somebody changed something: drift",
        arguments=("apply", "--service", "search", "--yes"),
        exit=Exit.DRIFT,
    ),
    Scene(
        name="mail",
        title="A finding stands in the way",
        arguments=("apply", "--service", "mail", "--yes"),
        exit=Exit.BLOCKED,
    ),
)


@contextmanager
def stage(folder: Path) -> Iterator[Fleet]:
    """A planned fleet on which all of them can be played: `search` has drifted since, `mail` writes its own keys."""
    keys = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "made-up"}
    made = [*(scenes.service(one.name) for one in SCENES[:3]), scenes.service("mail", env=keys)]
    with harness.fleet(scenes.write(folder, made, addons=["eks-pod-identity-agent"]), folder) as fleet:
        scenes.waits(fleet, gate=4, trust=4, settle=0.5, reconcile=0.5, trust_settle=0.2)
        fleet.migrate("plan").ok()
        change = {
            "metadata": {"annotations": {"eks.amazonaws.com/role-arn": f"arn:aws:iam::{scenes.ACCOUNT}:role/cart"}}
        }
        fleet.kube(scenes.CLUSTER).patch("/api/v1/namespaces/shop/serviceaccounts/search", change)
        yield fleet


def recorded(fleet: Fleet, scene: Scene, width: int, extra: Mapping[str, str] | None = None) -> Recording:
    """The scene on a terminal; afterwards the service is as it was."""
    with fleet.faults(*scene.faults):
        seen = record(fleet, width, scene.arguments, extra)
    if scene.undo:
        fleet.migrate(*scene.undo).ok()
    return seen


def section(scene: Scene, seen: Recording) -> str:
    """Its part of the page."""
    typed = f"$ migrate {' '.join(scene.arguments)}"
    return f"## {scene.title}\n\n```console\n{typed}\n{seen.text}$ echo $?\n{seen.exit}\n```\n"


def main() -> None:
    """Writes the page."""
    with tempfile.TemporaryDirectory() as name, stage(Path(name)) as fleet:
        parts = [section(scene, recorded(fleet, scene, KEPT)) for scene in SCENES]
    PAGE.write_text("\n".join([_HEAD, *parts]), encoding="utf-8")


if __name__ == "__main__":
    main()
