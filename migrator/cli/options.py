"""The options that every command takes, declared once, and the decorator that hangs them on a command."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from migrator.cli.run import guarded
from migrator.model.errors import UsageError
from migrator.model.exits import Exit


class Form(StrEnum):
    """How a result is written to stdout."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


class LogFormat(StrEnum):
    """How progress and logs are written to stderr."""

    CONSOLE = "console"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """The common options as given; `plans` is None when the fleet file decides."""

    fleet: Path
    plans: Path | None
    output: Form
    log_format: LogFormat
    verbose: bool
    quiet: bool
    debug: bool


_GROUP = "Common options"

FleetFile = Annotated[
    Path,
    typer.Option("--fleet", envvar="MIGRATE_FLEET", metavar="FILE", help="The fleet file.", rich_help_panel=_GROUP),
]
PlansFolder = Annotated[
    Path | None,
    typer.Option(
        "--plans",
        envvar="MIGRATE_PLANS",
        metavar="DIR",
        help="Folder of the plan files.  [default: what the fleet file says, else plans beside it]",
        rich_help_panel=_GROUP,
    ),
]
OutputForm = Annotated[
    Form, typer.Option("--output", "-o", envvar="MIGRATE_OUTPUT", help="Form of the result.", rich_help_panel=_GROUP)
]
Logs = Annotated[
    LogFormat,
    typer.Option(
        "--log-format", envvar="MIGRATE_LOG_FORMAT", help="Form of progress and logs on stderr.", rich_help_panel=_GROUP
    ),
]
Verbose = Annotated[
    bool,
    typer.Option("--verbose", "-v", envvar="MIGRATE_VERBOSE", help="Tell more on stderr.", rich_help_panel=_GROUP),
]
Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", envvar="MIGRATE_QUIET", help="Tell only errors on stderr.", rich_help_panel=_GROUP),
]
Debug = Annotated[
    bool,
    typer.Option("--debug", envvar="MIGRATE_DEBUG", help="Show tracebacks and debug logs.", rich_help_panel=_GROUP),
]

_DECLARED: tuple[tuple[str, Any, Any], ...] = (
    ("fleet", FleetFile, Path("fleet.yaml")),
    ("plans", PlansFolder, None),
    ("output", OutputForm, Form.TABLE),
    ("log_format", Logs, LogFormat.CONSOLE),
    ("verbose", Verbose, False),
    ("quiet", Quiet, False),
    ("debug", Debug, False),
)

Services = Annotated[
    list[str],
    typer.Option(
        "--service",
        "-s",
        metavar="X",
        help="CLUSTER/NAMESPACE/SA, NAMESPACE/SA, a ServiceAccount's or a workload's name. May be repeated.",
    ),
]
OneService = Annotated[
    str,
    typer.Argument(
        metavar="SERVICE", help="CLUSTER/NAMESPACE/SA, NAMESPACE/SA, a ServiceAccount's or a workload's name."
    ),
]
RECREATE = "Delete pods that nobody owns, and make them anew."
Clusters = Annotated[
    list[str] | None, typer.Option("--cluster", metavar="GLOB", help="Only clusters of this alias. May be repeated.")
]
Namespaces = Annotated[
    list[str] | None, typer.Option("--namespace", "-n", metavar="GLOB", help="Only these namespaces. May be repeated.")
]
Accounts = Annotated[
    list[str] | None,
    typer.Option("--account", metavar="GLOB", help="Only clusters of this AWS account. May be repeated."),
]
RoleGlobs = Annotated[
    list[str] | None, typer.Option("--role", metavar="GLOB", help="Only roles of this name or ARN. May be repeated.")
]
Waves = Annotated[
    list[int] | None, typer.Option("--wave", metavar="N", min=0, help="Only services of this wave. May be repeated.")
]

Command = Callable[..., Exit]


def command(app: typer.Typer, name: str, *, example: str) -> Callable[[Command], Command]:
    """Registers a command whose first parameter is a `Common`.

    The function's docstring is its help text, `example` is shown below it. The function returns its exit code; what it
    raises is turned into a sentence and a code by `migrator.cli.run`.
    """

    def register(function: Command) -> Command:
        first = inspect.cleandoc(function.__doc__ or "").partition("\n")[0]
        app.command(name, help=_help(function, example), short_help=first)(_with_common(function))
        return function

    return register


def _help(function: Command, example: str) -> str:
    lines = "\n".join(f"  {line}" for line in example.splitlines())
    return f"{inspect.cleandoc(function.__doc__ or '')}\n\n\b\nExample:\n{lines}"


def _with_common(function: Command) -> Callable[..., None]:
    """`function` with its `common` parameter spread out into options, its exit code raised as typer wants it."""

    @wraps(function)
    def run(**given: Any) -> None:
        common = Common(**{entry.name: given.pop(entry.name) for entry in fields(Common)})
        code = guarded(
            lambda: function(_consistent(common), **given),
            debug=common.debug,
            json_lines=common.log_format is LogFormat.JSON,
        )
        raise typer.Exit(code)

    own = list(inspect.signature(function).parameters.values())[1:]
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, kind, default in _DECLARED
    ]
    ordered = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
    run.__signature__ = inspect.Signature([*ordered, *shared])  # type: ignore[attr-defined] # what inspect looks for
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in [*ordered, *shared]}
    return run


def _consistent(common: Common) -> Common:
    if common.quiet and common.verbose:
        raise UsageError(
            '"--quiet" and "--verbose" contradict each other', remedy="leave one out; MIGRATE_QUIET counts as one too"
        )
    return common
