"""`migrate batch`: what an unattended run did, for whoever reads the mail, and for machines.

Counts come first, then every service that did not simply get done, with its sentence and what to do, the gravest first.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from migrator.model.batch import ServiceEnded, ServiceLeft, Summary
from migrator.model.exits import Exit
from migrator.model.journal import Standing
from migrator.render.blocks import Block, Line, Tone, head
from migrator.render.json_out import result
from migrator.render.next_steps import left_commands, next_commands
from migrator.render.words import LEFT, REASONS, seconds

_TONES: Mapping[int, Tone] = {Exit.DONE: Tone.GOOD, Exit.UNFINISHED: Tone.WARN, Exit.LOCKED: Tone.WARN}
_GRAVE = (Exit.STRANDED, Exit.ROLLED_BACK, Exit.DRIFT, Exit.BLOCKED, Exit.ERROR)
_ORDER = (*_GRAVE, *(code for code in Exit if code not in _GRAVE and code is not Exit.DONE), Exit.DONE)


def document(summary: Summary) -> dict[str, Any]:
    """The result document, `schemas/batch.json`; what is posted to the URL under `batch.notify` is the same."""
    lasted = datetime.fromisoformat(summary.ended) - datetime.fromisoformat(summary.began)
    return result(
        "batch",
        run=summary.run,
        worker=summary.worker,
        began=summary.began,
        ended=summary.ended,
        seconds=round(lasted.total_seconds(), 3),
        reason=summary.reason,
        exit=_exit(summary.exit),
        summary={"services": len(summary.services), **_counts(summary.services)},
        services=[_service(one) for one in sorted(summary.services, key=_rank)],
        left=dict(sorted(summary.left.items())),
        for_a_person=[_waiting(one) for one in summary.for_a_person],
        breakers=[{"cluster": cluster, "why": why} for cluster, why in sorted(summary.breakers.items())],
        standings={str(one): summary.standings.get(one, 0) for one in Standing},
    )


def blocks(data: Mapping[str, Any]) -> list[Block]:
    """The document for people."""
    told = [one for one in data["services"] if one["exit"]["code"] != Exit.DONE]
    return [
        Line(_outcome(data), _TONES.get(data["exit"]["code"], Tone.BAD)),
        Line(f"  {_span(data)}"),
        Line(f"  {_reason(data['reason'])}"),
        *_summary(data),
        *_left_to_owners(data["services"]),
        *_for_a_person(data["for_a_person"]),
        *_breakers(data["breakers"]),
        *[block for one in told for block in _told(one)],
    ]


def _rank(one: ServiceEnded) -> tuple[int, str]:
    return _ORDER.index(one.exit), str(one.service)


def _counts(services: Iterable[ServiceEnded]) -> dict[str, int]:
    exits = [one.exit for one in services]
    return {code.label: exits.count(code) for code in _ORDER}


def _service(one: ServiceEnded) -> dict[str, Any]:
    following = () if one.exit is Exit.DONE else next_commands("batch", one.exit, one.service, one.message)
    return {
        "service": str(one.service),
        "exit": _exit(one.exit),
        "message": one.message,
        "seconds": round(one.seconds, 3),
        "left_to": one.left_to or None,
        "next": list(following),
    }


def _waiting(one: ServiceLeft) -> dict[str, Any]:
    following = left_commands(one.why, one.service)
    return {
        "service": str(one.service),
        "why": one.why,
        "cluster_waits": one.cluster_waits,
        "next": list(following),
    }


def _exit(code: Exit) -> dict[str, Any]:
    return {"code": int(code), "name": code.label, "meaning": code.meaning}


def _outcome(data: Mapping[str, Any]) -> str:
    return f"batch run {data['run']}: exit {data['exit']['code']}: {data['exit']['meaning']}"


def _span(data: Mapping[str, Any]) -> str:
    began, ended = (data[at][:19].replace("T", " ") for at in ("began", "ended"))
    return f"{began} to {ended} UTC, {seconds(data['seconds'])}, by {data['worker']}"


def _reason(reason: str) -> str:
    return f"it ended because {REASONS.get(reason, reason)}"


def _summary(data: Mapping[str, Any]) -> list[Block]:
    """Three lines of counts; what is 0 is left out."""
    ended = Counter[str]()
    for name, number in data["summary"].items():
        ended[_ENDINGS.get(name, name)] += number if name != "services" else 0
    left = {LEFT.get(name, name): count for name, count in data["left"].items()}
    told = (
        ("this run", ended, "no service was begun"),
        ("left", left, "nothing"),
        ("the fleet", data["standings"], "no service"),
    )
    return [Line(), *(Line(f"  {title:9}  {_told_counts(counts) or none}") for title, counts, none in told)]


def _left_to_owners(services: Sequence[Mapping[str, Any]]) -> list[Block]:
    left = sum(one["left_to"] is not None for one in services)
    said = "an annotation was" if left == 1 else f"{left} annotations were"
    whose = "its owner" if left == 1 else "their owners"
    return [Line(f"  {'owners':9}  {said} left to {whose}: see migrate status")] if left else []


_NAMED = 10


def _for_a_person(waiting: Sequence[Mapping[str, Any]]) -> list[Block]:
    """Those that a whole cluster waits for come first; of many, the first few are enough to begin with."""
    if not waiting:
        return []
    first = sorted(waiting, key=lambda one: not one["cluster_waits"])[:_NAMED]
    rest = len(waiting) - len(first)
    more = [Line(f"  and {rest} more: migrate batch --plan-only", whole=True)] if rest else []
    return [*head("left for a person"), *[line for one in first for line in _asks(one)], *more]


def _asks(one: Mapping[str, Any]) -> Iterator[Block]:
    waits = "; the rest of its cluster waits for it" if one["cluster_waits"] else ""
    yield Line(f"  {one['service']}: {LEFT.get(one['why'], one['why'])}{waits}")
    yield from [Line(f"    {command}", whole=True) for command in one["next"]]


_BY_ITSELF = "nothing: the next run goes on with it"
_ENDINGS = {
    "done": "done",
    "error": "with an error",
    "unfinished": "not finished",
    "rolled-back": "failed and rolled back",
    "stranded": "stranded",
    "terminated": "interrupted",
}


def _told_counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)


def _breakers(open_ones: Sequence[Mapping[str, str]]) -> list[Block]:
    found: list[Block] = []
    for one in open_ones:
        found += head(f"cluster {one['cluster']}: its breaker is open, nothing is started there")
        found += [
            Line(f"  {one['why']}"),
            Line(f"  next  mend the cause, then: migrate batch --close-breaker {one['cluster']}", whole=True),
        ]
    return found


def _told(one: Mapping[str, Any]) -> list[Block]:
    code = one["exit"]
    title = f"{one['service']}  exit {code['code']}: {code['meaning']}"
    commands = one["next"] or [_BY_ITSELF]
    following = [
        Line(f"  {'' if position else 'next':4}  {text}", whole=True) for position, text in enumerate(commands)
    ]
    return [Line(), Line(title, _TONES.get(code["code"], Tone.BAD)), Line(f"  {one['message']}"), *following]
