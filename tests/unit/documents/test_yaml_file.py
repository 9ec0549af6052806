"""Complaints about a file name the line and the field; aliases are refused before they can grow."""

import time
from pathlib import Path

import pytest

from migrator.documents.errors import DocumentError
from migrator.documents.yaml_file import dotted, parse

FILE = Path("f.yaml")
ALIASES: dict[str, tuple[str, str]] = {
    "[value] of a key": ("a: &x 1\nb: *x\n", "f.yaml:2: b"),
    "[item] of a list": ("a: &x {k: v}\nb:\n  - 1\n  - *x\n", "f.yaml:4: b[1]"),
    "[map] anchored deep": ("a: {b: [{c: &x [1, 2]}]}\nd: e\nf: {g: *x}\n", "f.yaml:3: f.g"),
    "[key]": ("&x a: 1\nb: {*x : 2}\n", "f.yaml:2: b.a"),
    "[merge]": ("a: &x {k: v}\nb:\n  <<: *x\n", 'f.yaml:3: b["<<"]'),
    "[first of two] in the order of the file": ("a: &x 1\nb: [*x]\nc: *x\n", "f.yaml:2: b[0]"),
    "[endless] a list in itself": ("&x [*x]\n", "f.yaml:1: [0]"),
}


@pytest.mark.parametrize(("text", "where"), ALIASES.values(), ids=ALIASES.keys())
def test_aliases_are_refused(text: str, where: str) -> None:
    with pytest.raises(DocumentError) as refused:
        parse(FILE, text)
    assert str(refused.value) == f"{where}: aliases are not supported here; write it out"


def test_few_bytes_of_aliases_cost_nothing() -> None:
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 9)]
    text = "\n".join(["l0: &l0 [lol, lol]", *levels])
    assert len(text) < 600
    began = time.monotonic()
    with pytest.raises(DocumentError, match=r"^f\.yaml:2: l1\[0\]: aliases"):
        parse(FILE, text)
    assert time.monotonic() - began < 1


def test_an_anchor_nobody_refers_to_and_an_asterisk_in_a_value_are_no_aliases() -> None:
    document = parse(FILE, "a: &x 1\nb: \"*x\"\nc: 2 * x\nd: ['*']\n")

    assert document.data == {"a": 1, "b": "*x", "c": "2 * x", "d": ["*"]}
    assert {path: line for path, line in document.lines.items() if len(path) == 1} == {
        ("a",): 1,
        ("b",): 2,
        ("c",): 3,
        ("d",): 4,
    }


def test_a_field_path_stays_on_one_line() -> None:
    assert dotted(("a", 1, "b c", 'd"e', "\n", "ö")) == 'a[1]["b c"]["d\\"e"]["\\n"]["ö"]'
