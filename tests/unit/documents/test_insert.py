"""What is added to a list of somebody's file: it is there, it reads back, and every line that was there still is."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.documents.emit import emit
from migrator.documents.errors import DocumentError
from migrator.documents.insert import with_items
from migrator.documents.yaml_file import parse

FILE = Path("fleet.yaml")
NEW = [{"alias": "new", "account": "000000000001"}]
FORMS = {  # by form: before, after
    "lines": (
        "clusters:\n  - alias: a\n    account: '1'  # mine\n\n# the rest\nwaits: {}\n",
        (
            "clusters:\n  - alias: a\n    account: '1'  # mine\n"
            '  - alias: new\n    account: "000000000001"\n\n# the rest\nwaits: {}\n'
        ),
    ),
    "not indented": (
        "clusters:\n- alias: a\nwaits: {}\n",
        'clusters:\n- alias: a\n- alias: new\n  account: "000000000001"\nwaits: {}\n',
    ),
    "braces": (
        "clusters:\n  - {alias: a}   # first\nwaits: {}\n",
        'clusters:\n  - {alias: a}   # first\n  - {alias: new, account: "000000000001"}\nwaits: {}\n',
    ),
    "braces over lines": (
        "clusters:\n  - {alias: a,\n     account: '1'}\n",
        "clusters:\n  - {alias: a,\n     account: '1'}\n  - {alias: new, account: \"000000000001\"}\n",
    ),
    "brackets": (
        "clusters: [{alias: a}]  # all\nwaits: {}\n",
        'clusters: [{alias: a}, {alias: new, account: "000000000001"}]  # all\nwaits: {}\n',
    ),
    "empty": ("clusters: []\n", 'clusters: [{alias: new, account: "000000000001"}]\n'),
    "not there": ("version: 1\n", 'version: 1\nclusters:\n  - alias: new\n    account: "000000000001"\n'),
    "deep end": (
        "clusters:\n  - alias: a\n    kubeconfig:\n      context: c\n      # by hand\nwaits: {}\n",
        (
            "clusters:\n  - alias: a\n    kubeconfig:\n      context: c\n"
            '  - alias: new\n    account: "000000000001"\n      # by hand\nwaits: {}\n'
        ),
    ),
    "text block": (
        "clusters:\n  - alias: |-\n      a\n\nwaits: {}\n",
        'clusters:\n  - alias: |-\n      a\n\n  - alias: new\n    account: "000000000001"\nwaits: {}\n',
    ),
    "no last newline": (
        "clusters:\n  - alias: a",
        'clusters:\n  - alias: a\n  - alias: new\n    account: "000000000001"\n',
    ),
    "windows": (
        "clusters:\r\n  - alias: a\r\nwaits: {}\r\n",
        'clusters:\r\n  - alias: a\r\n  - alias: new\r\n    account: "000000000001"\r\nwaits: {}\r\n',
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_added_in_the_form_that_is_there(form: str) -> None:
    before, after = FORMS[form]

    assert with_items(FILE, before, "clusters", NEW) == after


def test_nothing_to_add_changes_nothing() -> None:
    assert with_items(FILE, "a:   b # c", "clusters", []) == "a:   b # c"


@pytest.mark.parametrize("text", ["{version: 1, waits: {}}\n", "waits: {}\n...\n"])
def test_a_file_that_cannot_be_added_to_is_refused(text: str) -> None:
    with pytest.raises(DocumentError, match="nothing can be added to"):
        with_items(FILE, text, "clusters", NEW)


_WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=8)
_ITEMS = st.lists(st.dictionaries(st.sampled_from(["alias", "name", "role"]), _WORDS, min_size=1), max_size=3)


@given(_ITEMS, _ITEMS, st.integers(0, 3))
def test_every_line_that_was_there_still_is(old: list[dict[str, str]], new: list[dict[str, str]], blank: int) -> None:
    text = emit({"version": 1, "clusters": old, "waits": {"poll": 1}}).replace("\nwaits", "\n" * blank + "\nwaits")

    made = with_items(FILE, text, "clusters", new)

    assert parse(FILE, made).data == {"version": 1, "clusters": old + new, "waits": {"poll": 1}}
    kept = iter(made.splitlines())
    assert not old or all(line in kept for line in text.splitlines())
