"""Asks from inside the pods whether AWS answers them, and as which role. Nothing secret is printed, or kept.

The container's own `aws` says who it is; where there is none, curl or wget fetch the credentials from the agent and
keep only whether they came. A container without any of them, or an operator who may not exec, leaves the question open:
that is no failure. A refusal is one, and so is another role.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from migrator.model.errors import EnvironmentFault, Rejected
from migrator.model.facts import CommandResult, Pod
from migrator.model.identity import Identity, by_container
from migrator.model.ports import Workloads

WHO_AM_I = ("aws", "sts", "get-caller-identity", "--query", "Arn", "--output", "text")
# the token goes into a header only, the credentials nowhere: what is left is the status
FETCH = (
    "sh",
    "-c",
    (
        'u="$AWS_CONTAINER_CREDENTIALS_FULL_URI"; t="$(cat "$AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")"; '
        "if command -v curl >/dev/null 2>&1; then "
        'curl -s -m 10 -o /dev/null -w "answered %{http_code}" -H "Authorization: $t" "$u"; '
        "elif command -v wget >/dev/null 2>&1; then "
        'wget -q -T 10 -O /dev/null --header "Authorization: $t" "$u" && echo "answered 200" || echo "answered no"; '
        "fi"
    ),
)
_NO_PROGRAM = frozenset({126, 127})
_ROLE = re.compile(r"arn:aws[a-z-]*:sts::(?P<account>\d{12}):assumed-role/(?P<role>[^/\s]+)/\S+")
_ANSWERED = re.compile(r"answered (?P<status>\S+)")
_KNOWN_ALL_THE_SAME = re.compile(r"\(AccessDenied\w*\) when calling the GetCallerIdentity")
_REFUSED = re.compile(
    r"AccessDenied|not authorized|Unable to locate credentials|retrieving (?:credentials|metadata)|ExpiredToken"
    r"|InvalidIdentityToken|InvalidClientTokenId|UnrecognizedClient|IDPCommunicationError|NoCredential",
    re.IGNORECASE,
)
_SHOWN = 200


class Word(StrEnum):
    """What came of asking."""

    ANSWERED = "answered"
    REFUSED = "refused"
    WRONG_ROLE = "wrong role"
    OPEN = "not asked"  # nobody could be asked, or the answer tells nothing
    GONE = "gone"  # the pod went away meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One container's answer; `said` is for people."""

    pod: str
    container: str
    word: Word
    said: str = ""


def whom(pods: Iterable[Pod]) -> Iterator[tuple[Pod, str]]:
    """One pod of each workload on each node, and its first ordinary container that has an identity."""
    seen = set()
    for pod in pods:
        names = {name for name, _ in by_container(pod)}
        container = next((one.name for one in pod.spec.containers if not one.init and one.name in names), None)
        if container is not None and pod.ready and (pod.owner, pod.node) not in seen:
            seen.add((pod.owner, pod.node))
            yield pod, container


def ask(cluster: Workloads, pods: Iterable[Pod], role_arn: str, timeout: float) -> Iterator[Answer]:
    """Asks each of `whom`; `role_arn` is the role they are to have, `timeout` in seconds for each question."""
    for pod, container in whom(pods):
        word, said = _asked(cluster, pod, container, role_arn, timeout)
        yield Answer(pod=pod.name, container=container, word=word, said=said)


def _asked(cluster: Workloads, pod: Pod, container: str, role_arn: str, timeout: float) -> tuple[Word, str]:
    try:
        ran = cluster.run_in(pod, container, WHO_AM_I, timeout)
        if ran.exit_code not in _NO_PROGRAM:
            return _by_name(ran, role_arn)
        if dict(by_container(pod))[container] is not Identity.POD_IDENTITY:
            return Word.OPEN, "no aws in the container"
        return _by_status(cluster.run_in(pod, container, FETCH, timeout))
    except Rejected as error:
        return (Word.GONE, "it went away") if error.reason == "NotFound" else (Word.OPEN, error.message)
    except EnvironmentFault as error:  # no permission to exec, or no way for it
        return Word.OPEN, error.message


def _by_name(ran: CommandResult, role_arn: str) -> tuple[Word, str]:
    found = _ROLE.search(ran.output) if ran.exit_code == 0 else None
    if found is not None:
        wanted = [role_arn.split(":")[4], role_arn.rpartition("/")[2]]
        well = [found["account"], found["role"]] == wanted
        return Word.ANSWERED if well else Word.WRONG_ROLE, f'role "{found["role"]}" of account {found["account"]}'
    if _KNOWN_ALL_THE_SAME.search(ran.output):
        return Word.ANSWERED, "its credentials are known, but may not ask who they are"
    return (Word.REFUSED if _REFUSED.search(ran.output) else Word.OPEN), _last(ran)


def _by_status(ran: CommandResult) -> tuple[Word, str]:
    found = _ANSWERED.search(ran.output)
    if found is None:
        return Word.OPEN, "no aws, curl or wget in the container"
    if found["status"] == "200":
        return Word.ANSWERED, "by the agent"
    return Word.REFUSED, f"the agent answered {found['status']}"


def _last(ran: CommandResult) -> str:
    lines: Sequence[str] = ran.output.strip().splitlines()[-1:] or [f"exit {ran.exit_code}"]
    return lines[0][:_SHOWN]
