"""What of the repository is sent to the builder: all that the ignore file beside the Dockerfile lets through."""

import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

_NEVER = {".git", ".venv"}  # ignored anyway; they are large


def sent(root: Path, rules: Sequence[str]) -> Iterator[PurePosixPath]:
    """The files that are sent, relative to the root."""
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in _NEVER]
        for name in files:
            path = PurePosixPath(Path(folder, name).relative_to(root))
            if is_sent(path, rules):
                yield path


def rules_of(text: str) -> list[str]:
    """The rules of an ignore file."""
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def is_sent(path: PurePosixPath, rules: Sequence[str]) -> bool:
    """Whether a file is: the last rule that fits it, or a folder above it, decides."""
    kept = True
    for rule in rules:
        if any(_fits(part, rule.removeprefix("!")) for part in (path, *path.parents)):
            kept = rule.startswith("!")
    return kept


def _fits(path: PurePosixPath, pattern: str) -> bool:
    if pattern.startswith("**/"):
        return fnmatchcase(path.name, pattern.removeprefix("**/"))
    parts = PurePosixPath(pattern).parts
    return len(parts) == len(path.parts) and all(map(fnmatchcase, path.parts, parts))
