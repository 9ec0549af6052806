"""Folders that let nobody in."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest


def shut(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Nobody may list the folder any more; root could, whatever its mode says."""
    listed = Path.iterdir

    def refused(self: Path) -> Iterator[Path]:
        if self == folder:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))
        return listed(self)

    patch.setattr(Path, "iterdir", refused)
