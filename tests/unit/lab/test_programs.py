"""Where the programs of a control plane come from, and how they are built."""

import os
from pathlib import Path

import pytest

from migrator.lab.controlplane import programs
from migrator.lab.controlplane.__main__ import main
from migrator.lab.record import LabError


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(programs.ASSETS, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def executable(path: Path, script: str = "exit 0") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A go that writes what it was told into the file it was to build."""
    script = 'while [ "$1" != -o ]; do all="$all $1"; shift; done; echo "$PWD:$all $3" > "$2"; chmod +x "$2"'
    monkeypatch.setenv("PATH", f"{executable(tmp_path / 'bin' / 'go', script).parent}:{os.environ['PATH']}")
    return tmp_path / "bin" / "go"


def test_versions_are_those_of_the_modules() -> None:
    assert {one.name: one.version for one in programs.ALL} == {
        "etcd": "v3.6.10",
        "kube-apiserver": "v1.36.2",
        "kube-controller-manager": "v1.36.2",
        "amazon-eks-pod-identity-webhook": "v0.6.17",
        "kubectl": "v1.36.2",
        "kwok": "v0.8.0",
        "helm": "v4.3.2",
    }


@pytest.mark.parametrize("program", programs.ALL, ids=lambda one: one.name)
def test_every_program_is_a_tool_of_its_module(program: programs.Program) -> None:
    text = (programs.MODULES / program.folder / "go.mod").read_text()
    assert program.package in text
    assert (programs.MODULES / program.folder / "go.sum").exists()


def test_the_assets_come_before_the_cache(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert programs.find(programs.ETCD) is None
    cached = executable(programs._cached(programs.ETCD))
    assert cache in cached.parents
    assert programs.find(programs.ETCD) == cached

    given = executable(tmp_path / "assets" / "etcd")
    monkeypatch.setenv(programs.ASSETS, str(given.parent))
    assert programs.find(programs.ETCD) == given
    assert programs.find(programs.API_SERVER) is None


def test_it_is_built_once_and_told_of(go: Path) -> None:
    told: list[str] = []
    first = programs.have(programs.API_SERVER, told.append)
    assert programs.have(programs.API_SERVER, told.append) == first
    assert told == [f"building kube-apiserver v1.36.2 into {first.parent}; this is done once"]
    said = first.read_text()
    assert said.startswith(str(programs.MODULES / "kubernetes"))
    assert "gitVersion=v1.36.2" in said
    assert "-mod=readonly" in said
    assert said.endswith("k8s.io/kubernetes/cmd/kube-apiserver\n")


def test_a_build_that_fails_leaves_nothing_and_says_why(go: Path) -> None:
    executable(go, "echo 'no space left' >&2; exit 1")
    with pytest.raises(LabError, match=r"etcd v3\.6\.10 could not be built: no space left; install Go 1.26 or newer"):
        programs.have(programs.ETCD, print)
    assert programs.find(programs.ETCD) is None


def test_without_go_it_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(LabError, match=r"kwok is not here, and there is no Go.*\(it is built once, from pinned Go"):
        programs.have(programs.KWOK, print)


def test_the_command_tells_the_paths(go: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["etcd", "kwok"]) == 0
    out, err = capsys.readouterr()
    assert [Path(line).name for line in out.splitlines()] == ["etcd", "kwok"]
    assert err.count("building ") == 2
    assert main(["etcs"]) == 2
    assert 'no program is called "etcs"; there are etcd, kube-apiserver' in capsys.readouterr().err
