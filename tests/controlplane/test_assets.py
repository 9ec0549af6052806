"""A user who has etcd and kube-apiserver from elsewhere, and no Go: for what is missing, our own parts stand in."""

import os
import subprocess
from pathlib import Path

import pytest

from migrator.lab.controlplane import programs
from migrator.lab.world.load import world_file
from migrator.model.exits import Exit
from tests.lab import harness
from tests.lab.harness import ROOT, command

SERVICE = "my-cluster/demo/order-sa"


@pytest.fixture
def without_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with an empty cache and no Go on its path; the answer is a folder for assets."""
    assets = tmp_path / "assets"
    assets.mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv(programs.ASSETS, str(assets))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert not programs.can_build()
    return assets


def put(assets: Path, *wanted: programs.Program, found: dict[str, Path]) -> None:
    for program in wanted:
        (assets / program.name).symlink_to(found[program.name])


@pytest.fixture
def found() -> dict[str, Path]:
    """Where the programs are, before the cache is hidden."""
    there = {program.name: programs.find(program) for program in (programs.ETCD, programs.API_SERVER)}
    return {name: path for name, path in there.items() if path is not None}


@pytest.mark.controlplane
def test_etcd_and_api_server_are_enough(found: dict[str, Path], without_go: Path, tmp_path: Path) -> None:
    put(without_go, programs.ETCD, programs.API_SERVER, found=found)
    with harness.fleet(world_file("exercise"), tmp_path, "real") as fleet:
        said = (tmp_path / "lab.err").read_text()
        assert "kube-controller-manager is not here, the practice fleet's own part stands in" in said
        assert "amazon-eks-pod-identity-webhook is not here, the practice fleet's own part stands in" in said
        fleet.migrate("plan").ok()
        fleet.migrate("apply", "--service", SERVICE, "--yes").ok()
        fleet.migrate("rollback", "--service", SERVICE, "--yes").ok()


def test_without_an_api_server_nothing_is_started(without_go: Path, tmp_path: Path) -> None:
    arguments = ("lab", "up", "--control-plane", "real", "--directory", str(tmp_path / "lab"))
    done = subprocess.run(
        command(arguments), cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == Exit.ERROR
    (line,) = done.stderr.splitlines()
    assert line.startswith("migrate: etcd is not here, and there is no Go to build it with: install Go 1.26 or newer")
    assert "or name a folder that has etcd in KUBEBUILDER_ASSETS" in line
