"""Which Reporter a command gets: live on a terminal, lines elsewhere, JSON lines or silence when asked for."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from migrator.cli.options import Common, LogFormat
from migrator.model.events import Reporter


@contextmanager
def reporting(common: Common, *, live: bool = True) -> Iterator[Reporter]:
    """Sets logging up and yields the Reporter; a live display, where one is wanted, lasts as long as the block."""
    from migrator.render import log
    from migrator.render.screen import lively

    as_json = common.log_format is LogFormat.JSON
    colour = lively(sys.stderr, os.environ) and not (as_json or common.quiet)
    level = log.level_of(
        verbose=common.verbose or (as_json and not common.quiet), quiet=common.quiet, debug=common.debug
    )
    log.configure(json_lines=as_json, level=level, colour=colour)
    if live and colour:
        from migrator.render.progress import LiveProgress

        with LiveProgress(sys.stderr) as progress:
            yield log.BindingReporter(progress)
    else:
        yield log.BindingReporter(_plain(common, as_json=as_json))


def _plain(common: Common, *, as_json: bool) -> Reporter:
    from migrator.render.lines import LineReporter, SilentReporter
    from migrator.render.log import LogReporter

    if as_json:
        return LogReporter()
    return SilentReporter() if common.quiet else LineReporter(sys.stderr)
