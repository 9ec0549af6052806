"""`migrate batch`."""

from typing import TYPE_CHECKING, Annotated

import typer

from migrator.cli.options import Accounts, Clusters, Common, Namespaces, RoleGlobs, Waves, command
from migrator.model.errors import MigrateError, UsageError
from migrator.model.exits import Exit

if TYPE_CHECKING:
    from datetime import datetime

EXAMPLE = """migrate batch
migrate batch --until 50m --log-format json --exit-zero-for 3
migrate batch --worker --cluster 'prod-*'
migrate batch --close-breaker prod-eu"""
_TOLERABLE = (Exit.UNFINISHED, Exit.LOCKED)


def register(app: typer.Typer) -> None:
    """Hangs the command on `app`."""

    @command(app, "batch", example=EXAMPLE)
    def batch(
        common: Common,
        *,
        cluster: Clusters = None,
        namespace: Namespaces = None,
        account: Accounts = None,
        role: RoleGlobs = None,
        wave: Waves = None,
        worker: Annotated[
            bool, typer.Option("--worker", help="Be one of several, on this machine or others, that share the fleet.")
        ] = False,
        until: Annotated[
            str | None,
            typer.Option(
                "--until", metavar="TIME", help='Stop at the next checkpoint then: "45m", "06:00", a date-time.'
            ),
        ] = None,
        max_services: Annotated[
            int | None, typer.Option("--max-services", metavar="N", min=1, help="Begin at most so many services.")
        ] = None,
        plan_only: Annotated[
            bool,
            typer.Option(
                "--plan-only",
                help="Only show what would be done, in its order. Asks no cluster.",
            ),
        ] = False,
        retry_failed: Annotated[
            bool, typer.Option("--retry-failed", help="Begin again what failed before, though its plan is the same.")
        ] = False,
        close_breaker: Annotated[
            list[str] | None,
            typer.Option(
                "--close-breaker", metavar="CLUSTER", help="The cluster is well again: go on there. May be repeated."
            ),
        ] = None,
        exit_zero_for: Annotated[
            list[int] | None,
            typer.Option("--exit-zero-for", metavar="CODE", help="End with 0 instead of 3 or 5. May be repeated."),
        ] = None,
    ) -> Exit:
        """Carry out everything that is ready, without asking; for cron, a systemd timer, or a Kubernetes Job.

        Runs and ways back that were cut off come first, then services that are still to be proven or in their soak,
        then what the plans say is ready, wave by wave, within limits, windows and failure budget of the fleet file.
        What needs a person is left alone and counted. SIGTERM stops it at the next checkpoint; the next run goes on.

        Only one batch works on a fleet at a time; a second one ends with exit code 5. With "--worker", any number do.
        """
        from migrator.cli.batching import Batching
        from migrator.cli.select import selectors
        from migrator.cli.wiring import Wiring

        tolerated = _tolerated(exit_zero_for)
        if plan_only and close_breaker:
            raise UsageError('"--plan-only" changes nothing', remedy="close the breaker without it, then look")
        batching = Batching(
            wiring=Wiring(common, api_rate=lambda fleet: fleet.batch.limits.api_rate),
            chosen=selectors(cluster, namespace, account, role, wave),
            until=_moment(until),
            worker=worker,
            max_services=max_services,
            retry_failed=retry_failed,
            close=tuple(close_breaker or ()),
        )
        try:
            code = batching.plan() if plan_only else batching.run()
        except MigrateError as error:
            if error.exit not in tolerated:
                raise
            code = batching.complain(error)
        return Exit.DONE if code in tolerated else code


def _tolerated(codes: list[int] | None) -> frozenset[Exit]:
    for code in codes or ():
        if code not in _TOLERABLE:
            remedy = "only 3 (not finished) and 5 (locked by another runner) say that nothing is wrong"
            raise UsageError(f'"--exit-zero-for {code}" would hide a failure', remedy=remedy)
    return frozenset(code for code in _TOLERABLE if code in (codes or ()))


def _moment(text: str | None) -> "datetime | None":
    from datetime import UTC, datetime

    from migrator.model.moments import parse_moment

    if text is None:
        return None
    try:
        return parse_moment(text, datetime.now(UTC))
    except ValueError as error:
        raise UsageError(f'"--until {text}": {error}') from error
