"""Nobody is asked where nobody can answer."""

import io

import pytest

from migrator.cli.ask import agreed
from migrator.model.errors import UsageError


class Terminal(io.StringIO):
    """Something a person types into."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("y\n", True), ("YES\n", True), ("n\n", False), ("\n", False), ("", False), ("yeah\n", False)],
)
def test_answers(answer: str, *, expected: bool) -> None:
    asked = io.StringIO()

    assert agreed("migrate this service?", yes=False, stdin=Terminal(answer), stderr=asked) is expected
    assert asked.getvalue() == "migrate this service? [y/N] "


def test_yes_asks_nothing() -> None:
    asked = io.StringIO()

    assert agreed("sure?", yes=True, stdin=io.StringIO(), stderr=asked)
    assert asked.getvalue() == ""


def test_no_terminal_wants_yes() -> None:
    with pytest.raises(UsageError, match="no terminal") as caught:
        agreed("sure?", yes=False, stdin=io.StringIO("y\n"), stderr=io.StringIO())

    assert '"--yes"' in caught.value.remedy


class Impatient(Terminal):
    """Somebody who presses Ctrl-C instead of answering."""

    def readline(self, _size: int = -1, /) -> str:  # type: ignore[override] # typeshed's StringIO is two classes
        raise KeyboardInterrupt


def test_ctrl_c_instead_of_an_answer_ends_the_line() -> None:
    asked = io.StringIO()
    with pytest.raises(KeyboardInterrupt):
        agreed("sure?", yes=False, stdin=Impatient(), stderr=asked)

    assert asked.getvalue() == "sure? [y/N] \n"
