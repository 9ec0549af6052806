"""`migrate verify`: which identity each pod and container really has now."""

from collections.abc import Mapping, Sequence
from typing import Any

from migrator.model.exits import Exit
from migrator.model.identity import Identity
from migrator.render.blocks import IDENTITY_TONES, Block, Column, Line, Table, Tone
from migrator.render.json_out import result
from migrator.running.observe import Observation, Seen


def document(observed: Sequence[tuple[Observation, Identity]], *, exit_code: Exit) -> dict[str, Any]:
    """The result document, `schemas/verify.json`; each observation comes with the identity expected."""
    return result("verify", services=[_service(*one) for one in observed], exit=int(exit_code))


def _service(observation: Observation, expected: Identity) -> dict[str, Any]:
    return {
        "service": str(observation.service),
        "identity": str(observation.identity),
        "expected": str(expected),
        "as_expected": observation.as_expected(expected),
        "association": observation.association or None,
        "containers": [_seen(entry) for entry in observation.seen],
    }


def _seen(entry: Seen) -> dict[str, Any]:
    return {
        "pod": entry.pod,
        "owner": entry.owner,
        "container": entry.container,
        "identity": str(entry.identity),
        "ready": entry.ready,
        "credentials": {"answered": entry.answered, "says": entry.credentials} if entry.credentials else None,
        "check": {"passed": entry.check_passed, "says": entry.check} if entry.check_passed is not None else None,
    }


def blocks(data: Mapping[str, Any]) -> list[Block]:
    """The document for people."""
    return [block for service in data["services"] for block in _blocks(service)]


def _blocks(service: Mapping[str, Any]) -> list[Block]:
    columns = (
        Column("pod"),
        Column("container"),
        Column("identity", IDENTITY_TONES),
        Column("ready", {"no": Tone.WARN}),
        Column("owner"),
        Column("credentials"),
        Column("own check"),
    )
    rows = tuple(_row(entry) for entry in service["containers"])
    table: list[Block] = [Table(columns, rows)] if rows else []
    said = _said(service)
    verdict = Line(
        f"{service['service']}: {service['identity']}, {said}", Tone.GOOD if service["as_expected"] else Tone.BAD
    )
    return [*table, *_unanswered(service["containers"]), verdict, Line()]


def _unanswered(entries: Sequence[Mapping[str, Any]]) -> list[Block]:
    """Why the column of credentials says anything but `answered`."""
    asked = [(entry, entry["credentials"]) for entry in entries if entry["credentials"]]
    return [
        Line(
            f"{entry['pod']}/{entry['container']}: credentials {one['says']}",
            Tone.BAD if one["answered"] is False else Tone.WARN,
        )
        for entry, one in asked
        if not one["answered"]
    ]


def _said(service: Mapping[str, Any]) -> str:
    if service["as_expected"]:
        return "as expected"
    orphaned = service["expected"] == Identity.POD_IDENTITY and service["association"] is None
    if orphaned and service["identity"] == service["expected"]:
        return "but EKS lists no association for it"
    return f"expected {service['expected']}{'; EKS lists no association for it' if orphaned else ''}"


def _row(entry: Mapping[str, Any]) -> tuple[str, ...]:
    check, credentials = entry["check"], entry["credentials"]
    return (
        entry["pod"],
        entry["container"],
        entry["identity"],
        "yes" if entry["ready"] else "no",
        entry["owner"],
        credentials["says"].partition(":")[0] if credentials else "-",
        check["says"] if check else "-",
    )
