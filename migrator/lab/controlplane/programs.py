"""The programs of a control plane, and helm: which versions, where they are found, and how they are built.

Nothing is fetched but Go modules, by the ordinary go client; `modules/` pins them and every checksum. A program is
taken from the folder that `KUBEBUILDER_ASSETS` names if it has it, else from the cache, else it is built into it, once.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from migrator.lab.record import LabError

ASSETS = "KUBEBUILDER_ASSETS"
MODULES = Path(str(resources.files("migrator.lab.controlplane").joinpath("modules")))
_STAMP = "k8s.io/component-base/version"
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Program:
    """One program.

    Attributes:
        name: of the executable, as setup-envtest and the distributions call it.
        folder: the Go module under `modules/` that builds it.
        package: what is built.
        source: the module whose version is the program's.
    """

    name: str
    folder: str
    package: str
    source: str

    @property
    def version(self) -> str:
        """The pinned version, such as `v1.36.2`."""
        text = (MODULES / self.folder / "go.mod").read_text(encoding="utf-8")
        found = re.search(rf"^(?:require )?\s*{re.escape(self.source)} (v\S+)", text, re.MULTILINE)
        if found is None:
            raise LookupError(f"{self.folder}/go.mod does not require {self.source}")
        return found[1]

    def command(self, target: Path) -> list[str]:
        """How it is built; without its version linked in, kube-apiserver calls itself v0.0.0."""
        link = ["-s", "-w"]
        if self.source == "k8s.io/kubernetes":
            major, minor = self.version.removeprefix("v").split(".")[:2]
            stamps = {"gitVersion": self.version, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
            link += [f"-X {_STAMP}.{name}={value}" for name, value in stamps.items()]
        options = ["-mod=readonly", "-buildvcs=false", "-trimpath", "-ldflags", " ".join(link)]
        return ["go", "build", *options, "-o", str(target), self.package]


def _of_kubernetes(name: str) -> Program:
    return Program(name, "kubernetes", f"k8s.io/kubernetes/cmd/{name}", "k8s.io/kubernetes")


_ETCD, _WEBHOOK = "go.etcd.io/etcd/server/v3", "github.com/aws/amazon-eks-pod-identity-webhook"
API_SERVER = _of_kubernetes("kube-apiserver")
MANAGER = _of_kubernetes("kube-controller-manager")
KUBECTL = _of_kubernetes("kubectl")
ETCD = Program("etcd", "etcd", _ETCD, _ETCD)
WEBHOOK = Program("amazon-eks-pod-identity-webhook", "webhook", _WEBHOOK, _WEBHOOK)
KWOK = Program("kwok", "kwok", "sigs.k8s.io/kwok/cmd/kwok", "sigs.k8s.io/kwok")
HELM = Program("helm", "helm", "helm.sh/helm/v4/cmd/helm", "helm.sh/helm/v4")
ALL = (ETCD, API_SERVER, MANAGER, WEBHOOK, KUBECTL, KWOK, HELM)


def say(text: str) -> None:
    """Says it on stderr."""
    sys.stderr.write(f"{text}\n")


def have(program: Program, tell: Tell) -> Path:
    """The program, built if need be; `tell` hears of a build before it begins.

    Raises:
        LabError: it is not there, and cannot be built.
    """
    found = find(program)
    return _built(program, tell) if found is None else found


def find(program: Program) -> Path | None:
    """The program where it is already: among the assets or in the cache."""
    assets = os.environ.get(ASSETS, "")
    places = [Path(assets) / program.name] if assets else []
    return next((place for place in (*places, _cached(program)) if os.access(place, os.X_OK)), None)


def can_build() -> bool:
    """Whether there is a Go toolchain."""
    return shutil.which("go") is not None


def cache() -> Path:
    """Where built programs are kept, outside of any checkout."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "irsa-migrator" / "programs"


def how_to_get(program: Program) -> str:
    """What to do where it is missing."""
    others = "" if program in (WEBHOOK, KWOK, HELM) else f", or name a folder that has {program.name} in {ASSETS}"
    return f"install Go {_go_needed(program)} or newer (it is built once, from pinned Go modules){others}"


def _cached(program: Program) -> Path:
    """One path for each version, dependency and way of building it."""
    folder = MODULES / program.folder
    digest = hashlib.sha256(" ".join(program.command(Path())).encode())
    for name in ("go.mod", "go.sum"):
        digest.update((folder / name).read_bytes())
    return cache() / f"{program.version}-{digest.hexdigest()[:12]}" / program.name


def _built(program: Program, tell: Tell) -> Path:
    if not can_build():
        raise LabError(f"{program.name} is not here, and there is no Go to build it with: {how_to_get(program)}")
    target = _cached(program)
    target.parent.mkdir(parents=True, exist_ok=True)
    with _alone(cache() / "building"):
        if not target.exists():  # another process may have built it meanwhile
            tell(f"building {program.name} {program.version} into {target.parent}; this is done once")
            fresh = target.with_suffix(".new")
            _run(program, fresh)
            fresh.replace(target)
    return target


def _run(program: Program, target: Path) -> None:
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}
    done = subprocess.run(
        program.command(target),
        cwd=MODULES / program.folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = " ".join(done.stderr.split())[-400:]
        raise LabError(f"{program.name} {program.version} could not be built: {said}; {how_to_get(program)}")


def _go_needed(program: Program) -> str:
    text = (MODULES / program.folder / "go.mod").read_text(encoding="utf-8")
    found = re.search(r"^go (\d+\.\d+)", text, re.MULTILINE)
    return found[1] if found else "1.26"


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Holds a lock file for the block: two builds at once would only take each other's time."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
