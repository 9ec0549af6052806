"""Who else has a thing of a plan in a source of his own, and what he has to write there."""

from collections.abc import Mapping, Sequence
from typing import Any

from migrator.model.plan import Plan
from migrator.render.blocks import Block, Line, Tone, head

Owners = Sequence[Mapping[str, Any]]


def owners_of(plan: Plan) -> list[dict[str, Any]]:
    """The plan's owners as the documents show them."""
    return [dict(owner) for owner in plan.facts.get("owners", ())]


def owner_blocks(owners: Owners) -> list[Block]:
    """Each owner with his patches under a heading; nothing when there is none."""
    return [*head("owners"), *(block for owner in owners for block in _owner(owner))] if owners else []


def _owner(owner: Mapping[str, Any]) -> list[Block]:
    lines: list[Block] = [Line(f"  {owner['step']}: {owner['of']} belongs to {owner['name']} ({owner['mark']})")]
    for patch in owner["patches"]:
        lines.append(Line(f"    in {patch['where']}:", Tone.FAINT))
        lines += [Line(f"      {text}", whole=True) for text in patch["text"].splitlines()]
    return lines
