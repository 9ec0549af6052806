"""Looks which identity a service's pods have now, for `migrate verify`; nothing is changed or recorded."""

from dataclasses import dataclass

from migrator.model import identity
from migrator.model.facts import Pod
from migrator.model.identity import Identity
from migrator.model.ids import ServiceId
from migrator.model.plan import Check
from migrator.model.ports import Workloads


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
    """All live pods of a service; `identity` is what they have in common."""

    service: ServiceId
    identity: Identity
    seen: tuple[Seen, ...]

    def as_expected(self, expected: Identity) -> bool:
        """Whether every container has that identity and no own check failed; a service without pods proves nothing."""
        return self.identity is expected and all(entry.check_passed is not False for entry in self.seen)


def observe(cluster: Workloads, service: ServiceId, check: Check | None, timeout: float) -> Observation:
    """Reads the pods and, where a check is given, runs it in each. `timeout` in seconds, for one check."""
    pods = [p for p in cluster.pods_of(service.namespace, service.name) if not p.finished and not p.deleting]
    pods.sort(key=lambda pod: pod.name)
    seen = tuple(entry for pod in pods for entry in _look(cluster, pod, check, timeout))
    return Observation(service=service, identity=identity.of_pods(pods), seen=seen)


def _look(cluster: Workloads, pod: Pod, check: Check | None, timeout: float) -> list[Seen]:
    target = _checked_container(pod, check)
    entries = []
    for name, found in identity.by_container(pod):
        said, passed = "", None
        if check is not None and name == target:
            result = cluster.run_in(pod, name, check.command, timeout)
            last = result.output.strip().splitlines()[-1:] or [""]
            said, passed = f"exit {result.exit_code}: {last[0][:200]}", result.exit_code == 0
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


def _checked_container(pod: Pod, check: Check | None) -> str:
    if check is not None and check.container:
        return check.container
    return next((container.name for container in pod.spec.containers if not container.init), "")
