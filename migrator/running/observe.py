"""Looks which identity a service's pods have now, for `migrate verify`; nothing is changed or recorded."""

from dataclasses import dataclass
from typing import Protocol

from migrator.model import identity
from migrator.model.facts import Pod
from migrator.model.identity import Identity
from migrator.model.ids import ServiceId
from migrator.model.plan import Check
from migrator.model.ports import Associations, Workloads
from migrator.steps.pods import live, run_check


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One container of one pod; `check` is the own check's exit code and last line, where it ran."""

    pod: str
    owner: str
    container: str
    identity: Identity
    ready: bool
    check: str = ""
    check_passed: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """All live pods of a service; `identity` is what they have in common, `association` the role it names, if any."""

    service: ServiceId
    identity: Identity
    seen: tuple[Seen, ...]
    association: str = ""

    def as_expected(self, expected: Identity) -> bool:
        """Whether every container has that identity, no own check failed, and Pod Identity has its association.

        A service without pods proves nothing.
        """
        served = bool(self.association) or expected is not Identity.POD_IDENTITY
        return self.identity is expected and served and all(entry.check_passed is not False for entry in self.seen)


class Observed(Workloads, Associations, Protocol):
    """What is looked at."""


def observe(cluster: Observed, service: ServiceId, check: Check | None, timeout: float) -> Observation:
    """Reads the pods and, where a check is given, runs it in each. `timeout` in seconds, for one check."""
    pods = live(cluster.pods_of(service.namespace, service.name))
    seen = tuple(entry for pod in pods for entry in _look(cluster, pod, check, timeout))
    found = cluster.association(service.namespace, service.name)
    return Observation(
        service=service,
        identity=identity.of_pods(pods),
        seen=seen,
        association=found.role_arn if found else "",
    )


def _look(cluster: Workloads, pod: Pod, check: Check | None, timeout: float) -> list[Seen]:
    ran = run_check(cluster, pod, check, timeout) if check is not None else None
    if ran is not None and ran.gone:
        return []
    entries = []
    for name, found in identity.by_container(pod):
        said, passed = (ran.said, ran.passed) if ran is not None and ran.container == name else ("", None)
        owner = str(pod.owner) if pod.owner else "bare pod"
        entries.append(
            Seen(
                pod=pod.name,
                owner=owner,
                container=name,
                identity=found,
                ready=pod.ready,
                check=said,
                check_passed=passed,
            )
        )
    return entries
