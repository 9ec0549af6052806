"""Pods of a declared world: its webhook, its controllers, and what is done to pods; typed against `Workloads`."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from migrator.model.errors import NotPermitted, Rejected
from migrator.model.facts import Association, CommandResult, Pod, PodSpec, Rollout, SetAside, Workload, WorkloadRef
from migrator.model.ids import RESTART_STAMP, ROLE_ARN_ANNOTATION
from tests.fakes.parts import FakeWorkload, pod


class FakePods:
    """What a fake world has of workloads and pods. Its fields are the world's."""

    declared: list[FakeWorkload]
    annotations: dict[str, str]
    role_arn: str
    made: Association | None
    reality: str | None
    check_exit: int
    checks_that_miss: int
    budget_refusals: int
    misses: int
    answers: str
    logs: str | Exception
    agent_status: str
    blind: bool
    calls: list[str]
    before_call: Callable[[str], None]
    after_call: Callable[[str], None]
    live: dict[str, Pod]
    kept: dict[str, Pod]
    _lag: int
    _seen_association: bool
    _serial: int
    _starting: dict[str, int]

    def _change(self, name: str) -> None:
        raise NotImplementedError(name)

    # --- webhook and controllers

    def injected(self) -> str:
        """What a pod admitted now gets."""
        if self._lag > 0:
            self._lag -= 1
        else:
            self._seen_association = self.made is not None
        if self.blind:
            return "none"
        if self._seen_association:
            return "pod-identity"
        return "irsa" if self.annotations.get(ROLE_ARN_ANNOTATION) else "none"

    def _roll(self, workload: FakeWorkload) -> None:
        self.live = {name: p for name, p in self.live.items() if p.owner != workload.ref}
        mode = self.injected()
        for _ in range(workload.replicas):
            self._admit(workload, mode)

    def _admit(self, workload: FakeWorkload, mode: str) -> str:
        """A real pod, as opposed to a dry run's; its name."""
        mode = self._really(mode)
        self._serial += 1
        name = f"{workload.ref.name}-{self._serial}"
        made = pod(mode, name, workload.ref, baked=workload.baked)
        if mode == workload.crashes_on or (mode == "none" and workload.fragile):
            made = replace(made, ready=False, trouble="CrashLoopBackOff")
        self.live[name] = replace(made, annotations={RESTART_STAMP: workload.stamp} if workload.stamp else {})
        return name

    def _really(self, mode: str) -> str:
        """What a real pod gets where a dry run's would get `mode`."""
        if self.misses > 0:
            self.misses -= 1
            return "none"
        return self.reality if self.reality is not None and mode == "pod-identity" else mode

    # --- Workloads

    def workloads_of(self, namespace: str, service_account: str) -> Sequence[Workload]:
        assert (namespace, service_account) == ("shop", "orders")
        return [
            Workload(
                ref=w.ref,
                uid=f"uid-{w.ref.name}",
                replicas=w.replicas,
                spec=PodSpec(service_account="orders", node_selector=w.node_selector),
                strategy=w.strategy,
                partition=w.partition,
                paused=w.paused,
            )
            for w in self.declared
        ]

    def pods_of(self, namespace: str, service_account: str) -> Sequence[Pod]:
        assert (namespace, service_account) == ("shop", "orders")
        for name in list(self._starting):
            self._starting[name] -= 1
            if self._starting[name] < 0:
                del self._starting[name]
        return [replace(p, ready=p.ready and p.name not in self._starting) for p in self.live.values()]

    def _workload(self, ref: WorkloadRef) -> FakeWorkload | None:
        return next((w for w in self.declared if w.ref == ref), None)

    def rollout(self, ref: WorkloadRef) -> Rollout | None:
        workload = self._workload(ref)
        if workload is None:
            return None
        slow = workload.looks_until_complete > 0
        workload.looks_until_complete -= 1 if slow else 0
        seen = workload.looks_until_seen <= 0
        workload.looks_until_seen -= 1
        n = workload.replicas
        crashing = [p for p in self.live.values() if p.owner == ref and p.trouble]
        old = self._one_by_one(workload) if workload.ordered else 0
        return Rollout(
            desired=n,
            updated=n - old,
            ready=n - len(crashing),
            old=old,
            complete=seen and not slow and not crashing and not workload.held and not old,
            stamp=workload.stamp,
            failure=workload.failure or ("Paused" if workload.paused else ""),
            seen=seen,
        )

    def restart(self, ref: WorkloadRef, stamp: str) -> None:
        self._change(f"restart {ref.name}")
        workload = self._workload(ref)
        if workload is None:
            raise Rejected(f"{ref} is not found", reason="NotFound")
        workload.stamp = stamp
        workload.held = workload.paused
        if not workload.paused and not workload.ordered:
            self._roll(workload)
        self.after_call(f"restart {ref.name}")

    def _one_by_one(self, workload: FakeWorkload) -> int:
        """Replaces the next pod of an older template, if all are ready; how many such pods were left before."""
        pods = [p for p in self.live.values() if p.owner == workload.ref]
        old = [p for p in pods if p.annotations.get(RESTART_STAMP, "") != workload.stamp]
        if old and not any(p.trouble or p.name in self._starting for p in pods):
            del self.live[old[-1].name]
            self._replace(old[-1])
        return len(old)

    def evict(self, pod: Pod) -> None:
        self.before_call(f"evict {pod.name}")
        if self.budget_refusals > 0:
            self.budget_refusals -= 1
            raise Rejected("Cannot evict pod as it would violate the pod's disruption budget.", reason="budget")
        self.calls.append(f"evict {pod.name}")
        held = self.live.get(pod.name)
        if held is not None and held.uid == pod.uid:
            del self.live[pod.name]
            self._replace(held)
        self.after_call(f"evict {pod.name}")

    def _replace(self, gone: Pod) -> None:
        """Its owner makes a new pod at once, admitted as things are now; nobody does that for a bare pod."""
        workload = self._workload(gone.owner) if gone.owner else None
        if workload is not None:
            self._starting[self._admit(workload, self.injected())] = workload.looks_until_ready

    def set_aside(self, pod: Pod) -> None:
        self._change(f"set-aside {pod.name}")
        held = self.live.get(pod.name)
        if pod.uid not in self.kept:
            if held is None or held.uid != pod.uid:
                raise Rejected("the pod is gone", reason="NotFound")
            self.kept[pod.uid] = pod
        self.after_call(f"set-aside {pod.name}")

    def aside(self, namespace: str, service_account: str) -> Sequence[SetAside]:
        assert (namespace, service_account) == ("shop", "orders")
        return sorted(SetAside(namespace=namespace, name=pod.name, uid=uid) for uid, pod in self.kept.items())

    def recreate(self, kept: SetAside) -> bool:
        held = self.live.get(kept.name)
        if held is not None and held.uid == kept.uid:
            return False
        self._change(f"recreate {kept.name}")
        if held is None and kept.uid in self.kept:
            self._serial += 1
            made = pod(self._really(self.injected()), kept.name)
            self.live[kept.name] = replace(made, uid=f"{made.uid}-{self._serial}")
        self.kept.pop(kept.uid, None)
        self.after_call(f"recreate {kept.name}")
        return True

    def forget(self, kept: SetAside) -> None:
        self._change(f"forget {kept.name}")
        self.kept.pop(kept.uid, None)
        self.after_call(f"forget {kept.name}")

    def run_in(self, pod: Pod, container: str, command: Sequence[str], timeout: float) -> CommandResult:
        assert pod.name in self.live
        assert container
        assert command
        assert timeout > 0
        if self.checks_that_miss > 0:
            self.checks_that_miss -= 1
            raise Rejected("the pod is gone", reason="NotFound")
        if command[1:3] == ("sts", "get-caller-identity"):
            return self._who_am_i()
        if command[0] == "sh":
            return CommandResult(exit_code=0, output=f"answered {self.agent_status}" if self.agent_status else "")
        return CommandResult(exit_code=self.check_exit, output="checked")

    def log(self, pod: Pod, container: str, lines: int) -> str:
        assert container
        assert lines > 0
        if isinstance(self.logs, Exception):
            raise self.logs
        return self.logs if pod.name in self.live else ""

    def _who_am_i(self) -> CommandResult:
        if self.answers == "forbidden":
            raise NotPermitted("pods/exec is not permitted")
        account, role = self.role_arn.split(":")[4], "node" if self.answers == "other" else "orders"
        arn = f"arn:aws:sts::{account}:assumed-role/{role}/session"
        said = {
            "absent": (127, "not found"),
            "refused": (254, "An error occurred (AccessDenied) when calling it"),
            "user": (0, f"arn:aws:iam::{account}:user/ci"),
        }
        code, output = said.get(self.answers, (0, arn))
        return CommandResult(exit_code=code, output=output)

    # --- for tests

    def resume(self, workload: FakeWorkload) -> None:
        """It is paused no longer, and rolls if it was asked to meanwhile."""
        workload.paused = False
        if workload.held:
            workload.held = False
            self._roll(workload)

    def scale(self, workload: FakeWorkload, replicas: int) -> None:
        """Somebody wants so many pods; all of them are new."""
        workload.replicas = replicas
        self._roll(workload)
