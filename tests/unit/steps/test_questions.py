"""What counts as an answer from inside a pod, and what only as not asked."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from migrator.model.facts import CommandResult, Pod, WorkloadRef
from migrator.steps.crowds.metadata import NODES, SILENT
from migrator.steps.crowds.questions import FETCH, Answer, Asking, Word, ask, spread
from tests.fakes.parts import ROLE_ARN, pod
from tests.fakes.world import FakeWorld

OWNER = WorkloadRef(kind="Deployment", namespace="shop", name="orders")
OTHER = "arn:aws:sts::111111111111:assumed-role/eksNodeRole"
MINE = f"{ROLE_ARN.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/session"


class Said(FakeWorld):
    """A world whose container's `aws` says this, and whose agent, asked by curl, says that."""

    def with_answers(self, aws: tuple[int, str], agent: str) -> "Said":
        self.aws, self.agent_says = CommandResult(exit_code=aws[0], output=aws[1]), agent
        return self

    def run_in(self, pod: Pod, container: str, command: Sequence[str], timeout: float) -> CommandResult:
        del pod, container, timeout
        return self.aws if command[0] == "aws" else CommandResult(exit_code=0, output=self.agent_says)


def asked(aws: tuple[int, str], agent: str, identity: str = "pod-identity", *, keys_accepted: bool = False) -> Answer:
    world = Said().with_answers(aws, agent)
    asking = Asking(role_arn=ROLE_ARN, timeout=5, keys_accepted=keys_accepted)
    (answer,) = ask(world, [pod(identity, owner=OWNER)], asking)
    return answer


NO_AWS = (127, "not found")
OLD = (255, "Unsupported host '169.254.170.23'. Can only retrieve metadata from these hosts: 169.254.170.2")
NONE = (253, "Unable to locate credentials. You can configure credentials by running aws configure")
DENIED = (254, "An error occurred (AccessDenied) when calling the AssumeRoleWithWebIdentity operation: no")


@pytest.mark.parametrize(
    ("aws", "agent", "expected"),
    [
        pytest.param((0, MINE), "", Word.ANSWERED, id="[aws] the role"),
        pytest.param(NO_AWS, "answered 200", Word.ANSWERED, id="[curl] 200"),
        pytest.param(NO_AWS, "answered 403", Word.REFUSED, id="[curl] 403"),
        pytest.param(NO_AWS, "answered error", Word.REFUSED, id="[wget] a refusal"),
        pytest.param(NO_AWS, "answered 000", Word.OPEN, id="[curl] no way to the agent"),
        pytest.param(OLD, "answered 200", Word.ANSWERED, id="[old aws] curl knows better"),
        pytest.param(NONE, "answered 200", Word.ANSWERED, id="[older aws] curl knows better"),
        pytest.param(NONE, "answered 403", Word.REFUSED, id="[older aws] curl says the same"),
        pytest.param(NONE, "", Word.REFUSED, id="[aws alone] none"),
        pytest.param(OLD, "answered 403", Word.REFUSED, id="[old aws] the agent refuses"),
        pytest.param(DENIED, "answered 200", Word.REFUSED, id="[aws] AWS itself refuses"),
    ],
)
def test_words(aws: tuple[int, str], agent: str, expected: Word) -> None:
    assert asked(aws, agent).word is expected


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param((0, f"{OTHER}/i-0123456789abcdef0"), NODES, id="[node] its session is named after the instance"),
        pytest.param((0, f"{OTHER}/eks-main-orders-1"), "", id="[another role] that no instance gave"),
        pytest.param(NONE, SILENT, id="[none] the hop limit is not what is wrong"),
        pytest.param(DENIED, "", id="[refused] by AWS itself"),
    ],
)
def test_whoever_would_look_at_the_hop_limit_is_told_better(answer: tuple[int, str], said: str) -> None:
    found = asked(answer, "").said

    assert found.partition("; ")[2] == said


@pytest.mark.parametrize(
    ("name", "script", "printed"),
    [
        pytest.param(
            "curl", 'echo "$*" | grep -q -- "--noproxy \\*" && printf "answered 200"', "answered 200", id="curl"
        ),
        pytest.param("wget", "exit 0", "answered 200", id="wget"),
        pytest.param("wget", "exit 8", "answered error", id="[wget] GNU's, refused"),
        pytest.param("wget", "exit 4", "answered 000", id="[wget] GNU's, no connection"),
        pytest.param(
            "wget",
            "echo 'wget: server returned error: HTTP/1.1 403 Forbidden' >&2; exit 1",
            "answered error",
            id="[wget] busybox's, refused",
        ),
        pytest.param(
            "wget",
            'echo "wget: can\'t connect to remote host" >&2; exit 1',
            "answered 000",
            id="[wget] busybox's, none",
        ),
        pytest.param("wget", '[ -z "$http_proxy$HTTP_PROXY" ]', "answered 200", id="[wget] past the proxy"),
        pytest.param("other", "exit 0", "", id="neither"),
    ],
)
def test_what_the_script_prints(name: str, script: str, printed: str, tmp_path: Path) -> None:
    programs = {name: script, "cat": "echo token", "grep": f'exec {_which("grep")} "$@"'}
    for program, text in programs.items():
        (tmp_path / program).write_text(f"#!{_which('sh')}\n{text}\n")
        (tmp_path / program).chmod(0o755)
    env = {
        "PATH": str(tmp_path),
        "http_proxy": "http://proxy:3128",
        "HTTP_PROXY": "http://proxy:3128",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/token",
    }

    ran = subprocess.run([_which("sh"), *FETCH[1:]], env=env, capture_output=True, text=True, check=False)

    assert ran.stdout.strip() == printed


def _which(program: str) -> str:
    found = (Path(folder) / program for folder in os.environ["PATH"].split(os.pathsep))
    return str(next(path for path in found if path.exists()))


def test_a_sample_is_spread_over_workloads() -> None:
    other = WorkloadRef(kind="Deployment", namespace="shop", name="worker")
    crowd = [pod("pod-identity", f"o{n}", OWNER) for n in range(30)] + [pod("pod-identity", "w0", other)]

    sample = spread(crowd, 5)

    assert [one.name for one in sample] == ["o0", "w0", "o1", "o2", "o3"]
    assert spread(crowd[:4], 5) == crowd[:4]


SOMEBODY = [
    "arn:aws:iam::111111111111:user/ci",
    "arn:aws:iam::111111111111:root",
    "arn:aws:sts::111111111111:federated-user/ann",
]


@pytest.mark.parametrize("arn", SOMEBODY)
def test_somebody_else_by_keys_is_as_wrong_as_another_role(arn: str) -> None:
    answer = asked((0, arn), "answered 200")

    assert answer.word is Word.WRONG_ROLE
    assert answer.said == f"{arn.rpartition(':')[2]} of account 111111111111, by keys of its own"


@pytest.mark.parametrize(("identity", "accepted"), [("pod-identity", True), ("irsa", False)])
def test_keys_that_a_person_took_on_or_that_were_there_before_the_move_are_told(
    identity: str, *, accepted: bool
) -> None:
    answer = asked((0, SOMEBODY[0]), "answered 200", identity, keys_accepted=accepted)

    assert (answer.word, answer.said) == (Word.OPEN, "user/ci of account 111111111111, by keys of its own")
