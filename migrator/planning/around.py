"""What stands around the services of one cluster and takes part in their identity; looked up by namespace."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeVar

from migrator.model.facts import PodSpec, Unread, Workload, WorkloadRef
from migrator.model.ports.planning import ClusterView
from migrator.model.surroundings import Surroundings, Thing

T = TypeVar("T", bound=Thing)

_CNI = WorkloadRef(kind="DaemonSet", namespace="kube-system", name="aws-node")
_DAEMON = "eks-auto-pod-id-assoc"


class Around:
    """The surroundings of a cluster's services, the same for all of them.

    Attributes:
        unread: what there is and may not be read.
        cilium: Cilium's policies are served.
        enforcing: the mode of security groups for pods, while the VPC CNI has them switched on; else empty.
        daemons: workloads that keep associations like the annotations, by name.
    """

    def __init__(self, seen: Surroundings | None = None, *, enforcing: str = "", daemons: Sequence[str] = ()) -> None:
        seen = seen or Surroundings()
        self.unread: tuple[Unread, ...] = seen.unread
        self.cilium = seen.cilium
        self.enforcing = enforcing
        self.daemons = tuple(daemons)
        self._things: dict[tuple[type[Thing], str], list[Thing]] = defaultdict(list)
        for thing in sorted(seen.things, key=lambda thing: thing.ref):
            self._things[type(thing), thing.namespace].append(thing)

    def of(self, kind: type[T], namespace: str) -> list[T]:
        """Those of a kind that concern services of a namespace, sorted by name, those of the whole cluster first."""
        both = (*self._things.get((kind, ""), ()), *self._things.get((kind, namespace), ()))
        return [thing for thing in both if isinstance(thing, kind)]

    def every(self, kind: type[T]) -> list[T]:
        """Those of a kind, whomever they concern, sorted by namespace and name."""
        spaces = sorted(namespace for of, namespace in self._things if of is kind)
        return [thing for space in spaces for thing in self._things[kind, space] if isinstance(thing, kind)]


def look_around(view: ClusterView, workloads: Sequence[Workload], specs: Iterable[PodSpec]) -> Around:
    """Reads what matters for these services.

    Args:
        view: the cluster.
        workloads: all of the cluster.
        specs: of the services' pods and templates.
    """
    enforcing = _enforcing(workloads)
    claims = any(volume.claim for spec in specs for volume in spec.volumes)
    seen = view.surroundings(volumes=claims, security_groups=enforcing not in {"", "standard"})
    daemons = {f"{one.ref} of {one.ref.namespace}" for one in workloads if _keeps_associations(one)}
    return Around(seen, enforcing=enforcing, daemons=sorted(daemons))


def _enforcing(workloads: Iterable[Workload]) -> str:
    """The CNI's mode is strict unless it says otherwise."""
    cni = next((one for one in workloads if one.ref == _CNI), None)
    written = {
        variable.name: variable.value or ""
        for container in (cni.spec.containers if cni is not None else ())
        for variable in container.env
    }
    switched_on = written.get("ENABLE_POD_ENI", "").lower() == "true"
    return written.get("POD_SECURITY_GROUP_ENFORCING_MODE") or "strict" if switched_on else ""


def _keeps_associations(workload: Workload) -> bool:
    """One that is scaled to zero does not; a CronJob never has pods of its own."""
    if workload.replicas == 0 and workload.ref.kind != "CronJob":
        return False
    return any(_DAEMON in container.image for container in workload.spec.containers)
