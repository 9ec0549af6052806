"""Walks the folder of plan files: which of them migrate may have written, and what keeps it from looking further."""

from dataclasses import dataclass
from pathlib import Path

from migrator.documents.errors import DocumentError
from migrator.documents.yaml_file import unreadable
from migrator.store.plan_names import SUFFIX, written_so


@dataclass(frozen=True, slots=True)
class Walk:
    """All below one folder, sorted.

    Attributes:
        paths: files that have a name which migrate writes.
        closed: folders that cannot be looked into, and why.
        strange: YAML files of other names, and what to do about them.
    """

    paths: tuple[Path, ...]
    closed: tuple[DocumentError, ...]
    strange: tuple[DocumentError, ...]


def walk(top: Path) -> Walk:
    """Looks through `FOLDER/CLUSTER/NAMESPACE`; names that begin with a dot are passed by.

    Raises:
        DocumentError: `top` is no folder, or cannot be looked into.
    """
    if _exists(top) and not top.is_dir():
        raise DocumentError(top, "is no folder; plan files belong in one")
    clusters = _inside(top)
    if isinstance(clusters, DocumentError):
        raise clusters
    closed: list[DocumentError] = []
    namespaces = _next(top, clusters, closed)
    files = [path for path in _next(top, namespaces, closed) if path.name.endswith(SUFFIX)]
    ours = {path for path in files if written_so(top, path)}
    strange = tuple(_strange(path) for path in files if path not in ours)
    return Walk(tuple(path for path in files if path in ours), tuple(closed), strange)


def _exists(top: Path) -> bool:
    try:
        return top.exists()
    except OSError as error:  # a name too long, a folder above it that lets nobody in
        raise DocumentError(top, unreadable(error)) from error


def _next(top: Path, folders: list[Path], closed: list[DocumentError]) -> list[Path]:
    """What stands in these folders.

    A closed one of another name, such as the lost+found of a file system, holds no plan and is none of our business.
    """
    found: list[Path] = []
    for folder in folders:
        inside = _inside(folder)
        if not isinstance(inside, DocumentError):
            found += inside
        elif written_so(top, folder):
            closed.append(inside)
    return found


def _inside(folder: Path) -> list[Path] | DocumentError:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):  # gone meanwhile; a file beside the folders
        return []
    except OSError as error:
        return DocumentError(folder, unreadable(error))


def _strange(path: Path) -> DocumentError:
    name = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in str(path))
    return DocumentError(name, "is no name that migrate writes; move it away")
