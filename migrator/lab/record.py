"""What a running practice fleet says of itself, kept in `lab.json` of its directory for `status` and `down`."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

RECORD = "lab.json"


class LabError(Exception):
    """The practice fleet cannot do what was asked; the text is one sentence for the person who asked."""


@dataclass(frozen=True)
class RunningCluster:
    """How one cluster of a running fleet is reached, as its administrator."""

    alias: str
    name: str
    account: str
    region: str
    version: str
    url: str
    ca_pem: str
    token: str


@dataclass(frozen=True)
class Lab:
    """A running practice fleet.

    Attributes:
        directory: where its files are.
        pid: the process that runs it.
        world: the world file it was started from.
        aws_endpoint: URL of the AWS front.
        started: when, RFC 3339.
        env: what to export to use it.
        clusters: its clusters, in the world's order.
        control_plane: `practice` or `real`.
    """

    directory: Path
    pid: int
    world: str
    aws_endpoint: str
    started: str
    env: Mapping[str, str]
    clusters: tuple[RunningCluster, ...]
    control_plane: str = "practice"


def write_record(lab: Lab) -> None:
    """Keeps the record in the lab's directory, readable by its owner only."""
    data = {**asdict(lab), "directory": str(lab.directory)}
    write_private(lab.directory / RECORD, json.dumps(data, indent=2) + "\n")


def read_record(directory: Path) -> Lab:
    """The record of the fleet that runs in the directory.

    Raises:
        LabError: there is none, or it cannot be read.
    """
    path = directory / RECORD
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        clusters = tuple(RunningCluster(**cluster) for cluster in data.pop("clusters"))
        return Lab(**{**data, "directory": Path(data["directory"])}, clusters=clusters)
    except FileNotFoundError as error:
        raise LabError(f'no practice fleet has been started in "{directory}"; start one: migrate lab up') from error
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise LabError(f'"{path}" cannot be read ({error}); stop and start the fleet again') from error


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner may read, whole or not at all."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)
