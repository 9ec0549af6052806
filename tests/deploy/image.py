"""Carries out the steps of `deploy/Dockerfile` by hand, where there is no container engine.

`python -m tests.deploy.image FOLDER [--base DIR]` makes the image's root folder in FOLDER, and prints what it is.
"""

import argparse
import glob
import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tests.deploy import context
from tests.deploy.base import Base, Bind
from tests.deploy.confined import Cell
from tests.deploy.dockerfile import Instruction, Stage, parse

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
IGNORED = DOCKERFILE.with_name("Dockerfile.dockerignore")
_OF_A_BASE = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
_PASSED_ON = ("PIP_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


@dataclass
class Image:
    """A root folder, and how a program in it is started; `own` is what the stage itself put there."""

    root: Path
    binds: Sequence[Bind]
    environment: dict[str, str] = field(default_factory=lambda: dict(_OF_A_BASE))
    folder: str = "/"
    user: str = "0:0"
    labels: dict[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    own: set[str] = field(default_factory=set)

    @property
    def size(self) -> int:
        """Bytes of what stands on top of the base."""
        return sum(_size(self.root / place.lstrip("/")) for place in self.own)


def python_of_the_base() -> str:
    """Which Python the base image has, such as `3.13`."""
    base = parse(DOCKERFILE.read_text(encoding="utf-8"))[-1].base
    return base.removeprefix("python:").partition("-")[0]


class BuildError(Exception):
    """A step failed."""


def build(folder: Path, base: Base | None = None) -> Image:
    """The image, by all steps of all stages.

    Raises:
        BuildError: a step failed.
    """
    stages = parse(DOCKERFILE.read_text(encoding="utf-8"))
    rules = context.rules_of(IGNORED.read_text(encoding="utf-8"))
    sources = folder / "context"
    for path in context.sent(ROOT, rules):
        (sources / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, sources / path)
    made: dict[str, Image] = {}
    for number, stage in enumerate(stages):
        made[stage.name or str(number)] = image = _begun(folder / f"stage-{number}", base or Base())
        _carry_out(stage, image, sources, made)
    return image


def _begun(root: Path, base: Base) -> Image:
    root.mkdir(parents=True)
    return Image(root, base.lay(root))


def _carry_out(stage: Stage, image: Image, sources: Path, made: Mapping[str, Image]) -> None:
    for one in stage.instructions:
        match one.word:
            case "RUN":
                _run(one.text, image)
            case "COPY":
                _copy(one, image, made[one.flags["from"]].root if "from" in one.flags else sources)
            case "ENV":
                image.environment |= one.pairs
            case "LABEL":
                image.labels |= one.pairs
            case "USER":
                image.user = one.text
            case "WORKDIR":
                image.folder = one.text
                (image.root / one.text.lstrip("/")).mkdir(parents=True, exist_ok=True)
            case "ENTRYPOINT":
                image.entrypoint = tuple(json.loads(one.text))
            case other:
                raise BuildError(f"{other} inside a stage is not known here")


def _run(text: str, image: Image) -> None:
    passed = {name: value for name, value in os.environ.items() if name.startswith(_PASSED_ON)}
    cell = Cell(image.root, image.binds, {**passed, **image.environment}, image.folder)
    done = cell.run(["/bin/sh", "-c", text])
    if done.returncode:
        raise BuildError(f"RUN {text}\n{done.stdout}{done.stderr}")


def _copy(one: Instruction, image: Image, origin: Path) -> None:
    *sources, target = one.text.split()
    place = PurePosixPath(image.folder, target)
    inside, put = image.root / str(place).lstrip("/"), set[str]()
    for source in sources:
        found = [Path(name) for name in glob.glob(str(origin / source.lstrip("/")))]  # noqa: PTH207  absolute patterns
        if not found:
            raise BuildError(f"COPY {one.text}: {source} is not there; does the ignore file let it through?")
        for path in found:
            put |= _put(path, inside, image.root, named=target.endswith("/") or len(sources) > 1)
    image.own |= put
    if "chown" in one.flags:
        user, group = map(int, one.flags["chown"].split(":"))
        for name in put:
            _own(image.root / name.lstrip("/"), user, group)


def _put(source: Path, target: Path, root: Path, *, named: bool) -> set[str]:
    """Copies as COPY does: of a folder its content, of a file itself; the answer is what came to be there."""
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
        places = [target / one.name for one in source.iterdir()] if target == root else [target]
    else:
        place = target / source.name if named else target
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, place)
        places = [place]
    return {f"/{place.relative_to(root)}" for place in places}


def _own(path: Path, user: int, group: int) -> None:
    for folder, _, files in os.walk(path):
        for name in (folder, *(os.path.join(folder, file) for file in files)):  # noqa: PTH118
            os.chown(name, user, group, follow_symlinks=False)


def _size(path: Path) -> int:
    return sum(Path(folder, name).lstat().st_size for folder, _, files in os.walk(path) for name in files)


def main(arguments: Sequence[str]) -> int:
    """Builds, and says what came of it."""
    parser = argparse.ArgumentParser(prog="scripts/image-steps", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the root folders are made; must not exist")
    parser.add_argument("--base", type=Path, default=Path("/"), help="a Debian root with python3-venv; this machine's")
    given = parser.parse_args(arguments)
    image = build(given.folder, Base(given.base))
    sys.stdout.write(f"{image.root}: {image.size / 1e6:.1f} MB on top of the base\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
