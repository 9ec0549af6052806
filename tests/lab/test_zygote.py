"""What is forked is a process of its own; where nothing can be forked any more, that is said."""

import os
import signal
from pathlib import Path

import pytest

from tests.lab import harness, scenes
from tests.lab.forked import ENOUGH, MIGRATE
from tests.lab.zygote import Zygote


@pytest.mark.parametrize(
    ("env", "says"), [({}, "has ended"), ({"LARGE": "x" * ENOUGH}, "bytes, too many to hand on")], ids=["dead", "large"]
)
def test_what_cannot_be_forked_is_said(env: dict[str, str], says: str) -> None:
    zygote = Zygote(MIGRATE, {})
    os.killpg(zygote.pid, signal.SIGKILL)
    try:
        with pytest.raises(AssertionError, match=says):
            zygote.start(["--version"], env, Path(), [0, 1, 2])
    finally:
        zygote.close()


def test_fleets_give_out_ids_of_their_own(tmp_path: Path) -> None:
    ids = set()
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        with harness.unwatched(scenes.write(folder, [scenes.service("orders")]), folder) as fleet:
            ids.add(fleet.aws("iam").get_role(RoleName="orders")["Role"]["RoleId"])
    assert len(ids) == 2
