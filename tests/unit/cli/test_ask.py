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
