"""The table of `docs/kubernetes-permissions.md` says the same as its manifest."""

import re

from tests.controlplane.role import GRANTED, PAGE

ROW = re.compile(r"^\| (?P<what>`.+?) \| (?P<verbs>[a-z, ]+) \| .+ \|$", re.MULTILINE)


def test_the_table_says_the_same_as_the_manifest() -> None:
    rows = ROW.findall(PAGE.read_text(encoding="utf-8"))
    told = {
        (name, verb)
        for what, verbs in rows
        for name in re.findall(r"`([^`]+)`", what.partition(" of ")[0])
        for verb in verbs.split(", ")
    }

    assert told == {(one.path or one.resource, one.verb) for one in GRANTED}
