"""`migrate batch --plan-only`: what a batch would do, in its order, and what it would leave."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from migrator.render.blocks import Block, Column, Line, Table, Tone
from migrator.render.json_out import result
from migrator.render.words import LEFT
from migrator.running.batch.agenda import Agenda, Errand

_ERRANDS: Mapping[str, str] = {
    Errand.RETURN: "finish its way back",
    Errand.RESUME: "go on where it was cut off",
    Errand.LOOK: "look again",
    Errand.BEGIN: "migrate",
}


def document(agenda: Agenda, breakers: Mapping[str, str]) -> dict[str, Any]:
    """The result document, `schemas/batch-plan.json`."""
    tasks = agenda.queue()
    return result(
        "batch-plan",
        summary={str(one): sum(task.errand is one for task in tasks) for one in Errand},
        tasks=[
            {"service": str(task.service), "errand": str(task.errand), "wave": task.plan.edit.wave} for task in tasks
        ],
        left=[{"service": str(service), "why": str(why)} for service, why in sorted(agenda.left.items())],
        breakers=[{"cluster": cluster, "why": why} for cluster, why in sorted(breakers.items())],
    )


def blocks(data: Mapping[str, Any]) -> list[Block]:
    """The document for people."""
    columns = (Column("service"), Column("wave"), Column("would"))
    rows = tuple(
        (one["service"], "-" if one["wave"] is None else str(one["wave"]), _ERRANDS[one["errand"]])
        for one in data["tasks"]
    )
    table: list[Block] = [Table(columns, rows), Line()] if rows else []
    if data["left"]:
        reasons = tuple((one["service"], LEFT.get(one["why"], one["why"])) for one in data["left"])
        table += [Table((Column("service"), Column("is left")), reasons), Line()]
    left = ", ".join(f"{count} {why}" for why, count in sorted(Counter(one["why"] for one in data["left"]).items()))
    return [
        *table,
        Line(f"{len(rows)} to do, {len(data['left'])} left{f': {left}' if left else ''}", Tone.HEAD),
        *[Line(f"cluster {one['cluster']}: its breaker is open: {one['why']}", Tone.WARN) for one in data["breakers"]],
    ]
