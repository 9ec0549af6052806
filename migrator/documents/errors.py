"""The one error of this layer: which file, which line, which field, what is wrong with it."""

from pathlib import Path


class DocumentError(Exception):
    """A file that cannot be used as it is; its text is one sentence, `FILE:LINE: FIELD: what is wrong`."""

    def __init__(self, path: Path | str, problem: str, *, line: int | None = None, field: str = "") -> None:
        self.path = str(path)
        self.problem = problem
        self.line = line
        self.field = field
        where = self.path if line is None else f"{self.path}:{line}"
        super().__init__(f"{where}: {field}: {problem}" if field else f"{where}: {problem}")
