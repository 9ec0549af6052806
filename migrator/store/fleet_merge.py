"""Writes what was discovered into the fleet file: into a new one, or, as additions only, into the one that is there."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from migrator.documents.emit import emit
from migrator.documents.errors import DocumentError
from migrator.documents.insert import Item, with_items
from migrator.documents.yaml_file import checked, parse
from migrator.model.errors import StoreFault
from migrator.model.fleet import Account, FleetCluster
from migrator.store.fleet_file import schema
from migrator.store.whole import write_whole

_HEAD = """\
# Clusters as "migrate fleet discover" found them; run again, it adds new ones. What else may stand here: excludes,
# policy, waits, and under batch what unattended runs are allowed.
"""


def read_text(path: Path) -> str | None:
    """The fleet file as it stands, line ends and all; None where there is none.

    Raises:
        DocumentError: it cannot be read.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise DocumentError(path, f"cannot be read: {error}") from error


def merged(path: Path, text: str | None, clusters: Sequence[FleetCluster], accounts: Sequence[Account]) -> str:
    """The file with these clusters and accounts added to what stands in it; a new one where there is none.

    Raises:
        DocumentError: it is written so that nothing can be added.
    """
    new = [_item(asdict(one)) for one in clusters]
    ways = [_item(asdict(one)) for one in accounts]
    if text is None:
        parts = {"version": 1, **({"accounts": ways} if ways else {}), "clusters": new}
        return _HEAD + emit(parts)
    made = with_items(path, with_items(path, text, "clusters", new), "accounts", ways)
    checked(parse(path, made), schema())
    return made


def write(path: Path, text: str, *, seen: str | None) -> None:
    """Puts the text in the file's place, if it still holds what was `seen` in it.

    Raises:
        StoreFault: somebody changed the file meanwhile, or it cannot be written.
    """
    if read_text(path) != seen:
        raise StoreFault(f'"{path}" was changed meanwhile', remedy="run the same command again")
    write_whole(path.resolve(), text.encode())  # a link stays one


def _item(fields: dict[str, object]) -> Item:
    return {name: str(value) for name, value in fields.items() if value}
