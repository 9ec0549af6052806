"""`migrate history`: every line of a service's journal, oldest first."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from migrator.model.ids import ServiceId
from migrator.model.journal import JournalLine
from migrator.render.blocks import Block, Column, Line, Table, Tone
from migrator.render.json_out import result

_STATUS_TONES = {"done": Tone.GOOD, "found": Tone.GOOD, "failed": Tone.BAD, "abandoned": Tone.WARN}


def document(service: ServiceId, lines: Sequence[JournalLine]) -> dict[str, Any]:
    """The result document, `schemas/history.json`."""
    return result("history", service=str(service), lines=[_line(line) for line in lines])


def _line(line: JournalLine) -> dict[str, Any]:
    return {
        "at": line.at,
        "run": line.run,
        "direction": str(line.direction),
        "step": line.step or None,
        "status": line.status,
        "note": line.note,
        "actor": line.actor,
        "host": line.host,
        "before": line.image,
        "after": line.result,
    }


def blocks(data: Mapping[str, Any], *, verbose: bool) -> list[Block]:
    """The document for people; with `verbose` the before and after images under the table."""
    if not data["lines"]:
        return [Line(f"{data['service']}: nothing has been done to it yet")]
    columns = (
        Column("at"),
        Column("way"),
        Column("step"),
        Column("status", _STATUS_TONES),
        Column("by"),
        Column("run"),
        Column("note"),
    )
    table = Table(columns, tuple(_row(line) for line in data["lines"]))
    return [table, *(_images(data["lines"]) if verbose else [])]


def _row(line: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        line["at"][:23].replace("T", " "),
        "there" if line["direction"] == "forward" else "back",
        line["step"] or "-",
        line["status"],
        f"{line['actor']} on {line['host']}",
        line["run"],
        " ".join(line["note"].split()),
    )


def _images(lines: Sequence[Mapping[str, Any]]) -> list[Block]:
    shown: list[Block] = []
    for line in lines:
        if line["before"] is None and line["after"] is None:
            continue
        shown += [Line(), Line(f"{line['at']}  {line['step'] or 'run'} {line['status']}", Tone.HEAD)]
        shown += [
            Line(f"  {side}: {json.dumps(line[side], ensure_ascii=False)}")
            for side in ("before", "after")
            if line[side] is not None
        ]
    return shown
