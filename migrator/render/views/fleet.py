"""`migrate fleet discover`: the clusters, how each stands to the fleet file, and what could not be looked at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from migrator.model.discovery import Entry, Known, Unreached
from migrator.model.fleet import Account
from migrator.render.blocks import Block, Column, Diff, Line, Table, Tone
from migrator.render.json_out import result
from migrator.steps.crowds.judged import count

_TONES: Mapping[str, Tone] = {Known.NEW: Tone.GOOD, Known.GONE: Tone.WARN}


@dataclass(frozen=True, slots=True)
class Reached:
    """An account that was looked in, and the ARN of whom it took us for."""

    account: Account
    caller: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovered:
    """All that looking for clusters came to; `diff` is what the file gained, or would gain."""

    file: str
    dry_run: bool
    written: bool
    entries: Sequence[Entry]
    reached: Sequence[Reached]
    left_out: Sequence[Unreached]
    diff: tuple[str, ...]


def document(found: Discovered) -> dict[str, Any]:
    """The result document, `schemas/fleet.json`."""
    states = [str(one.known) for one in found.entries]
    return result(
        "fleet",
        action="discover",
        file=found.file,
        dry_run=found.dry_run,
        written=found.written,
        summary={
            "clusters": len(states),
            **{str(word): states.count(word) for word in Known},
            "left_out": len(found.left_out),
        },
        accounts=[
            {"id": one.account.id, "profile": one.account.profile, "role": one.account.role, "caller": one.caller}
            for one in found.reached
        ],
        clusters=[_cluster(one) for one in found.entries],
        left_out=[{"account": one.place.account, "region": one.place.region, "why": one.why} for one in found.left_out],
        diff=list(found.diff),
    )


def reasons(left_out: Sequence[Unreached]) -> list[str]:
    """What could not be looked at, and why: an account's regions with the same reason in one sentence."""
    by_reason: dict[tuple[str, str], list[str]] = {}
    for one in left_out:
        by_reason.setdefault((one.place.account, one.why), []).append(one.place.region)
    return [f'account "{account}"{_where(regions)} left out: {why}' for (account, why), regions in by_reason.items()]


def blocks(data: Mapping[str, Any]) -> list[Block]:
    """The table of clusters, what the file gained, and what was left out."""
    columns = (Column("cluster"), Column("name"), Column("region"), Column("account"), Column("", _TONES))
    rows = tuple(tuple(one[key] for key in ("alias", "name", "region", "account", "state")) for one in data["clusters"])
    drawn: list[Block] = [Table(columns, rows), Line()] if rows else []
    if data["diff"]:
        drawn += [Diff(tuple(data["diff"])), Line()]
    counts = data["summary"]
    told = ", ".join(f"{counts[word]} {word}" for word in Known)
    drawn.append(Line(f"{_number(data)}: {told}", Tone.HEAD))
    drawn.append(Line(f"{data['file']}: {_fate(data)}"))
    drawn += [
        Line(f"gone: {one['alias']} ({one['name']} in {one['region']}; its entry was kept)", Tone.WARN)
        for one in data["clusters"]
        if one["state"] == Known.GONE
    ]
    return drawn + [
        Line(f"left out: account {one['account']} {one['region']}: {one['why']}", Tone.BAD) for one in data["left_out"]
    ]


def _number(data: Mapping[str, Any]) -> str:
    """How many clusters in how many accounts they are; where there are none, in how many was looked."""
    homes = {one["account"] for one in data["clusters"]} or {one["id"] for one in data["accounts"]}
    return f"{count(data['summary']['clusters'], 'cluster')} in {count(len(homes), 'account')}"


def _cluster(one: Entry) -> dict[str, str]:
    cluster = one.cluster
    return {
        "alias": cluster.alias,
        "name": cluster.name,
        "region": cluster.region,
        "account": cluster.account,
        "state": str(one.known),
    }


def _fate(data: Mapping[str, Any]) -> str:
    if data["written"]:
        return "written"
    if data["diff"]:
        return "nothing was written (--dry-run)"
    return "nothing to add"


def _where(regions: Sequence[str]) -> str:
    return f" in {', '.join(regions)}" if any(regions) else ""
