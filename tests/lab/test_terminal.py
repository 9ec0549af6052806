"""What a person has before their eyes: a success, a way back, a drift and a block, on every kind of output."""

import re
from collections.abc import Iterator

import pytest

from migrator.model.exits import Exit
from migrator.model.ids import ROLE_ARN_ANNOTATION
from tests.lab import screens
from tests.lab.harness import Fleet
from tests.lab.invariants import Invariant
from tests.lab.recorder import Recording
from tests.lab.screens import KEPT, PAGE, SCENES, Scene, recorded

_COLOUR = re.compile(r"\x1b\[[0-9;]*[1-9][0-9;]*m")
_ESCAPE = "\x1b"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with screens.stage(tmp_path_factory.mktemp("terminal")) as running:
        running.waive(Invariant.AGREE, "main/shop/search", f"somebody changes its {ROLE_ARN_ANNOTATION}: the drift")
        yield running


ALL = [pytest.param(scene, id=f"[{scene.exit.name.lower()}]") for scene in SCENES]


def words(text: str) -> list[str]:
    """What is said, wherever its lines are folded."""
    return "".join(text.split()).split("mainshop")


@pytest.mark.parametrize("scene", ALL)
def test_at_80_columns_it_is_as_the_docs_show_it(fleet: Fleet, scene: Scene) -> None:
    seen = recorded(fleet, scene, KEPT)
    assert seen.exit == scene.exit
    assert screens.section(scene, seen) in PAGE.read_text(encoding="utf-8")
    assert _COLOUR.search(seen.raw)


@pytest.mark.parametrize("scene", ALL)
def test_at_160_columns_the_same_is_said(fleet: Fleet, scene: Scene) -> None:
    wide = recorded(fleet, scene, 160)
    kept = PAGE.read_text(encoding="utf-8").split(f"## {scene.title}\n")[1].split("$ echo")[0].split("--yes\n", 1)[1]
    assert words(wide.text) == words(kept)
    assert max(map(len, wide.lines)) > KEPT or scene.name == "mail"


@pytest.mark.parametrize("scene", ALL)
def test_without_colour_nothing_is_redrawn(fleet: Fleet, scene: Scene) -> None:
    extra = {"TERM": "dumb"} if scene.exit is Exit.DRIFT else {"NO_COLOR": "1"}
    seen = recorded(fleet, scene, KEPT, extra)
    assert seen.exit == scene.exit
    assert _ESCAPE not in seen.raw
    assert last_words(scene) in seen.raw


@pytest.mark.parametrize("scene", ALL)
def test_into_a_pipe_goes_plain_text_and_errors_go_to_stderr(fleet: Fleet, scene: Scene) -> None:
    with fleet.faults(*scene.faults):
        ran = fleet.migrate(*scene.arguments).ended(scene.exit)
    if scene.undo:
        fleet.migrate(*scene.undo).ok()
    assert _ESCAPE not in ran.out + ran.err
    assert ran.out.rstrip().endswith(last_words(scene))
    complaint = ran.err.splitlines()[-1].startswith(f"migrate: main/shop/{scene.name}: ")
    assert complaint == (scene.exit is not Exit.DONE), ran.err


def last_words(scene: Scene) -> str:
    """The last command that the page proposes for the scene."""
    kept = PAGE.read_text(encoding="utf-8").split(f"## {scene.title}\n")[1]
    found: str = re.findall(r"migrate .*", kept.split("$ echo")[0])[-1]
    return found


def test_the_recorder_sees_what_is_redrawn(fleet: Fleet) -> None:
    """A live list leaves its last picture only, however often it was drawn."""
    seen: Recording = recorded(fleet, SCENES[0], KEPT)
    assert seen.text.count("way there") == 1
    assert seen.raw.count("way there") > 1
