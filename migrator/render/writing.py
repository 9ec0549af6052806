"""Lines are written whole: threads that report at the same time never write into one another's."""

import codecs
import threading
from typing import TextIO

_WRITING = threading.RLock()  # one for all streams: stderr is reached as more than one


def takes_all(stream: TextIO) -> bool:
    """Whether it writes UTF-8, as whoever reads JSON expects; JSON for any other stream must be pure ASCII."""
    return stream.encoding is None or codecs.lookup(stream.encoding).name == "utf-8"


def write_line(stream: TextIO, text: str) -> None:
    """Writes the text and a newline, and hands them over at once."""
    with _WRITING:
        stream.write(f"{text}\n")
        stream.flush()
