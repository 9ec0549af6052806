"""The console script `migrate`: `--version` is answered before anything heavy is imported."""

import sys

from migrator.cli.streams import guard, unwritten


def main() -> int:
    """Runs the command line in `sys.argv` and returns the exit code of `migrator.model.exits`.

    Ctrl-C is one line and 130 wherever it comes, while modules are still being imported too. What then waits for
    threads to end may be ended by another one, without a traceback.
    """
    guard()
    try:
        code = _heard(_run())
    except KeyboardInterrupt:
        sys.stderr.write("migrate: interrupted\n")
        code = 130
    if code == 130:
        import signal  # noqa: PLC0415 - the fast path imports nothing it does not need

        signal.signal(signal.SIGINT, signal.SIG_DFL)
    return code


def _heard(code: int) -> int:
    """The same code, unless what no command wrote, such as help, was lost."""
    problem = unwritten()
    if problem:
        sys.stderr.write(f"migrate: {problem}\n")
    return code or int(bool(problem))


def _run() -> int:
    if sys.argv[1:] == ["--version"]:
        from migrator import __version__  # noqa: PLC0415 - the fast path imports nothing it does not need

        sys.stdout.write(f"migrate {__version__}\n")
        return 0
    from migrator.cli.app import run  # noqa: PLC0415 - typer is imported only when there is something to parse

    return run()
