"""`migrate explain`: what a code means. Findings, error codes and exit codes share one page layout."""

import difflib
from collections.abc import Mapping
from typing import Any

from migrator.model.errors import UsageError
from migrator.model.exits import Exit
from migrator.planning.findings.catalogue import CATALOGUE, Entry
from migrator.render.blocks import SEVERITY_TONES, Block, Line, Tone
from migrator.render.error_pages import ERRORS, ErrorPage
from migrator.render.json_out import result

_REMEDIES: Mapping[Exit, str] = {
    Exit.DONE: "nothing",
    Exit.ERROR: "mend what the message names, then give the same command again: it goes on where it stopped",
    Exit.USAGE: "mend what the message names, then give the same command again; nothing was changed",
    Exit.UNFINISHED: "give the same command again later; a scheduled batch does so by itself",
    Exit.BLOCKED: '"migrate show SERVICE" says why: mend it, or accept it in the plan, and give the command again',
    Exit.LOCKED: 'wait for the other runner, which "migrate status" names',
    Exit.DRIFT: 'look with "migrate show SERVICE", then plan again: migrate apply --service SERVICE --from-drift',
    Exit.ROLLED_BACK: 'look why with "migrate history SERVICE", mend it, then: migrate apply --service SERVICE',
    Exit.STRANDED: 'now: migrate rollback --service SERVICE; "migrate history SERVICE" says how far it came',
    Exit.INTERRUPTED: "give the same command again: it goes on where it stopped",
    Exit.TERMINATED: "give the same command again: it goes on where it stopped",
}


def document(code: str) -> dict[str, Any]:
    """The result document, `schemas/explain.json`.

    Raises:
        UsageError: nothing has that code; the message names close ones.
    """
    wanted = code.strip().lower()
    if wanted in CATALOGUE:
        return _finding(CATALOGUE[wanted])
    if wanted in ERRORS:
        return _error(wanted, ERRORS[wanted])
    exits = {str(int(one)): one for one in Exit}
    if wanted in exits:
        return _exit(exits[wanted])
    raise _unknown(code, [*CATALOGUE, *ERRORS])


def blocks(data: Mapping[str, Any]) -> list[Block]:
    """The document for people."""
    kind = {"finding": "finding", "error": "error", "exit": "exit code"}[data["kind"]]
    weight = f", severity {data['severity']}" if data["severity"] else ""
    ends = f", exit code {data['exit']}" if data["exit"] is not None and data["kind"] == "error" else ""
    tone = SEVERITY_TONES.get(data["severity"] or "", Tone.HEAD)
    lines = [Line(f"{data['code']}  ({kind}{weight}{ends})", tone), Line(f"  {data['title']}")]
    for name in ("why", "remedy"):
        if data[name]:
            lines += [Line(), Line(name, Tone.HEAD), Line(f"  {data[name]}")]
    if data["acceptable"] is not None:
        lines += [Line(), Line(f"  {_acceptance(acceptable=data['acceptable'])}", Tone.FAINT)]
    return [*lines]


def _acceptance(*, acceptable: bool) -> str:
    if acceptable:
        return "a person may take it on: add the code, with a reason, to edit.accept in the plan file"
    return "it cannot be accepted in the plan file"


def _finding(entry: Entry) -> dict[str, Any]:
    return result(
        "explain",
        code=entry.code,
        kind="finding",
        title=entry.title,
        severity=str(entry.severity),
        acceptable=entry.acceptable if entry.severity != "info" else None,
        exit=None,
        why=entry.why,
        remedy=entry.remedy,
    )


def _error(code: str, page: ErrorPage) -> dict[str, Any]:
    return result(
        "explain",
        code=code,
        kind="error",
        title=page.title,
        severity=None,
        acceptable=None,
        exit=int(page.exit),
        why=page.why,
        remedy=page.remedy,
    )


def _exit(code: Exit) -> dict[str, Any]:
    pages = [name for name, page in ERRORS.items() if page.exit is code]
    return result(
        "explain",
        code=str(int(code)),
        kind="exit",
        title=code.meaning,
        severity=None,
        acceptable=None,
        exit=int(code),
        why=f"it is what these errors end with: {', '.join(pages)}" if pages else "",
        remedy=_REMEDIES[code],
    )


def _unknown(code: str, known: list[str]) -> UsageError:
    near = difflib.get_close_matches(code.lower(), known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(f'{chr(34)}{name}{chr(34)}' for name in near)}? " if near else ""
    return UsageError(f'code "{code}" is not known', remedy=f"{hint}docs/findings.md lists every finding")
