"""The console script `migrate`: `--version` is answered before anything heavy is imported."""

import sys


def main() -> int:
    """Runs the command line in `sys.argv` and returns the exit code of `migrator.model.exits`."""
    if sys.argv[1:] == ["--version"]:
        from migrator import __version__  # noqa: PLC0415 - the fast path imports nothing it does not need

        sys.stdout.write(f"migrate {__version__}\n")
        return 0
    from migrator.cli.app import run  # noqa: PLC0415 - typer is imported only when there is something to parse

    return run()
