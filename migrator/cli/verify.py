"""`migrate verify`."""

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from migrator.cli.options import Common, Services, command
from migrator.model.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrator.model.identity import Identity
    from migrator.model.journal import ServiceState
    from migrator.model.plan import Plan
    from migrator.running.observe import Verdict

EXAMPLE = """migrate verify --service payments/orders
migrate verify --service orders --expect irsa"""


class Expected(StrEnum):
    """What `--expect` takes."""

    POD_IDENTITY = "pod-identity"
    IRSA = "irsa"


def register(app: typer.Typer) -> None:
    """Hangs the command on `app`."""

    @command(app, "verify", example=EXAMPLE)
    def verify(
        common: Common,
        service: Services,
        expect: Annotated[
            Expected | None,
            typer.Option("--expect", help="The identity that is right.  [default: what the journal says]"),
        ] = None,
    ) -> Exit:
        """Observe which identity each container of each pod really has now. Changes nothing.

        Asks from inside, in one pod of each workload on each node, whether AWS answers and as which role; the service's
        own check, where its plan has one, is run in all. Reads the ends of a few logs for the words of an SDK too old
        for Pod Identity. Compares the roles that the next pod would get, and counts the
        ready pods of each workload. The exit code is 0 when everything is as expected, 3 when all that is missing is
        a pod to prove it, else 4.
        """
        from migrator.cli.output import Output
        from migrator.cli.wiring import Wiring
        from migrator.model.identity import Identity
        from migrator.render.views import verify as view
        from migrator.running.handed import owner_of
        from migrator.running.observe import observe

        wiring = Wiring(common)
        seen = []
        with wiring.memory() as memory:
            for found in wiring.find(service, memory):
                plan = wiring.plans.read(found)
                state = memory.journal.state(found) if memory else None
                wanted = Identity(expect) if expect else expected(plan, state)
                waits = wiring.fleet.waits
                observed = observe(
                    wiring.live(found),
                    found,
                    plan.edit.verify,
                    waits.check,
                    role_arn=role_of(plan),
                    under_way=expect is None and is_open(state),
                    log_lines=waits.log_lines,
                    keys_accepted=plan.edit.accepts("static-keys"),
                )
                owner = owner_of(state.steps) if state else ""
                seen.append((replace(observed, left_to=owner), wanted))
        code = exit_of(observed.verdict(wanted) for observed, wanted in seen)
        Output(common).show(view.document(seen, exit_code=code), view.blocks)
        return code


def exit_of(verdicts: "Iterable[Verdict]") -> Exit:
    """The gravest one counts."""
    from migrator.running.observe import Verdict

    found = set(verdicts)
    if Verdict.OTHERWISE in found:
        return Exit.BLOCKED
    return Exit.UNFINISHED if Verdict.PENDING in found else Exit.DONE


def is_open(state: "ServiceState | None") -> bool:
    """Whether a run of the service is under way, or waits to be taken up."""
    from migrator.model.journal import Outcome

    return state is not None and state.run is not None and state.run.outcome is Outcome.OPEN


def role_of(plan: "Plan") -> str:
    """The role that the plan is about, whichever way its pods come by it."""
    step = plan.step("association") or plan.step("addon")
    return str(step.after.get("target_role_arn") or step.after["role_arn"]) if step else ""


def expected(plan: "Plan", state: "ServiceState | None") -> "Identity":
    """Pod Identity once a walk there began to replace the pods, until it is taken back; then what the way back saw.

    A way back leaves an association that is not ours, and Pod Identity with it. Else it is what the plan found.
    """
    from migrator.model.identity import Identity
    from migrator.model.journal import Direction, Outcome, Status

    run, steps = (state.run, state.steps) if state else (None, ())
    replaced = any(record.step in {"restart", "addon"} and record.status is not Status.PENDING for record in steps)
    going = {Outcome.DONE, Outcome.OPEN} if replaced else {Outcome.DONE}
    if run is not None and run.direction is Direction.FORWARD and run.outcome in going:
        return Identity.POD_IDENTITY
    if run is not None and run.direction is Direction.BACK and run.outcome is Outcome.DONE and state is not None:
        proofs = [record.result or {} for record in state.steps if record.step == "verify"]
        seen = {one for proof in proofs for one in proof.get("containers", {}).values()}
        if len(seen) == 1:
            return Identity(seen.pop())
    step = plan.step("verify")
    return Identity(str(step.before["identity"])) if step else Identity.IRSA
