"""`migrate apply` and `migrate rollback`: what will be done, and how it ended."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from migrator.model.exits import Exit
from migrator.model.facts import Json
from migrator.model.ids import ServiceId
from migrator.model.plan import Plan
from migrator.render.blocks import Block, Line, Tone, head
from migrator.render.json_out import result
from migrator.render.next_steps import next_commands
from migrator.render.steps import role_name
from migrator.render.views.owners import owner_blocks, owners_of
from migrator.render.views.plan import role_of
from migrator.render.views.show import step, steps, trust_blocks, trust_change

_SHOWN = 15
_TONES: Mapping[int, Tone] = {Exit.DONE: Tone.GOOD, Exit.UNFINISHED: Tone.WARN}


class Changed(Protocol):
    """A field of a plan that differs from the plan before; None where one of them has no such field."""

    @property
    def field(self) -> str:
        """Its path."""
        ...

    @property
    def before(self) -> Json:
        """What it was."""
        ...

    @property
    def after(self) -> Json:
        """What it is."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Intended:
    """One service and what is meant to be done to it; `left_alone` says why nothing is done, empty if something is.

    `note` is what a run that is open, or one that is done, makes of it. `looks` says that nothing will be changed, only
    looked at: its steps are not shown and nobody is asked.
    """

    plan: Plan
    left_alone: str = ""
    note: str = ""
    looks: bool = False
    exit: Exit = Exit.DONE  # of one that is left alone
    changes: Sequence[Changed] = ()  # since the plan that stood there before; only where it was planned again


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How it ended for one service."""

    service: ServiceId
    exit: Exit
    message: str


def intention(command: str, intended: Sequence[Intended]) -> list[dict[str, Any]]:
    """The `intended` part of the result document of `command`, "apply" or "rollback"."""
    return [_intended(one, back=command == "rollback") for one in intended]


def document(
    command: str, intended: Sequence[Intended], ended: Sequence[Ended], *, dry_run: bool, exit_code: Exit
) -> dict[str, Any]:
    """The result document, `schemas/apply.json` and `schemas/rollback.json`."""
    return result(
        command,
        dry_run=dry_run,
        intended=intention(command, intended),
        results=[_ended(command, one) for one in ended],
        exit=_exit(exit_code),
    )


def intention_blocks(intended: Sequence[Mapping[str, Any]]) -> list[Block]:
    """What will be done, for people, before they are asked."""
    return [block for one in intended for block in _service(one)]


def result_blocks(data: Mapping[str, Any]) -> list[Block]:
    """How it ended, for people."""
    if data["dry_run"]:
        return [Line(), Line("nothing was changed (--dry-run)", Tone.HEAD)]
    found = [block for one in data["results"] for block in _result(one)]
    return found if any(one["left_alone"] for one in data["intended"]) else [Line(), *found]


def _result(one: Mapping[str, Any]) -> list[Block]:
    code, meaning = one["exit"]["code"], one["exit"]["meaning"]
    tone = _TONES.get(code, Tone.BAD)
    following: list[Block] = [
        Line(f"  {'' if position else 'next':4}  {text}", whole=True) for position, text in enumerate(one["next"])
    ]
    return [Line(f"{one['service']}  exit {code}: {meaning}", tone), Line(f"  {one['message']}"), *following]


def _intended(one: Intended, *, back: bool) -> dict[str, Any]:
    return {
        "service": str(one.plan.service),
        "role": role_of(one.plan),
        "verdict": str(one.plan.verdict),
        "left_alone": one.left_alone or None,
        "note": one.note or None,
        "changes": [{"field": c.field, "before": c.before, "after": c.after} for c in one.changes],
        "steps": [] if one.looks else [step(planned) for planned in (one.plan.back if back else one.plan.way_there)],
        "trust": None if back or one.looks else trust_change(one.plan),
        "owners": [] if back or one.looks else owners_of(one.plan),
    }


def _service(one: Mapping[str, Any]) -> list[Block]:
    title = Line(f"{one['service']}  role {role_name(one['role']) if one['role'] else '-'}", Tone.HEAD)
    changed = _changes(one["changes"])
    if one["left_alone"]:
        return [title, *changed, Line(f"  left alone: {one['left_alone']}", Tone.BAD), Line()]
    warned = (
        [Line("  its findings want attention: see migrate show", Tone.WARN)] if one["verdict"] == "attention" else []
    )
    noted = [Line(f"  {one['note']}", Tone.WARN)] if one["note"] else []
    if noted and not one["steps"]:
        return [title, *changed, *noted, Line()]
    # the first two blocks of a step list are its heading, which one service alone does not need
    return [
        title,
        *changed,
        *warned,
        *noted,
        *steps("", one["steps"])[len(head("")) :],
        *trust_blocks(one["trust"]),
        *owner_blocks(one["owners"]),
        Line(),
    ]


def _changes(changes: Sequence[Mapping[str, Any]]) -> list[Block]:
    if not changes:
        return []
    lines = [Line(f"    {c['field']}: {_value(c['before'])} → {_value(c['after'])}") for c in changes[:_SHOWN]]
    more = [Line(f"    and {len(changes) - _SHOWN} more: --output json has all")] if len(changes) > _SHOWN else []
    return [Line("  planned again; since the plan before:", Tone.WARN), *lines, *more]


def _value(value: Json) -> str:
    return "none" if value is None else json.dumps(value, ensure_ascii=False)


def _ended(command: str, one: Ended) -> dict[str, Any]:
    following = next_commands(command, one.exit, one.service, one.message)
    return {"service": str(one.service), "exit": _exit(one.exit), "message": one.message, "next": list(following)}


def _exit(code: Exit) -> dict[str, Any]:
    return {"code": int(code), "name": code.label, "meaning": code.meaning}
