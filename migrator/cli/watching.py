"""`migrate status --watch`: looks again and again, and draws what was seen, until it is told to stop."""

import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from signal import SIGTERM
from time import monotonic
from typing import Any

from migrator.cli.run import complaint
from migrator.cli.signals import Signals
from migrator.cli.streams import unseen
from migrator.documents.errors import DocumentError
from migrator.model.errors import MigrateError
from migrator.model.exits import Exit
from migrator.render.watch import Look, Watch

_TICK = 1.0  # seconds between two pictures: ages go on in between


def watch(see: Callable[[], dict[str, Any]], every: float) -> Exit:
    """Draws the status until Ctrl-C, which is how to leave it (0), SIGTERM (143), or nobody can see it any more.

    Args:
        see: the status document as it is now.
        every: seconds between the end of a look and the next.

    Raises:
        MigrateError, DocumentError: of the first look; a later one that fails is told in the picture.
    """
    look = Look(document=see(), at=datetime.now(UTC))
    wake = threading.Event()
    with Signals(wake, say=lambda _text: None) as signals, Watch(sys.stdout, every=every) as screen:
        while signals() is None and not unseen():
            _linger(screen, look, every, wake)
            if signals() is None:
                look = _again(see, look)
    return Exit.TERMINATED if signals() == SIGTERM else Exit.DONE


def _linger(screen: Watch, look: Look, every: float, wake: threading.Event) -> None:
    until = monotonic() + every
    while True:
        screen.draw(look)
        left = until - monotonic()
        if left <= 0 or wake.wait(min(left, _TICK)):
            return


def _again(see: Callable[[], dict[str, Any]], before: Look) -> Look:
    try:
        return Look(document=see(), at=datetime.now(UTC))
    except (MigrateError, DocumentError) as error:
        return replace(before, problem=complaint(error).sentence)
