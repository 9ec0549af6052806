"""Replaces a file as a whole."""

import hashlib
import os
from pathlib import Path

from migrator.model.errors import StoreFault


def write_whole(path: Path, text: bytes) -> None:
    """Writes beside the place and moves there, so that a reader sees the old file or the new one, never a part.

    Raises:
        StoreFault: it cannot be written.
    """
    beside = path.with_name(f".{hashlib.sha256(path.name.encode()).hexdigest()[:16]}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            beside.write_bytes(text)
            if path.exists():
                beside.chmod(path.stat().st_mode)  # who could read the old one can read the new one, and nobody else
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise StoreFault(f'cannot write "{path}": {error.strerror or error}') from error
