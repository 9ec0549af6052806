"""Wrong arguments and environment variables."""

from tests.bad_input.shop import Case

MANY = "x" * 5000

CASES: dict[str, Case] = {
    "[command] unknown": Case(("plann",), ('no such command "plann"', "migrate --help")),
    "[command] unknown of lab": Case(("lab", "start"), ('no such command "start"', "migrate lab --help")),
    "[option] unknown": Case(("status", "--bogus"), ('no such option "--bogus"', "migrate status --help")),
    "[option] nearly known": Case(("plan", "--cluser", "x"), ('no such option "--cluser"', '"--cluster"')),
    "[option] short, unknown": Case(("status", "-Z"), ('no such option "-Z"',)),
    "[option] without its value": Case(("status", "--cluster"), ('option "--cluster" requires an argument',)),
    "[option] with a value it does not take": Case(
        ("status", "--quiet=loud"), ('option "--quiet" does not take a value',)
    ),
    "[argument] missing": Case(("show",), ('missing argument "SERVICE"', "migrate show --help")),
    "[argument] one too many": Case(("show", "cart", "orders"), ("unexpected extra argument", "orders")),
    "[argument] one too many, over two lines": Case(("show", "cart", "a\nb"), ("unexpected extra argument",)),
    "[service] missing": Case(("apply",), ('missing option "--service"', "migrate apply --help")),
    "[output] unknown": Case(("status", "--output", "xml"), ('"--output"', '"xml" is not one of "table", "json"')),
    "[output] unknown, told as JSON": Case(
        ("status", "--log-format", "json", "--output", "xml"), ('"xml" is not one of',)
    ),
    "[log format] unknown": Case(("status", "--log-format", "x"), ('"--log-format"', '"x" is not one of')),
    "[variable] output": Case(
        ("status",), ("MIGRATE_OUTPUT", '"xml" is not one of'), variables={"MIGRATE_OUTPUT": "xml"}
    ),
    "[variable] a switch": Case(
        ("status",), ("MIGRATE_VERBOSE", '"maybe" is not a valid boolean'), variables={"MIGRATE_VERBOSE": "maybe"}
    ),
    "[variable] fleet file": Case(
        ("status",), ("nowhere.yaml: no such file",), variables={"MIGRATE_FLEET": "nowhere.yaml"}
    ),
    "[variable] log format, told as text": Case(
        ("status",), ("MIGRATE_LOG_FORMAT", '"xml" is not one of'), variables={"MIGRATE_LOG_FORMAT": "xml"}
    ),
    "[flags] quiet and verbose": Case(("status", "--quiet", "--verbose"), ('"--quiet" and "--verbose"',)),
    "[fleet] given twice, the last one counts": Case(
        ("status", "--fleet", "fleet.yaml", "--fleet", "b.yaml"), ("b.yaml: no such file",)
    ),
    "[service] unknown, nearly known": Case(
        ("show", "prod/shop/carts"), ('service "prod/shop/carts" is not known; did you mean "prod/shop/cart"',)
    ),
    "[service] unknown": Case(("show", "zzz"), ('service "zzz" is not known', '"migrate status"')),
    "[service] unknown although another is known": Case(
        ("apply", "-s", "cart", "-s", "zzz", "--yes"), ('service "zzz" is not known',)
    ),
    "[service] ambiguous": Case(
        ("show", "orders-api"), ('service "orders-api" is ambiguous: "prod/books/shelf", ', "give the whole id")
    ),
    "[service] empty": Case(("show", ""), ('service "" is not known',)),
    "[service] too many parts": Case(("show", "a/b/c/d"), ('service "a/b/c/d" is not known',)),
    "[service] upwards": Case(("show", "../../etc/passwd"), ('service "../../etc/passwd" is not known',)),
    "[service] control characters": Case(("show", "ca\x1b[31mrt"), ("is not known",)),
    "[service] two lines": Case(("show", "ca\nrt"), ("is not known",)),
    "[service] a NUL": Case(("show", "ca\0rt"), ("is not known",)),
    "[service] of other alphabets": Case(("show", "корзина"), ('service "корзина" is not known',)),
    "[service] very long": Case(("show", MANY), ("is not known",)),
    "[service] a glob where none is taken": Case(("show", "prod/*/cart"), ('service "prod/*/cart" is not known',)),
    "[cluster] glob that matches nothing": Case(
        ("plan", "--cluster", "test-*"),
        ('no cluster of the fleet file is selected by "--cluster test-*"', '"prod" (account 111122223333)'),
    ),
    "[account] glob that matches nothing": Case(
        ("plan", "--account", "9*"), ("no cluster of the fleet file is selected",)
    ),
    "[yes] missing, nobody to ask": Case(
        ("apply", "-s", "cart"), ("stdin is no terminal", 'add "--yes" to do it, or "--dry-run"')
    ),
    "[yes] missing on the way back": Case(("rollback", "-s", "orders"), ("stdin is no terminal", '"--yes"')),
    "[code] unknown": Case(("explain", "fargat"), ('"fargat"', '"fargate"')),
    "[code] number of no exit": Case(("explain", "99"), ('"99"',)),
    "[code] empty": Case(("explain", ""), ('""',)),
    "[plans] folder is a file": Case(("show", "cart", "--plans", "world.yaml"), ("world.yaml: is no folder",)),
}
