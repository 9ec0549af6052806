"""What stands in for the base image where none can be fetched: a Debian root with Python, this machine's or another."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_TOP = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32")
_SETTINGS = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "os-release", "debian_version")
_OF_THE_HOST = ("resolv.conf", "hosts", "nsswitch.conf", "ssl")


@dataclass(frozen=True)
class Bind:
    """A folder or file that is seen elsewhere."""

    source: Path
    target: str
    read_only: bool = True


@dataclass(frozen=True)
class Base:
    """A root whose programs and libraries are used, and never written to."""

    root: Path = Path("/")

    def lay(self, folder: Path) -> Sequence[Bind]:
        """Gives a root folder what a base image would have; the answer is what is to be seen in it from outside."""
        binds = [bind for name in _TOP for bind in self._top(name, folder)]
        settings = folder / "etc"
        settings.mkdir(exist_ok=True)
        for place, names in ((self.root / "etc", _SETTINGS), (Path("/etc"), _OF_THE_HOST)):
            for name in names:
                _copy(place / name, settings / name)
        for name in ("proc", "dev", "tmp"):
            (folder / name).mkdir(exist_ok=True)
        (folder / "tmp").chmod(0o1777)
        return binds

    def _top(self, name: str, folder: Path) -> Sequence[Bind]:
        there, here = self.root / name, folder / name
        if there.is_symlink():  # as /lib is on Debian
            here.unlink(missing_ok=True)
            here.symlink_to(there.readlink())
            return []
        if not there.is_dir():
            return []
        here.mkdir(exist_ok=True)
        return [Bind(there, f"/{name}")]


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    elif source.exists():
        shutil.copyfile(source, target)
