"""Broken fleet files."""

from collections.abc import Callable

from migrator.model.exits import Exit
from tests.bad_input.shop import (
    FLEET,
    Case,
    Shop,
    edited,
    folder_instead,
    gone,
    loop_instead,
    overwritten,
    swapped,
)

STATUS = ("status",)


def _to_nowhere(shop: Shop) -> None:
    shop.fleet.unlink()
    shop.fleet.symlink_to("x")


def _aliased(shop: Shop) -> None:
    swapped("sqlite: state.db", "sqlite: &s state.db")(shop)
    swapped("plans: plans", "plans: *s")(shop)


def _state_in_a_file(shop: Shop) -> None:
    shop.fleet.write_text(FLEET.replace("state.db", "world.yaml/state.db"), encoding="utf-8")


def _plans_a_file(shop: Shop) -> None:
    shop.fleet.write_text(FLEET.replace("plans: plans", "plans: world.yaml"), encoding="utf-8")


def _plus(line: str) -> Callable[[bytes], bytes]:
    return lambda text: text + f"{line}\n".encode()


def _bomb() -> str:
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 9)]
    return "\n".join(["l0: &l0 [lol, lol]", *levels]) + "\n" + FLEET


CASES: dict[str, Case] = {
    "[missing]": Case(STATUS, ("fleet.yaml: no such file", '"--fleet FILE"'), gone()),
    "[missing] its folder too": Case(("status", "--fleet", "no/f.yaml"), ("no/f.yaml: no such file",)),
    "[missing] a link that leads nowhere": Case(STATUS, ("fleet.yaml: no such file",), _to_nowhere),
    "[folder]": Case(STATUS, ("fleet.yaml: cannot be read: Is a directory", "a file belongs there"), folder_instead()),
    "[folder] an empty name": Case(("status", "--fleet", ""), ("Is a directory",)),
    "[below a file]": Case(("status", "--fleet", "world.yaml/f"), ("world.yaml/f: cannot be read: Not a directory",)),
    "[loop] of links": Case(STATUS, ("fleet.yaml: cannot be read: Too many levels of symbolic links",), loop_instead()),
    "[name] longer than any file's": Case(("status", "--fleet", "f" * 300), ("File name too long",)),
    "[endless] a device": Case(("status", "--fleet", "/dev/zero"), ("/dev/zero: too large",)),
    "[empty]": Case(STATUS, ("fleet.yaml: the file is empty",), overwritten("")),
    "[empty] but for comments": Case(STATUS, ("fleet.yaml: the file is empty",), overwritten("# later\n\n")),
    "[binary]": Case(STATUS, ("fleet.yaml: not a text file in UTF-8 (byte 0)",), overwritten(bytes(range(255, 0, -1)))),
    "[encoding] Latin-1": Case(
        STATUS, ("fleet.yaml: not a text file in UTF-8 (byte",), edited(lambda b: b + "# é\n".encode("latin-1"))
    ),
    "[encoding] UTF-16": Case(
        STATUS, ("fleet.yaml: not a text file in UTF-8 (byte 0)",), overwritten(FLEET.encode("utf-16"))
    ),
    "[control] a NUL byte": Case(STATUS, ("fleet.yaml", "not valid YAML"), edited(lambda b: b + b"x: \0\n")),
    "[large]": Case(STATUS, ("fleet.yaml: too large: ", "at most"), edited(lambda b: b + b"# filler\n" * 1_000_000)),
    "[tab]": Case(STATUS, ("fleet.yaml:3: not valid YAML", "cannot start any token"), swapped("  region", "\tregion")),
    "[quote] not closed": Case(STATUS, ("fleet.yaml:6: not valid YAML",), swapped('333"\nacc', "333\nacc")),
    "[bracket] not closed": Case(STATUS, ("fleet.yaml:14: not valid YAML",), swapped('system/*"]', 'system/*"')),
    "[indent]": Case(STATUS, ("fleet.yaml:9: not valid YAML",), swapped("    name:", "   name:")),
    "[text] no map": Case(STATUS, ('fleet.yaml:1: "prod" is not a map',), overwritten("prod\n")),
    "[list] no map": Case(STATUS, ("fleet.yaml:1: [", "is not a map"), overwritten("- version: 1\n")),
    "[JSON] cut off": Case(STATUS, ("fleet.yaml:1: not valid YAML",), overwritten('{"version": 1, "clusters": [')),
    "[documents] two": Case(STATUS, ("fleet.yaml:18: not valid YAML",), edited(lambda b: b + b"---\n" + b)),
    "[merge conflict]": Case(
        STATUS,
        ("fleet.yaml:7: a merge conflict", '"<<<<<<<"'),
        swapped("clusters:\n", "<<<<<<< HEAD\nclusters:\n=======\nclusters: []\n>>>>>>> other\n"),
    ),
    "[twice] a key": Case(
        STATUS, ("fleet.yaml:18: version: written twice, first on line 1",), edited(_plus("version: 1"))
    ),
    "[key] a number": Case(STATUS, ("fleet.yaml:18: the key 7 is not a string",), edited(_plus("7: x"))),
    "[key] a list": Case(STATUS, ("fleet.yaml:18: the key a list or map",), edited(_plus("? [a]\n: x"))),
    "[alias]": Case(STATUS, ("fleet.yaml:17: plans: aliases are not supported",), _aliased),
    "[alias] to nothing": Case(
        STATUS, ("fleet.yaml:17: not valid YAML", "alias"), swapped("plans: plans", "plans: *s")
    ),
    "[bomb]": Case(STATUS, ("fleet.yaml:2: l1[0]: aliases",), overwritten(_bomb())),
    "[deep] a thousand lists": Case(STATUS, ("fleet.yaml", "nested"), edited(_plus(f"x: {'[' * 1000}{']' * 1000}"))),
    "[deep] a hundred thousand": Case(STATUS, ("fleet.yaml", "nested"), edited(_plus("x: " + "[" * 100_000))),
    "[tag] a Python object": Case(
        STATUS,
        ("fleet.yaml:17: plans: the tag ", "is not supported here"),
        swapped("plans: plans", "plans: !!python/object:os.system x"),
    ),
    "[tag] a date": Case(
        STATUS,
        ("fleet.yaml:17: plans: 2026-11-23 is read as a date; put it in quotes",),
        swapped("plans: plans", "plans: 2026-11-23"),
    ),
    "[tag] a number of no digits": Case(
        STATUS, ('waits.poll: the tag "tag:yaml.org,2002:int" is not',), swapped("poll: 2", "poll: !!int two")
    ),
    "[number] to the base of 60": Case(
        STATUS, ("waits.poll: 1:30 is read as a number; put it in quotes",), swapped("poll: 2", "poll: 1:30")
    ),
    "[number] of five thousand digits": Case(
        STATUS, ("waits.poll: 999", "is read as a number"), swapped("poll: 2", f"poll: {'9' * 5000}")
    ),
    "[version] missing": Case(STATUS, ('fleet.yaml:1: missing: "version"',), swapped("version: 1\n", "")),
    "[version] newer": Case(STATUS, ("fleet.yaml:1: version: 2 is not 1",), swapped("version: 1", "version: 2")),
    "[version] a text": Case(STATUS, ('fleet.yaml:1: version: "1" is not 1',), swapped("version: 1", 'version: "1"')),
    "[version] true": Case(STATUS, ("fleet.yaml:1: version: true is not 1",), swapped("version: 1", "version: true")),
    "[field] unknown": Case(
        STATUS, ('fleet.yaml:7: cluster: unknown field; did you mean "clusters"?',), swapped("clusters:", "cluster:")
    ),
    "[clusters] missing": Case(STATUS, ('missing: "clusters"',), overwritten("version: 1\n")),
    "[clusters] empty": Case(
        STATUS, ("fleet.yaml:2: clusters: [] has too few entries",), overwritten("version: 1\nclusters: []\n")
    ),
    "[clusters] null": Case(
        STATUS, ("fleet.yaml:2: clusters: null is not a list",), overwritten("version: 1\nclusters:\n")
    ),
    "[cluster] a text": Case(
        STATUS, ('fleet.yaml:2: clusters[0]: "prod" is not a map',), overwritten("version: 1\nclusters: [prod]\n")
    ),
    "[cluster] field unknown": Case(
        STATUS, ('fleet.yaml:9: clusters[0].nam: unknown field; did you mean "name"?',), swapped("    name", "    nam")
    ),
    "[cluster] without account": Case(
        STATUS, ('fleet.yaml:7: clusters[0]: missing: "account"',), swapped('  account: "111122223333"\n', "")
    ),
    "[cluster] EKS name with a dot": Case(
        STATUS, ('fleet.yaml:9: clusters[0].name: "shop.prod" does not match',), swapped("shop-prod", "shop.prod")
    ),
    "[alias] twice": Case(
        STATUS, ('fleet.yaml:10: clusters[1].alias: "prod" is used twice',), swapped("alias: tools", "alias: prod")
    ),
    "[alias] with a slash": Case(
        STATUS, ('fleet.yaml:8: clusters[0].alias: "a/b" does not match',), swapped("alias: prod", "alias: a/b")
    ),
    "[alias] upwards": Case(STATUS, ('clusters[0].alias: ".." does not match',), swapped("alias: prod", 'alias: ".."')),
    "[alias] two lines": Case(
        STATUS, (r'clusters[0].alias: "prod\n" does not match',), swapped("alias: prod", r'alias: "prod\n"')
    ),
    "[alias] no text": Case(STATUS, ("clusters[0].alias: false is not a string",), swapped("alias: prod", "alias: no")),
    "[account] eleven digits": Case(
        STATUS,
        ('fleet.yaml:4: defaults.account: "11112222333" does not match',),
        swapped('account: "111122223333"', 'account: "11112222333"'),
    ),
    "[account] not quoted": Case(
        STATUS,
        ("fleet.yaml:4: defaults.account: 111122223333 is not a string (quote it)",),
        swapped('account: "111122223333"', "account: 111122223333"),
    ),
    "[account] not quoted, read as octal": Case(
        STATUS,
        ("fleet.yaml:4: defaults.account: ", "is not a string (quote it)"),
        swapped('account: "111122223333"', "account: 011122223333"),
    ),
    "[account] there twice": Case(
        STATUS,
        ('accounts[1].id: "111122223333" is used twice, first at accounts[0]',),
        swapped("clusters:", '  - {id: "111122223333"}\nclusters:'),
    ),
    "[account] role of another form": Case(
        STATUS, ('accounts[0].role: "admin" does not match',), swapped("profile: shop", "profile: shop, role: admin")
    ),
    "[region]": Case(STATUS, ('fleet.yaml:3: defaults.region: "Ireland"',), swapped("eu-west-1", "Ireland")),
    "[kubeconfig] without context": Case(
        STATUS, ('clusters[1].kubeconfig: missing: "context"',), swapped("context: tools, ", "")
    ),
    "[kubeconfig] a path alone": Case(
        STATUS,
        ('clusters[1].kubeconfig: "kubeconfig" is not a map',),
        swapped("kubeconfig: {context: tools, file: kubeconfig}", "kubeconfig: kubeconfig"),
    ),
    "[wait] negative": Case(
        STATUS, ("fleet.yaml:15: waits.gate: -1 is less than 0",), swapped("poll: 2", "poll: 2, gate: -1")
    ),
    "[wait] absurd": Case(STATUS, ("waits.settle: 1000000000",), swapped("poll: 2", "poll: 2, settle: 1000000000")),
    "[wait] endless": Case(STATUS, ("waits.settle: ", "is not a number"), swapped("poll: 2", "poll: 2, settle: .inf")),
    "[wait] no number at all": Case(
        STATUS, ("waits.settle: ", "is not a number"), swapped("poll: 2", "poll: 2, settle: .nan")
    ),
    "[wait] a text": Case(STATUS, ('waits.poll: "2s" is not a number',), swapped("poll: 2", "poll: 2s")),
    "[wait] half a probe": Case(
        STATUS, ("waits.gate_probes: 2.5 is not a whole number",), swapped("gate_probes: 5", "gate_probes: 2.5")
    ),
    "[wait] true": Case(STATUS, ("waits.poll: true is not a number",), swapped("poll: 2", "poll: true")),
    "[policy] unknown choice": Case(
        STATUS, ('policy.agent: "maybe" is not one of "install", "require"',), swapped("install", "maybe")
    ),
    "[policy] a list": Case(STATUS, ('policy: ["agent"] is not a map',), swapped("{agent: install}", "[agent]")),
    "[excludes] a text": Case(STATUS, ('excludes: "x" is not a list',), swapped('["*/kube-system/*"]', "x")),
    "[excludes] an empty text": Case(STATUS, ('excludes[0]: "" is too short',), swapped("*/kube-system/*", "")),
    "[state] unknown store": Case(
        STATUS, ("fleet.yaml:16: state.redis: unknown field",), swapped("{sqlite: state.db}", "{redis: x}")
    ),
    "[state] a path with a NUL": Case(STATUS, ("state.sqlite", "NUL"), swapped("state.db", r'"a\0b"')),
    "[state] below a file": Case(STATUS, ("world.yaml/state.db",), _state_in_a_file, code=Exit.ERROR),
    "[plans] a path with a NUL": Case(STATUS, ("plans", "NUL"), swapped("plans: plans", r'plans: "a\0b"')),
    "[plans] a name too long": Case(
        STATUS, ("cannot be read: File name too long",), swapped("plans: plans", f"plans: {'x' * 300}")
    ),
    "[plans] a file": Case(STATUS, ("world.yaml: is no folder",), _plans_a_file),
}
