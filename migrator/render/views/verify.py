"""`migrate verify`: which identity each pod and container really has now."""

from collections.abc import Mapping, Sequence
from typing import Any

from migrator.model.exits import Exit
from migrator.model.identity import Identity
from migrator.render.blocks import IDENTITY_TONES, Block, Column, Line, Table, Tone
from migrator.render.json_out import result
from migrator.running.observe import Crew, Manned, Observation, Seen, Verdict
from migrator.steps.crowds.judged import listed
from migrator.steps.crowds.logs import Log

_TONES = {Verdict.AS_EXPECTED: Tone.GOOD, Verdict.PENDING: Tone.WARN, Verdict.OTHERWISE: Tone.BAD}


def document(observed: Sequence[tuple[Observation, Identity]], *, exit_code: Exit) -> dict[str, Any]:
    """The result document, `schemas/verify.json`; each observation comes with the identity expected."""
    return result("verify", services=[_service(*one) for one in observed], exit=int(exit_code))


def _service(observation: Observation, expected: Identity) -> dict[str, Any]:
    return {
        "service": str(observation.service),
        "identity": str(observation.identity),
        "expected": str(expected),
        "as_expected": observation.verdict(expected) is Verdict.AS_EXPECTED,
        "verdict": str(observation.verdict(expected)),
        "problems": observation.problems(expected),
        "association": observation.association or None,
        "annotation": observation.annotation or None,
        "left_to": observation.left_to or None,
        "workloads": [_crew(one) for one in observation.crews],
        "containers": [_seen(entry) for entry in observation.seen],
    }


def _crew(crew: Crew) -> dict[str, Any]:
    return {"workload": crew.workload, "ready": crew.ready, "wanted": crew.wanted, "state": str(crew.state)}


def _seen(entry: Seen) -> dict[str, Any]:
    return {
        "pod": entry.pod,
        "owner": entry.owner,
        "container": entry.container,
        "identity": str(entry.identity),
        "ready": entry.ready,
        "credentials": {"answered": entry.answered, "says": entry.credentials} if entry.credentials else None,
        "log": _log(entry.log) if entry.log is not None else None,
        "check": {"passed": entry.check_passed, "says": entry.check} if entry.check_passed is not None else None,
    }


def _log(log: Log) -> dict[str, Any]:
    return {"refused": None if log.unread else log.refused, "says": log.unread or log.said}


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
    verdict = Line(f"{service['service']}: {_said(service)}", _TONES[service["verdict"]])
    containers = service["containers"]
    problems = [*_unanswered(containers), *_doubts(containers), *_short(service["workloads"])]
    return [*table, *problems, verdict, *_left(service), Line()]


def _left(service: Mapping[str, Any]) -> list[Block]:
    owner = service["left_to"]
    if owner is None:
        return []
    return [
        Line(f"  its annotation is left to {owner}" if service["annotation"] else f"  {owner} took its annotation out")
    ]


def _short(crews: Sequence[Mapping[str, Any]]) -> list[Block]:
    short = (one for one in crews if one["state"] == Manned.SHORT)
    return [Line(f"{one['workload']}: {one['ready']} of {one['wanted']} pods ready", Tone.BAD) for one in short]


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


def _doubts(entries: Sequence[Mapping[str, Any]]) -> list[Block]:
    """What logs tell that proves nothing; what proves something is one of the problems."""
    read = [entry["log"] for entry in entries if entry["log"]]
    suspect = [f"by its log: {log['says']}" for log in read if log["refused"] is False and log["says"]]
    unread = sorted({f"log not read: {log['says']}" for log in read if log["refused"] is None})
    return [Line(text, Tone.WARN) for text in [*suspect, *unread]]


def _said(service: Mapping[str, Any]) -> str:
    if service["verdict"] == Verdict.PENDING:
        return f"expected {service['expected']}; no pod now to prove it: the next one will"
    return f"{service['identity']}, {_as_expected(service) if service['as_expected'] else _otherwise(service)}"


def _as_expected(service: Mapping[str, Any]) -> str:
    unproven = [one["workload"] for one in service["workloads"] if one["state"] == Manned.PENDING]
    return f"as expected; not proven yet, for want of a pod: {listed(unproven)}" if unproven else "as expected"


def _otherwise(service: Mapping[str, Any]) -> str:
    """The workloads that are short of pods have lines of their own above."""
    said = "; ".join(service["problems"]) or "not all its pods are ready"
    return said if said.startswith("expected ") else f"but {said}"


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
