"""Results to stdout, in the form asked for; `migrator.cli.streams` sees to it that writing there fails nothing."""

import os
import sys
from collections.abc import Callable, Iterable
from typing import Any, TextIO

from migrator.cli.options import Common, Form, LogFormat
from migrator.cli.run import Complaint, hint, line
from migrator.render.blocks import Block
from migrator.render.redact import redacted
from migrator.render.writing import takes_all


class Output:
    """Where a command's result goes."""

    def __init__(self, common: Common) -> None:
        self.form = common.output
        self._json_lines = common.log_format is LogFormat.JSON
        self._quiet = common.quiet

    @property
    def for_people(self) -> bool:
        """Whether the result is drawn, not written as JSON or YAML."""
        return self.form is Form.TABLE

    def show(self, document: dict[str, Any], blocks: Callable[[dict[str, Any]], Iterable[Block]]) -> None:
        """Writes the result: the document as it is, or the blocks made from it."""
        from migrator.render.json_out import as_json, as_yaml

        if self.for_people:
            self.draw(blocks(redacted(document)))
        elif self.form is Form.JSON:
            _write(as_json(document, pure_ascii=not takes_all(sys.stdout)))
        else:
            _write(as_yaml(document))

    def draw(self, blocks: Iterable[Block], stream: TextIO | None = None) -> None:
        """Draws blocks for people, on stdout unless another stream is given."""
        from migrator.render.screen import draw, lively

        target = stream or sys.stdout
        draw(blocks, target, colour=lively(target, os.environ))
        target.flush()

    def hint(self, text: str) -> None:
        """Says on stderr what a person may have overlooked; no error, so not in quiet mode."""
        if not self._quiet:
            sys.stderr.write(hint(text, json_lines=self._json_lines))

    def warn(self, text: str) -> None:
        """Says on stderr what went wrong beside the result, in quiet mode too."""
        sys.stderr.write(hint(text, json_lines=self._json_lines, event="warning"))

    def complain(self, found: Complaint, *, always: bool = False) -> None:
        """Says on stderr what went wrong; unless `always`, not to a person who sees it in the table anyway."""
        if always or not (self.for_people and sys.stdout.isatty()):
            sys.stderr.write(line(found, json_lines=self._json_lines))


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
