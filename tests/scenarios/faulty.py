"""Scenarios with faults as data: what goes wrong, which commands are run, how they end, where the service stands."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from migrator.model.exits import Exit
from tests.lab import scenes
from tests.lab.harness import Fleet, Ran, wait_for
from tests.lab.witness import identity_of

Declared = Mapping[str, Any]
Step = tuple[str, Exit]
DONE, ERROR, UNFINISHED, BLOCKED = Exit.DONE, Exit.ERROR, Exit.UNFINISHED, Exit.BLOCKED
DRIFT, ROLLED_BACK, STRANDED = Exit.DRIFT, Exit.ROLLED_BACK, Exit.STRANDED
APPLIED: tuple[Step, ...] = (("apply", DONE),)
THERE_AND_BACK: tuple[Step, ...] = (("apply", DONE), ("rollback", DONE))
PODS, WEB = "pod-identity", "irsa"


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One service and what happens to it. `NAME` in faults and texts stands for the service's name.

    Attributes:
        name: of the service, its role and its workload.
        tag: what kind of fault it is, for the test's name.
        before: commands while nothing is wrong yet, and how they end.
        faults: as in a world file.
        during: commands while they are on.
        says: part of what the last of them tells.
        after: commands once they are gone.
        stands: what its pods have in the end.
        edit: what a person wrote into its plan.
        replicas: of its Deployment.
        plays: whether each fault must have been played; not so where none of its calls need be made.
        keeps: statement ids of its role's trust and annotations of its ServiceAccount that others put there.
        waived: invariants that the fault itself breaks, with the reason.
    """

    name: str
    tag: str
    faults: Sequence[Declared]
    during: Sequence[Step]
    stands: str
    before: Sequence[Step] = ()
    after: Sequence[Step] = ()
    says: str = ""
    edit: Mapping[str, Any] = field(default_factory=dict)
    replicas: int = 1
    plays: bool = True
    keeps: Sequence[str] = ()
    waived: Mapping[str, str] = field(default_factory=dict)

    @property
    def service(self) -> str:
        """Its id."""
        return f"main/shop/{self.name}"

    @property
    def for_ours_only(self) -> bool:
        """Whether a real API server cannot play it, or has no part in it: every fault is one of AWS alone."""
        return any(map(_of_ours_only, self.faults)) or all(map(_of_aws_only, self.faults))

    def declared(self) -> list[Any]:
        """The faults with its name filled in, each named after it."""
        filled = json.loads(json.dumps(list(self.faults)).replace("NAME", self.name))
        return [{**fault, "name": f"{self.name} {number}"} for number, fault in enumerate(filled, 1)]


@dataclass(frozen=True)
class Outcome:
    """What came of it: every command with how it was to end and how it did, and the faults that were never played."""

    ran: Sequence[tuple[Step, Ran]]
    unplayed: Sequence[str]
    pods: Sequence[str]

    def problems(self, scenario: Scenario) -> list[str]:
        """Everything that was promised otherwise."""
        wrong = [
            f"{command}: exit {ran.exit}, promised {int(code)}\n{ran.out}{ran.err}"
            for (command, code), ran in self.ran
            if ran.exit != code or "Traceback" in ran.err
        ]
        last = self.ran[len(scenario.before) + len(scenario.during) - 1][1]
        if scenario.says.replace("NAME", scenario.name) not in last.out + last.err:
            wrong.append(f"it does not say {scenario.says!r}:\n{last.out}{last.err}")
        if scenario.plays:
            wrong += [f"{name} was never played" for name in self.unplayed]
        if set(self.pods) != {scenario.stands}:
            wrong.append(f"its pods have {list(self.pods)}, promised {scenario.stands}")
        return wrong


def _of_ours_only(fault: Declared) -> bool:
    calls = any("kube" in fault.get(kind, {}) for kind in ("fail", "drop", "slow", "expire"))
    return calls or any(isinstance(late, list) for late in fault.get("associationLate", {}).values())


def _of_aws_only(fault: Declared) -> bool:
    calls = any("aws" in fault.get(kind, {}) for kind in ("fail", "drop", "slow", "expire"))
    return calls or "iamLate" in fault or "trustLate" in fault


def services(scenarios: Sequence[Scenario]) -> list[scenes.Service]:
    """A service for each of them."""
    return [scenes.service(one.name, replicas=one.replicas) for one in scenarios]


def play(fleet: Fleet, scenario: Scenario) -> Outcome:
    """All of it, from the person's edits to the last command."""
    if scenario.edit:
        scenes.edit(fleet, scenario.service, **scenario.edit)
    ran = [run(fleet, scenario, step) for step in scenario.before]
    with fleet.faults(*scenario.declared()) as names:
        ran += [run(fleet, scenario, step) for step in scenario.during]
        played = {entry["fault"] for entry in fleet.played(*names) if not entry.get("failed")}
    ran += [run(fleet, scenario, step) for step in scenario.after]
    return Outcome(ran, [name for name in names if name not in played], pods(fleet, scenario.name))


def run(fleet: Fleet, scenario: Scenario, step: Step) -> tuple[Step, Ran]:
    """One command for the scenario's service; words behind the command are its options.

    `wait` is no command: it lets time pass until a fault has been played.
    """
    command, *options = step[0].split()
    if command == "wait":
        names = [one["name"] for one in scenario.declared()]
        wait_for(f"{names} played", lambda: fleet.played(*names))
        return step, Ran(0, "", "")
    changing = ["--yes"] if command in {"apply", "rollback"} else []
    return step, fleet.migrate(command, "--service", scenario.service, *options, *changing)


def pods(fleet: Fleet, name: str) -> list[str]:
    """What the service's pods that stay have."""
    found = fleet.kube("main").list("/api/v1/namespaces/shop/pods", fieldSelector=f"spec.serviceAccountName={name}")
    return sorted(identity_of(pod) for pod in found["items"] if "deletionTimestamp" not in pod["metadata"])


def lost(fleet: Fleet, scenario: Scenario) -> list[str]:
    """What others put there and is gone."""
    document = fleet.aws("iam").get_role(RoleName=scenario.name)["Role"]["AssumeRolePolicyDocument"]
    account = fleet.kube("main").get(f"/api/v1/namespaces/shop/serviceaccounts/{scenario.name}")
    there = {str(one.get("Sid")) for one in document["Statement"]} | set(account["metadata"].get("annotations") or {})
    return [mark for mark in scenario.keeps if mark not in there]
