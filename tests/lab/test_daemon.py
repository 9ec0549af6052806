"""Starting, stopping and refusing: one fleet per directory, and one sentence when it cannot be started."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrator.documents.errors import DocumentError
from migrator.lab import daemon
from migrator.lab.lock import LOCK, DirectoryLock
from migrator.lab.record import RECORD, Lab, LabError

_ROOT = Path(__file__).parents[2]
_SMALL = "version: 1\nclusters: [{name: c, nodes: [{name: n, count: 1}]}]\n"


@pytest.fixture
def world(tmp_path: Path) -> Path:
    path = tmp_path / "world.yaml"
    path.write_text(_SMALL, encoding="utf-8")
    return path


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "lab"
    daemon.down(tmp_path / "lab")


def _up(world: Path, directory: Path) -> Lab:
    return daemon.up(world, directory, detach=True, ready=lambda _lab: None)


def test_second_fleet_in_a_directory_is_refused_and_down_makes_room(world: Path, directory: Path) -> None:
    lab = _up(world, directory)

    with pytest.raises(LabError, match=r"runs in .* already"):
        _up(world, directory)
    stopped = daemon.down(directory)

    assert lab.pid != os.getpid()
    assert stopped
    assert daemon.running(directory) is None
    assert not daemon.down(directory)
    assert sorted(path.name for path in directory.iterdir()) == [".gitignore", "identities", "lab.log", "lab.pid"]


def test_pid_left_by_a_crash_misleads_nobody(world: Path, directory: Path) -> None:
    lab = _up(world, directory)
    os.kill(lab.pid, signal.SIGKILL)
    _gone(directory)

    assert (directory / RECORD).exists()
    assert daemon.running(directory) is None
    assert _up(world, directory).pid != lab.pid


def _gone(directory: Path) -> None:
    limit = time.monotonic() + 10
    while DirectoryLock(directory).holder() is not None:
        assert time.monotonic() < limit
        time.sleep(0.02)


def test_directory_of_somebody_else_is_left_alone(world: Path, tmp_path: Path) -> None:
    (tmp_path / "fleet.yaml").write_text("version: 1\n", encoding="utf-8")

    with pytest.raises(LabError, match="holds other files"):
        _up(world, tmp_path)
    daemon.down(tmp_path)

    assert (tmp_path / "fleet.yaml").exists()
    assert not (tmp_path / LOCK).exists()


def test_unreadable_world_starts_nothing(directory: Path) -> None:
    with pytest.raises(DocumentError, match="no such file"):
        _up(Path("nowhere.yaml"), directory)

    assert not directory.exists()


_BIG = "{name: Big, trust: {irsa: [{cluster: c, namespace: a, serviceAccount: b}], fill: 2100}}"
_PAIR = "{namespace: a, serviceAccount: b, role: R}"
_REFUSED = {
    "by IAM": (
        f'accounts: [{{id: "111111111111", roles: [{_BIG}]}}]\nclusters: [{{name: c}}]\n',
        r"world\.yaml:2: accounts\[0\]\.roles\[0\]\.trust: LimitExceeded: [^\n]*2048[^\n]*",
    ),
    "by EKS": (
        f'accounts: [{{id: "111111111111", roles: [{{name: R}}]}}]\nclusters: [{{name: c, associations: [{_PAIR}]}}]\n',
        r"world\.yaml:3: clusters\[0\]\.associations\[0\]: InvalidParameterException: Trust policy of [^\n]*",
    ),
    "a node, by Kubernetes": (
        'clusters: [{name: c, nodes: [{name: n, labels: {a: "b c"}}]}]\n',
        r"world\.yaml:2: clusters\[0\]\.nodes: [^\n]*b c[^\n]*",
    ),
    "an object, by Kubernetes": (
        "clusters: [{name: c, manifests: [{apiVersion: no.such/v1, kind: Gadget, metadata: {name: g}}]}]\n",
        r"world\.yaml:2: clusters\[0\]\.manifests\[0\]: [^\n]*Gadget[^\n]*",
    ),
}


@pytest.mark.parametrize(("text", "said"), [pytest.param(*case, id=name) for name, case in _REFUSED.items()])
def test_what_only_they_can_judge_is_refused_with_its_field(world: Path, directory: Path, text: str, said: str) -> None:
    world.write_text(f"version: 1\n{text}", encoding="utf-8")

    with pytest.raises(DocumentError) as caught:  # wrong usage, as what the schema refuses
        _up(world, directory)

    assert re.fullmatch(rf"\S+{said}", str(caught.value)), str(caught.value)
    assert (caught.value.path, bool(caught.value.line), bool(caught.value.field)) == (str(world), True, True)
    assert daemon.running(directory) is None


def test_worlds_that_come_with_the_package_go_by_name(directory: Path) -> None:
    assert _up(Path("exercise"), directory).world.endswith("exercise.yaml")


def test_foreground_runs_until_it_is_told_to_stop(world: Path, directory: Path) -> None:
    script = (
        "import sys, pathlib; from migrator.lab import daemon;"
        "daemon.up(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), detach=False,"
        " ready=lambda lab: print(lab.pid, flush=True)); print('stopped')"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(world), str(directory)], stdout=subprocess.PIPE, text=True, cwd=_ROOT
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()

    assert (int(first), rest, process.returncode) == (process.pid, "stopped\n", 0)
    assert daemon.running(directory) is None
