"""Whatever the locale's encoding: JSON is JSON, and says the same."""

import io
import json
import logging
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import structlog

from migrator.cli.options import Form
from migrator.cli.output import Output
from migrator.cli.run import Complaint, hint, line
from migrator.model.exits import Exit
from migrator.render import log
from tests.fakes.carrying import COMMON

TEXT = "für → \U0001f600"


def shown() -> str:
    Output(replace(COMMON, output=Form.JSON)).show({"event": TEXT}, lambda _document: [])
    return "stdout"


def logged() -> str:
    log.configure(json_lines=True, level=logging.INFO, colour=False)
    structlog.get_logger().info(TEXT)
    return "stderr"


def complained() -> str:
    sys.stderr.write(line(Complaint("drift", TEXT, Exit.DRIFT), json_lines=True))
    return "stderr"


def hinted() -> str:
    sys.stderr.write(hint(TEXT, json_lines=True))
    return "stderr"


WAYS = {"[result]": shown, "[log]": logged, "[error]": complained, "[hint]": hinted}


@pytest.mark.parametrize("encoding", ["utf-8", "UTF8", "latin-1", "ascii", "cp1252"])
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_json_is_json_in_every_locale(way: Callable[[], str], encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, io.TextIOWrapper(written, encoding, errors="backslashreplace"))
    stream = way()
    getattr(sys, stream).flush()

    data: dict[str, Any] = json.loads(written.getvalue().decode("utf-8"))
    assert TEXT in data.values()
    assert written.getvalue().isascii() is not encoding.lower().startswith("utf")
