"""`migrate store`: what was made, what is to be made by other means, what was written or read."""

from collections.abc import Mapping, Sequence
from typing import Any

from migrator.render.blocks import Block, Line, Tone
from migrator.render.json_out import result


def initialised(state: str, deeds: Sequence[str], *, done: bool) -> dict[str, Any]:
    """The result document of init, `schemas/store.json`; `done` is False where the deeds are only shown."""
    return _document("init", state, deeds=list(deeds), done=done)


def described(state: str, table: Mapping[str, Any], policy: Mapping[str, Any]) -> dict[str, Any]:
    """The result document of describe."""
    return _document("describe", state, table=dict(table), policy=dict(policy))


def moved(action: str, state: str, file: str, counts: Mapping[str, int]) -> dict[str, Any]:
    """The result document of export and import."""
    return _document(action, state, file=file, counts=dict(counts))


def _document(action: str, state: str, **parts: Any) -> dict[str, Any]:
    empty = {"deeds": [], "done": False, "table": None, "policy": None, "file": None, "counts": None}
    return result("store", action=action, state=state, **{**empty, **parts})


def init_blocks(data: Mapping[str, Any]) -> list[Block]:
    """What init did, or would do."""
    if not data["deeds"]:
        return [Line(f"{data['state']}: nothing to do", Tone.GOOD)]
    head = Line(f"{data['state']}: {'done' if data['done'] else 'this would be done'}", Tone.HEAD)
    return [head, *(Line(f"  {deed}") for deed in data["deeds"])]


def moved_blocks(data: Mapping[str, Any]) -> list[Block]:
    """How much was moved, and whither."""
    counts = data["counts"]
    much = f"{counts['runs']} runs, {counts['records']} records, {counts['marks']} marks"
    way = f"from {data['state']} to" if data["action"] == "export" else f"into {data['state']} from"
    return [Line(f'{much} {way} "{data["file"]}"')]
