"""`migrate lab`: what runs in the practice fleet's directory, and what to unset and export to use it."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from migrator.render.blocks import Block, Column, Line, Table, Tone
from migrator.render.json_out import result


@dataclass(frozen=True, slots=True, kw_only=True)
class LabCluster:
    """One cluster of the practice fleet; `pods` and `pods_ready` are None where nobody asked, or it did not answer."""

    alias: str
    account: str
    region: str
    version: str
    endpoint: str
    pods: int | None = None
    pods_ready: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabView:
    """A practice fleet that runs; `calls` is how many the AWS front has had, None where nobody asked."""

    world: str
    pid: int
    aws_endpoint: str
    started: str
    env: Mapping[str, str]
    unset: Sequence[str]
    clusters: Sequence[LabCluster]
    control_plane: str = "practice"
    calls: int | None = None


def document(action: str, directory: str, lab: LabView | None, *, stopped: bool = False) -> dict[str, Any]:
    """The result document, `schemas/lab.json`; `lab` is None when none runs, `stopped` tells that one did."""
    return result("lab", action=action, directory=directory, stopped=stopped, lab=_lab(lab) if lab else None)


def _lab(lab: LabView) -> dict[str, Any]:
    return {
        "world": lab.world,
        "pid": lab.pid,
        "aws_endpoint": lab.aws_endpoint,
        "started": lab.started,
        "env": dict(lab.env),
        "unset": list(lab.unset),
        "calls": lab.calls,
        "control_plane": lab.control_plane,
        "clusters": [asdict(one) for one in lab.clusters],
    }


def blocks(data: Mapping[str, Any]) -> list[Block]:
    """The document for people."""
    lab = data["lab"]
    if lab is None:
        said = "the practice fleet was stopped" if data["stopped"] else "no practice fleet runs"
        return [Line(f"{said} in {data['directory']}")]
    columns = tuple(map(Column, ("cluster", "account", "region", "version", "pods ready", "endpoint")))
    rows = tuple(
        (one["alias"], one["account"], one["region"], one["version"], _pods(one), one["endpoint"])
        for one in lab["clusters"]
    )
    calls = "" if lab["calls"] is None else f", {lab['calls']} calls so far"
    return [
        Line(f"practice fleet of {lab['world']} in {data['directory']}, pid {lab['pid']}", Tone.HEAD),
        Line(f"AWS front: {lab['aws_endpoint']}{calls}"),
        *([Line("control planes: real ones, their logs in control-planes/")] if lab["control_plane"] == "real" else []),
        Table(columns, rows),
        Line(),
        Line("to use it, in any shell:", Tone.HEAD),
        Line(f"  unset {' '.join(lab['unset'])}", whole=True),
        *(Line(f"  export {name}={shlex.quote(value)}") for name, value in lab["env"].items()),
    ]


def _pods(cluster: Mapping[str, Any]) -> str:
    return "-" if cluster["pods"] is None else f"{cluster['pods_ready']} of {cluster['pods']}"
