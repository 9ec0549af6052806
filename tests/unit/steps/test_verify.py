"""What verify judges, what it leaves to its own devices, and how far it says a thing is proven."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from migrator.model.errors import EnvironmentFault, NotPermitted, Rejected
from migrator.model.facts import Association, CommandResult, Container, Pod, WorkloadRef
from migrator.model.plan import Check, PlannedStep, StepKind
from migrator.model.trust import Subject, merge
from migrator.steps.crowds.questions import whom
from migrator.steps.step import Context, Failed, NotYet, Settled, Settling
from migrator.steps.verify import VerifyStep
from tests.fakes.parts import CLUSTER_ARN, IRSA_TRUST, ISSUER, ROLE_ARN, deployment, pod
from tests.fakes.running import SERVICE, WAITS
from tests.fakes.world import FakeWorld

IRSA = {"works": True, "issuer": ISSUER.removeprefix("https://"), "audience": "sts.amazonaws.com"}
ON = {"namespace": "shop", "service_account": "orders", "cluster_arn": CLUSTER_ARN, "irsa": IRSA}
THERE = PlannedStep(
    id="verify", kind=StepKind.VERIFY, on=ON, before={"identity": "irsa"}, after={"identity": "pod-identity"}
)
BACK = replace(THERE, before=THERE.after, after=THERE.before)
OWNER = WorkloadRef(kind="Deployment", namespace="shop", name="orders")
JOB = WorkloadRef(kind="Job", namespace="shop", name="import")
UNKNOWN = WorkloadRef(kind="Database", namespace="shop", name="orders")
ASSOCIATION = Association(id="a-1", namespace="shop", service_account="orders", role_arn=ROLE_ARN)
GOOD = pod("pod-identity", "good", OWNER)
TRUST = merge(IRSA_TRUST, Subject(CLUSTER_ARN, "shop", "orders")).document


def world(*pods: Pod, **differs: Any) -> FakeWorld:
    made = FakeWorld(**{"daemonset": True, "made": ASSOCIATION, "trust": TRUST, **differs})
    made.live = {one.name: one for one in pods}
    return made


def verdict(made: FakeWorld, step: PlannedStep = THERE, **differs: Any) -> Settling:
    known = {"service": SERVICE, "run": "r", "waits": WAITS, "role_arn": ROLE_ARN}
    return VerifyStep().settled(step, Context(cluster=made, trust=made, **{**known, **differs}))


@pytest.mark.parametrize(
    ("odd", "expected"),
    [
        pytest.param(pod("irsa", "odd", OWNER), NotYet, id="[irsa] missed by the webhook: made anew once"),
        pytest.param(pod("none", "odd", OWNER), NotYet, id="[none] missed by the webhook: made anew once"),
        pytest.param(pod("pod-identity", "odd", OWNER, baked=True), Failed, id="[both] written into the template"),
        pytest.param(pod("irsa", "odd", UNKNOWN), NotYet, id="[unknown owner] may replace it yet"),
        pytest.param(replace(pod("pod-identity", "odd", OWNER), ready=False), NotYet, id="[not ready]"),
        pytest.param(replace(pod("pod-identity", "odd", OWNER), node="node-2"), NotYet, id="[no agent] on its node"),
        pytest.param(replace(pod("irsa", "odd", OWNER), deleting=True), Settled, id="[going] does not count"),
        pytest.param(pod("irsa", "odd", JOB), Settled, id="[job] is left to finish"),
        pytest.param(pod("irsa", "odd", None), Settled, id="[bare] was accepted in the plan"),
        pytest.param(replace(pod("irsa", "odd", OWNER), phase="Succeeded"), Settled, id="[finished]"),
    ],
)
def test_one_odd_pod_beside_a_good_one(odd: Pod, expected: type) -> None:
    assert isinstance(verdict(world(GOOD, odd)), expected)


REFUSED = 'Ignoring, HTTP credential provider invalid endpoint host, "169.254.170.23", only loopback hosts are allowed.'
WITHOUT = "botocore.exceptions.NoCredentialsError: Unable to locate credentials"


def test_an_sdk_that_refuses_the_agent_by_its_log_is_a_failure() -> None:
    answer = verdict(world(GOOD, logs=f"2026/02/03 16:19:21 {REFUSED} <nil>\n{WITHOUT}\n"))

    assert isinstance(answer, Failed)
    assert answer.reason.startswith("good/main: by its log, its AWS SDK for Go refuses the agent's address: ")
    assert 'invalid endpoint host, "169.254.170.23", only loopback hosts are allowed' in answer.reason
    assert answer.reason.endswith("Pod Identity: 1.47.11 (v1) and release-2023-11-14 (v2)")


def test_an_sdk_that_finds_nothing_by_its_log_is_told_of_and_no_failure() -> None:
    answer = verdict(world(GOOD, logs=WITHOUT))

    assert isinstance(answer, Settled)
    said = "good/main: Unable to locate credentials (botocore, boto3 or the AWS CLI)"
    assert answer.note.endswith(f"; without credentials, by its log: {said}")
    assert answer.result["logs"] == {"read": 1, "suspect": [said]}


@pytest.mark.parametrize(
    "why",
    [
        NotPermitted('get "pods/log" in namespace "shop" is not permitted: pods "good" is forbidden'),
        EnvironmentFault("the API server went on answering 500: dial tcp 10.0.0.1:10250: connect: connection refused"),
    ],
)
def test_a_log_that_cannot_be_read_is_told_of_and_no_failure(why: EnvironmentFault) -> None:
    answer = verdict(world(GOOD, logs=why))

    assert isinstance(answer, Settled)
    assert f"logs not read everywhere: {why.message[:40]}" in answer.note
    assert answer.result["logs"] == {"read": 0, "suspect": []}


def test_nothing_of_a_log_is_kept_but_the_words_of_the_message() -> None:
    key = "AKIAIOSFODNN7EXAMPLE"
    refused, suspect = (
        verdict(world(GOOD, logs=f"user=ann key={key} {words} token={key}\nnext {key}\n"))
        for words in (REFUSED, WITHOUT)
    )

    assert isinstance(refused, Failed)
    assert isinstance(suspect, Settled)
    assert key not in f"{refused.reason} {suspect.note} {suspect.result}"
    assert "ann" not in f"{refused.reason} {suspect.note}"


def test_back_and_without_lines_no_log_is_read() -> None:
    assert isinstance(verdict(world(GOOD, logs=REFUSED), waits=replace(WAITS, log_lines=0)), Settled)
    assert isinstance(verdict(world(pod("irsa", "good", OWNER), logs=REFUSED), BACK), Settled)


@pytest.mark.parametrize(
    ("logs", "expected"),
    [
        pytest.param(REFUSED, Failed, id="[refused] no matter of time"),
        pytest.param(WITHOUT, NotYet, id="[without] may have another cause"),
        pytest.param("", NotYet, id="[silent]"),
    ],
)
def test_a_crash_loop_is_judged_by_its_last_words(logs: str, expected: type) -> None:
    crashing = replace(pod("pod-identity", "crashing", OWNER), ready=False, trouble="CrashLoopBackOff")

    assert isinstance(verdict(world(crashing, logs=logs), last_look=False), expected)


def with_container(name: str, *, init: bool, skip: str = "") -> Pod:
    """A good pod with one more container, which has no identity."""
    spec = replace(GOOD.spec, containers=(Container(name=name, init=init), *GOOD.spec.containers))
    annotations = {"eks.amazonaws.com/skip-containers": skip} if skip else {}
    return replace(GOOD, name="more", uid="more", spec=spec, annotations=annotations)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        pytest.param(with_container("setup", init=True), NotYet, id="[init] container without it"),
        pytest.param(with_container("mesh", init=False), NotYet, id="[sidecar] without it"),
        pytest.param(with_container("mesh", init=False, skip="mesh"), Settled, id="[sidecar] that asks to be skipped"),
        pytest.param(with_container("mesh", init=True, skip="mesh"), Settled, id="[native sidecar] that asks the same"),
    ],
)
def test_every_container_counts(one: Pod, expected: type) -> None:
    assert isinstance(verdict(world(GOOD, one)), expected)


def test_the_answer_names_pod_and_container_and_the_memo_the_pod() -> None:
    answer = verdict(world(GOOD, pod("irsa", "odd", OWNER)))

    assert isinstance(answer, NotYet)
    assert "odd/main has irsa" in answer.reason
    assert answer.again
    assert answer.memo["missed"] == {"Deployment orders": ["uid-odd"]}


def test_a_missed_pod_is_evicted_once_the_memo_names_it() -> None:
    made = world(GOOD, odd := pod("irsa", "odd", OWNER))
    context = Context(service=SERVICE, run="r", cluster=made, trust=made, waits=WAITS)

    VerifyStep().apply(THERE, context)
    assert made.calls == []
    VerifyStep().apply(THERE, replace(context, memory={"missed": {"Deployment orders": [odd.uid]}}))

    assert made.calls == ["evict odd"]


def test_a_pod_that_is_wrong_after_one_was_made_anew_is_a_failure() -> None:
    memory = {"missed": {"Deployment orders": ["another"]}}

    answer = verdict(world(GOOD, pod("irsa", "odd", OWNER)), memory=memory)

    assert isinstance(answer, Failed)
    assert "again, made anew once already" in answer.reason


def test_no_pods_settle_without_proof() -> None:
    answer = verdict(world())

    assert isinstance(answer, Settled)
    assert answer.result["containers"] == {}
    assert answer.result["level"] is None


@pytest.mark.parametrize("phase", ["Running", "Succeeded"])
def test_where_nothing_else_runs_the_next_pod_of_a_job_proves_it(phase: str) -> None:
    nightly = WorkloadRef(kind="CronJob", namespace="shop", name="nightly")
    old, new = pod("irsa", "old", nightly), replace(pod("pod-identity", "new", nightly), phase=phase, ready=False)

    before, after = verdict(world(old)), verdict(world(old, new), check=Check(command=("false",)))

    assert isinstance(before, Settled)
    assert isinstance(after, Settled)
    assert before.result["containers"] == {}
    assert after.result["containers"] == {"new/main": "pod-identity"}
    assert after.result["level"] == "env seen"


@pytest.mark.parametrize(
    ("differs", "check", "level", "says"),
    [
        ({}, None, "credentials answered", "1 pod on pod-identity, credentials answered"),
        ({}, Check(command=("true",)), "own check passed", "credentials answered, own check passed"),
        ({"answers": "absent"}, None, "env seen", "credentials not proven everywhere: no aws, curl or wget"),
        ({"answers": "absent", "agent_status": "200"}, None, "credentials answered", "credentials answered"),
        ({"answers": "forbidden"}, None, "env seen", "credentials not proven everywhere: pods/exec is not permitted"),
    ],
    ids=["[aws]", "[own check]", "[nothing to ask with]", "[curl]", "[no exec]"],
)
def test_the_level_of_proof_is_recorded(differs: dict[str, str], check: Check | None, level: str, says: str) -> None:
    answer = verdict(world(GOOD, **differs), check=check)

    assert isinstance(answer, Settled), answer
    assert answer.result["level"] == level
    assert says in answer.note


@pytest.mark.parametrize(
    ("differs", "expected", "says"),
    [
        ({"answers": "refused"}, NotYet, "AccessDenied"),
        ({"answers": "other"}, Failed, 'expected role "orders"'),
        ({"answers": "user"}, Failed, 'expected role "orders", and good/main is user/ci of account'),
        ({"answers": "absent", "agent_status": "403"}, NotYet, "the agent answered 403"),
    ],
    ids=["[refused]", "[wrong role]", "[keys of its own]", "[refused by the agent]"],
)
def test_credentials_that_do_not_answer_are_no_proof(differs: dict[str, str], expected: type, says: str) -> None:
    answer = verdict(world(GOOD, **differs))

    assert isinstance(answer, expected)
    assert says in str(answer)


def test_what_is_dear_to_ask_is_asked_at_the_end_of_the_settle_period_only() -> None:
    answer = verdict(world(GOOD, answers="other"), check=Check(command=("false",)), last_look=False)

    assert isinstance(answer, Settled)


@pytest.mark.parametrize(
    ("step", "pods", "trust", "expected"),
    [
        pytest.param(THERE, "pod-identity", IRSA_TRUST, NotYet, id="[there] our statement was taken out"),
        pytest.param(THERE, "pod-identity", TRUST, Settled, id="[there] it stands"),
        pytest.param(BACK, "irsa", '{"Version":"2012-10-17","Statement":[]}', NotYet, id="[back] IRSA was taken out"),
        pytest.param(BACK, "irsa", TRUST, Settled, id="[back] IRSA stands"),
    ],
)
def test_the_trust_policy_must_still_let_the_pods_in(step: PlannedStep, pods: str, trust: str, expected: type) -> None:
    answer = verdict(world(pod(pods, "one", OWNER), trust=trust), step)

    assert isinstance(answer, expected)
    assert isinstance(answer, Settled) or "no longer lets" in answer.reason


def test_where_irsa_was_broken_before_us_the_way_back_does_not_ask_for_it() -> None:
    broken = replace(BACK, on={**ON, "irsa": {**IRSA, "works": False}})

    assert isinstance(verdict(world(pod("irsa", "one", OWNER), trust='{"Statement":[]}'), broken), Settled)


def test_old_pods_must_be_gone() -> None:
    made = world(GOOD, declared=[deployment()])
    made.declared[0].looks_until_complete = 1

    assert isinstance(verdict(made), NotYet)
    assert isinstance(verdict(made), Settled)


def test_one_pod_of_each_workload_on_each_node_is_asked() -> None:
    twins = [replace(pod("pod-identity", f"p{n}", OWNER), node=f"node-{1 + n % 2}") for n in range(6)]

    assert [(one.name, name) for one, name in whom(twins)] == [("p0", "main"), ("p1", "main")]


@pytest.mark.parametrize("owner", [None, JOB], ids=["[bare]", "[job]"])
def test_back_no_pod_may_be_left_on_pod_identity(owner: WorkloadRef | None) -> None:
    good = pod("irsa", "good", OWNER)

    answer = verdict(world(good, pod("pod-identity", "odd", owner)), BACK)

    assert isinstance(answer, NotYet)
    assert "still on Pod Identity: odd" in answer.reason
    assert isinstance(verdict(world(good, pod("irsa", "odd", owner)), BACK), Settled)


def test_pods_missed_in_several_workloads_are_made_anew_whatever_holds_one_of_them_up() -> None:
    second = deployment("worker")
    made = world(
        pod("irsa", "a", OWNER), pod("irsa", "b", second.ref), declared=[deployment(), second], budget_refusals=1
    )
    answer = verdict(made)
    assert isinstance(answer, NotYet)
    assert set(answer.memo["missed"]) == {"Deployment orders", "Deployment worker"}

    context = Context(service=SERVICE, run="r", cluster=made, trust=made, waits=WAITS, memory=answer.memo)
    with pytest.raises(Rejected, match="budget"):
        VerifyStep().apply(THERE, context)

    assert made.calls == ["evict b"]


class Slow(FakeWorld):
    """Each command in a pod takes three seconds of a clock of its own."""

    seconds = 0.0
    asked = 0

    def run_in(self, pod: Pod, container: str, command: Sequence[str], timeout: float) -> CommandResult:
        self.seconds += 3
        self.asked += 1
        return super().run_in(pod, container, command, timeout)


def crowded(number: int) -> Slow:
    made = Slow(daemonset=True, made=ASSOCIATION, trust=TRUST)
    made.live = {name: pod("pod-identity", name, OWNER) for name in (f"p{n:03}" for n in range(number))}
    return made


def test_slow_answers_are_waited_for_over_several_looks_and_none_is_asked_twice() -> None:
    made = crowded(5)
    step = VerifyStep(now=lambda: made.seconds)
    context = Context(
        service=SERVICE, run="r", cluster=made, trust=made, waits=WAITS, role_arn=ROLE_ARN, check=Check(command=("ok",))
    )

    looks = [step.settled(THERE, context) for _look in range(3)]

    assert [isinstance(one, NotYet) and one.holding for one in looks] == [True, True, False]
    assert isinstance(looks[-1], Settled)
    assert made.asked == 1 + 5


def test_what_was_answered_counts_in_one_settle_period_only() -> None:
    made = crowded(5)
    step = VerifyStep(now=lambda: made.seconds)
    context = Context(
        service=SERVICE, run="r", cluster=made, trust=made, waits=WAITS, role_arn=ROLE_ARN, check=Check(command=("ok",))
    )

    assert isinstance(step.settled(THERE, context), NotYet)
    made.live["p000"] = replace(made.live["p000"], ready=False)
    assert isinstance(step.settled(THERE, context), NotYet)

    assert context.between == {}


def test_of_many_pods_a_sample_is_asked_and_the_note_says_so() -> None:
    made = crowded(60)

    answer = verdict(made, check=Check(command=("ok",)))

    assert isinstance(answer, Settled)
    assert made.asked == 1 + 20
    assert "own check passed in 20 of 60 asked" in answer.note


def test_the_journal_names_the_first_containers_of_a_crowd_only() -> None:
    answer = verdict(world(*(pod("pod-identity", f"p{n:03}", OWNER) for n in range(200))))

    assert isinstance(answer, Settled)
    assert answer.result["pods"] == 200
    assert len(answer.result["containers"]) == 50
