"""Reads `batch:` of the fleet file."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from migrator.documents.yaml_file import Document
from migrator.model.batch import BatchPolicy, Budget, Limits
from migrator.model.windows import Window
from migrator.store.fleet_paths import path_text

_VISIBLE_ASCII = re.compile(r"[!-~]+")


def batch_policy(document: Document, folder: Path) -> BatchPolicy:
    """What the file, which fits its schema, says about batch runs; paths in it are relative to `folder`.

    Raises:
        DocumentError: a window, a path or a URL that cannot be read.
    """
    data: dict[str, Any] = document.data.get("batch", {})
    parts = {
        "limits": Limits(**data.get("limits", {})),
        "windows": tuple(_windows(document, data.get("windows", []))),
        "budget": Budget(**data.get("budget", {})),
        "metrics": _metrics(document, data.get("metrics", ""), folder),
        "notify": _notify(document, data.get("notify", "")),
    }
    return BatchPolicy(**{**data, **parts})


def _windows(document: Document, texts: list[str]) -> Iterator[Window]:
    for position, text in enumerate(texts):
        try:
            yield Window.parse(text)
        except ValueError as error:
            raise document.error(("batch", "windows", position), str(error)) from error


def _metrics(document: Document, text: str, folder: Path) -> Path | None:
    path = path_text(document, ("batch", "metrics"), text)
    return folder / path if path else None


def _notify(document: Document, url: str) -> str:
    if url and not _posted_to(url):  # it is not shown: such URLs carry secrets
        problem = "not an http or https URL that can be posted to; write it like https://hooks.example.com/migrate"
        raise document.error(("batch", "notify"), problem)
    return url


def _posted_to(url: str) -> bool:
    try:
        parts = urlsplit(url)
        sound = _VISIBLE_ASCII.fullmatch(url) is not None and parts.port != 0
        return sound and parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:  # a port that is no number, a bracket that is not closed
        return False
