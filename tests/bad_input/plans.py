"""Broken plan files."""

from collections.abc import Callable
from pathlib import Path

from migrator.store.plan_file import PlanFiles, to_text
from tests.bad_input.shop import (
    CART,
    SHELF,
    Breaking,
    Case,
    Shop,
    edited,
    folder_instead,
    loop_instead,
    overwritten,
    swapped,
)
from tests.fakes.samples import sample_plan

SHOW = ("show", "prod/shop/cart")
APPLY = ("apply", "--service", "prod/shop/cart", "--yes")
FILE = "plans/prod/shop/cart.yaml"


def _cart(shop: Shop) -> Path:
    return shop.plan(CART)


def _changed(old: str, new: str) -> Breaking:
    return swapped(old, new, _cart, 1)


def _bytes(change: Callable[[bytes], bytes]) -> Breaking:
    return edited(change, _cart)


def _edit(old: str, new: str, *says: str) -> Case:
    """A wrong value in the part that may be edited, met by `apply`."""
    return Case(APPLY, (FILE, *says), _changed(old, new))


def _elsewhere(shop: Shop) -> None:
    shop.plan(CART).write_text(to_text(sample_plan(SHELF)), encoding="utf-8")


def _renamed(shop: Shop) -> None:
    shop.plan(CART).rename(shop.plan(CART).with_name("basket.yaml"))


def _stranger(shop: Shop) -> None:
    """A sound plan of a cluster that the fleet file does not have."""
    plan = sample_plan(type(CART)("old", "shop", "cart"))
    PlanFiles(shop.folder / "plans").write(plan)


CASES: dict[str, Case] = {
    "[empty]": Case(SHOW, (f"{FILE}: the file is empty",), overwritten("", _cart)),
    "[truncated] in the steps": Case(SHOW, (FILE,), _bytes(lambda text: text[: len(text) * 2 // 3])),
    "[truncated] without the seal": Case(
        SHOW, (f'{FILE}:3: missing: "seal"',), _bytes(lambda text: text[: text.index(b"\nseal:") + 1])
    ),
    "[binary]": Case(SHOW, (f"{FILE}: not a text file in UTF-8 (byte 0)",), overwritten(b"\xff\xfe\0", _cart)),
    "[folder]": Case(SHOW, (f"{FILE}: cannot be read: Is a directory",), folder_instead(_cart)),
    "[loop] of links": Case(SHOW, (f"{FILE}: cannot be read: Too many levels",), loop_instead(_cart)),
    "[text] no map": Case(SHOW, (f'{FILE}:1: "ready" is not a map',), overwritten("ready\n", _cart)),
    "[large]": Case(SHOW, (f"{FILE}: too large",), _bytes(lambda text: text + b"# filler\n" * 1_000_000)),
    "[merge conflict]": Case(
        APPLY,
        (f"{FILE}:", "a merge conflict"),
        _changed("  hold: false\n", "<<<<<<< HEAD\n  hold: false\n=======\n  hold: true\n>>>>>>> other\n"),
    ),
    "[documents] two": Case(SHOW, (FILE, "not valid YAML"), _bytes(lambda text: text + b"---\n" + text)),
    "[garbage] behind the end": Case(SHOW, (FILE, "not valid YAML"), _bytes(lambda text: text + b"}}}\n")),
    "[field] unknown": Case(
        SHOW, (FILE, "comment: unknown field; known here:"), _bytes(lambda text: text + b"comment: fine\n")
    ),
    "[twice] a key": Case(SHOW, (FILE, "format: written twice"), _bytes(lambda text: text + b"format: 1\n")),
    "[format] newer": Case(
        SHOW, (f"{FILE}:3: format: 2 is newer than 1", "plan again"), _changed("format: 1", "format: 2")
    ),
    "[format] none": Case(SHOW, (f'{FILE}:3: missing: "format"',), _changed("format: 1\n", "")),
    "[format] nothing of ours": Case(SHOW, (f"{FILE}:3: format: 0 is not 1",), _changed("format: 1", "format: 0")),
    "[format] a text": Case(SHOW, (f'{FILE}:3: format: "1" is not 1',), _changed("format: 1", 'format: "1"')),
    "[service] no id": Case(
        SHOW, (f'{FILE}:4: service: "cart" does not match',), _changed("service: prod/shop/cart", "service: cart")
    ),
    "[service] in another's place": Case(
        SHOW, (f'{FILE}:4: service: "prod/books/shelf" does not belong here but in', "shelf.yaml"), _elsewhere
    ),
    "[service] file renamed": Case(
        ("show", "basket"), ("plans/prod/shop/basket.yaml:4: service: ", "does not belong here but in"), _renamed
    ),
    "[cluster] not in the fleet file": Case(
        ("apply", "--service", "old/shop/cart", "--yes"),
        ('cluster "old" is not in', "fleet.yaml", '"prod", "tools"'),
        _stranger,
    ),
    "[seal] a fact": Case(
        APPLY,
        (FILE, 'facts.cluster.region: was changed after planning; undo the edit, or run "migrate plan" again'),
        _changed("region: eu-west-1", "region: eu-west-2"),
    ),
    "[seal] a step's value": Case(
        APPLY, (FILE, "forward[", "was changed after planning"), _changed("kind: restart", "kind: verify")
    ),
    "[seal] the verdict": Case(
        APPLY, (f"{FILE}:5: verdict: was changed after planning",), _changed("verdict: ready", "verdict: blocked")
    ),
    "[seal] a line gone": Case(
        APPLY,
        (FILE, "missing", '"issuer"'),
        _bytes(lambda text: b"\n".join(line for line in text.split(b"\n") if b" issuer: " not in line)),
    ),
    "[seal] the digest": Case(APPLY, (FILE, "seal.digest: ", "does not match"), _changed("  digest: ", "  digest: x")),
    "[seal] without digest": Case(
        APPLY,
        (FILE, 'seal: missing: "digest"'),
        _bytes(lambda text: b"\n".join(line for line in text.split(b"\n") if not line.startswith(b"  digest:"))),
    ),
    "[seal] a wrong type": Case(
        APPLY, (FILE, "facts.association: 7 is not"), _changed("  association: null", "  association: 7")
    ),
    "[edit] gone": Case(
        APPLY,
        (f'{FILE}:3: missing: "edit"',),
        _bytes(lambda text: text[: text.index(b"edit:\n")] + text[text.index(b"# From") :]),
    ),
    "[edit] a text": _edit("edit:\n", "edit: hold\nexit:\n", "exit: unknown field"),
    "[edit] unknown field": _edit("  hold: false", "  hodl: true", 'edit.hodl: unknown field; did you mean "hold"?'),
    "[edit] hold is no yes or no": _edit("hold: false", "hold: maybe", 'edit.hold: "maybe" is not true or false'),
    "[edit] hold in quotes": _edit("hold: false", 'hold: "true"', 'edit.hold: "true" is not true or false'),
    "[edit] wave is no number": _edit("wave: null", "wave: first", 'edit.wave: "first" is not a whole number or null'),
    "[edit] wave below 0": _edit("wave: null", "wave: -1", "edit.wave: -1 is less than 0"),
    "[edit] wave in between": _edit("wave: null", "wave: 1.5", "edit.wave: 1.5 is not a whole number"),
    "[edit] order unknown": _edit("order: annotation-first", "order: sideways", 'edit.order: "sideways" is not one of'),
    "[edit] restart unknown": _edit("restart: rollout", "restart: never", 'edit.restart: "never" is not one of'),
    "[edit] verify a text": _edit("verify: null", "verify: curl", 'edit.verify: "curl" is not a map or null'),
    "[edit] verify without command": _edit(
        "verify: null", "verify: {container: main}", 'edit.verify: missing: "command"'
    ),
    "[edit] verify with nothing to run": _edit(
        "verify: null", "verify: {command: []}", "edit.verify.command: [] has too few entries"
    ),
    "[edit] verify a program without name": _edit(
        "verify: null", 'verify: {command: [""]}', 'edit.verify.command[0]: "" is too short'
    ),
    "[edit] verify a command line": _edit(
        "verify: null", "verify: {command: curl -f localhost}", 'edit.verify.command: "curl -f localhost" is not a list'
    ),
    "[edit] verify a number": _edit(
        "verify: null", "verify: {command: [sleep, 5]}", "edit.verify.command[1]: 5 is not a string"
    ),
    "[edit] verify in a container that is not there": _edit(
        "verify: null", "verify: {command: [true], container: side}", "edit.verify.command[0]: true is not a string"
    ),
    "[edit] accept a text": _edit("accept: []", "accept: proxy", 'edit.accept: "proxy" is not a list'),
    "[edit] accept without reason": _edit("accept: []", "accept: [{code: proxy}]", 'edit.accept[0]: missing: "reason"'),
    "[edit] accept with an empty reason": _edit(
        "accept: []", 'accept: [{code: proxy, reason: ""}]', 'edit.accept[0].reason: "" is too short'
    ),
    "[edit] accept with a blank reason": _edit(
        "accept: []", 'accept: [{code: proxy, reason: "  "}]', 'edit.accept[0].reason: " " does not match'
    ),
    "[edit] accept an unknown code": _edit(
        "accept: []", "accept: [{code: proxi, reason: y}]", '"proxi" is no finding\'s code; did you mean "proxy"?'
    ),
    "[edit] accept what nobody may": _edit(
        "accept: []", "accept: [{code: fargate, reason: y}]", '"fargate" cannot be accepted'
    ),
}
