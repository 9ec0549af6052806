"""Asks from inside the pods whether AWS answers them, and as which role. Nothing secret is printed, or kept.

The container's own `aws` says who it is; where there is none, curl or wget fetch the credentials from the agent and
keep only whether they came. So they do where that `aws` is too old for Pod Identity. A container without any of them,
an operator who may not exec, or no way to the agent from there, leaves the question open: that is no failure. A refusal
is one, and so is another role. A user or an account's root on Pod Identity is one too: keys come first there, wherever
they are from; unless a person has said of those in the plan that the program does not use them. On IRSA it was so
before anybody came.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice, zip_longest

from migrator.model.errors import EnvironmentFault, Rejected
from migrator.model.facts import CommandResult, Pod
from migrator.model.identity import Identity, by_container
from migrator.model.ports.steps import Workloads
from migrator.steps.crowds import metadata
from migrator.steps.step import Context

WHO_AM_I = ("aws", "sts", "get-caller-identity", "--query", "Arn", "--output", "text")
# The token goes into a header only, the credentials nowhere: what is left is the status. SDKs ask the agent past any
# proxy, and so does this. Of wget's two kinds only GNU's tells by its exit status (8) that it was a refusal.
FETCH = (
    "sh",
    "-c",
    (
        'u="$AWS_CONTAINER_CREDENTIALS_FULL_URI"; t="$(cat "$AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")"; '
        "unset http_proxy HTTP_PROXY https_proxy HTTPS_PROXY all_proxy ALL_PROXY; "
        "if command -v curl >/dev/null 2>&1; then "
        "curl -s -m 10 --noproxy '*' -o /dev/null -w 'answered %{http_code}' -H \"Authorization: $t\" \"$u\"; "
        "elif command -v wget >/dev/null 2>&1; then "
        'said="$(wget -q -T 10 -O /dev/null --header "Authorization: $t" "$u" 2>&1)"; '
        'case "$?$said" in 0*) said=200;; 8*|*HTTP/*) said=error;; *) said=000;; esac; '
        'echo "answered $said"; '
        "fi"
    ),
)
_NO_PROGRAM = frozenset({126, 127})
_ROLE = re.compile(r"arn:aws[a-z-]*:sts::(?P<account>\d{12}):assumed-role/(?P<role>[^/\s]+)/(?P<session>\S+)")
_ANYBODY = re.compile(r"arn:aws[a-z-]*:(?:iam|sts)::(?P<account>\d{12}):(?P<who>\S+)")
_OF_AWS = re.compile(r"when calling the \w+ operation")  # a service said so, not the program
_NO_ANSWER = "000"
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


def spread(pods: Iterable[Pod], most: int) -> list[Pod]:
    """At most so many, from as many workloads and nodes as there are; all of them in their own order."""
    kept = list(pods)
    if len(kept) <= most:
        return kept
    groups: dict[object, list[Pod]] = {}
    for pod in kept:
        groups.setdefault((pod.owner, pod.node), []).append(pod)
    turns = (pod for turn in zip_longest(*groups.values()) for pod in turn if pod is not None)
    return list(islice(turns, most))


def whom(pods: Iterable[Pod]) -> Iterator[tuple[Pod, str]]:
    """One pod of each workload on each node, and its first ordinary container that has an identity."""
    seen = set()
    for pod in pods:
        names = {name for name, _ in by_container(pod)}
        container = next((one.name for one in pod.spec.containers if not one.init and one.name in names), None)
        if container is not None and pod.ready and (pod.owner, pod.node) not in seen:
            seen.add((pod.owner, pod.node))
            yield pod, container


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What is asked of each.

    Attributes:
        role_arn: the role they are to have.
        timeout: seconds for each question.
        keys_accepted: whether a person has taken on the keys that are written into the pods.
    """

    role_arn: str
    timeout: float
    keys_accepted: bool = False


def asking(context: Context) -> Asking:
    """What a step asks."""
    return Asking(role_arn=context.identity_arn, timeout=context.waits.check, keys_accepted=context.keys_accepted)


def ask(cluster: Workloads, pods: Iterable[Pod], what: Asking) -> Iterator[Answer]:
    """Asks each of `whom`."""
    for pod, container in whom(pods):
        yield ask_one(cluster, pod, container, what)


def ask_one(cluster: Workloads, pod: Pod, container: str, what: Asking) -> Answer:
    """One of `whom`."""
    word, said = _asked(cluster, pod, container, what)
    return Answer(pod=pod.name, container=container, word=word, said=said)


def _asked(cluster: Workloads, pod: Pod, container: str, what: Asking) -> tuple[Word, str]:
    try:
        return _answered(cluster, pod, container, what)
    except Rejected as error:
        return (Word.GONE, "it went away") if error.reason == "NotFound" else (Word.OPEN, error.message)
    except EnvironmentFault as error:  # no permission to exec, or no way for it
        return Word.OPEN, error.message


def _answered(cluster: Workloads, pod: Pod, container: str, what: Asking) -> tuple[Word, str]:
    """By name, if the container can tell; else by whether the agent gives it credentials."""
    ran = cluster.run_in(pod, container, WHO_AM_I, what.timeout)
    here = ran.exit_code not in _NO_PROGRAM
    word, said = _by_name(ran, what.role_arn) if here else (Word.OPEN, "no aws in the container")
    by_agent = dict(by_container(pod))[container] is Identity.POD_IDENTITY
    other = _other(ran) if here else ""
    if other:
        return (Word.WRONG_ROLE, other) if by_agent and not what.keys_accepted else (Word.OPEN, other)
    if not by_agent or word in {Word.ANSWERED, Word.WRONG_ROLE} or _OF_AWS.search(ran.output):
        return word, said
    fetched = _by_status(cluster.run_in(pod, container, FETCH, what.timeout))
    better = fetched[0] is Word.ANSWERED or (word is Word.OPEN and fetched[0] is not Word.OPEN)
    return fetched if better or not here else (word, said)


def _other(ran: CommandResult) -> str:
    """Who it is, if it is somebody, and in no role."""
    found = _ANYBODY.search(ran.output) if ran.exit_code == 0 and not _ROLE.search(ran.output) else None
    return f"{found['who']} of account {found['account']}, by keys of its own" if found else ""


def _by_name(ran: CommandResult, role_arn: str) -> tuple[Word, str]:
    found = _ROLE.search(ran.output) if ran.exit_code == 0 else None
    if found is not None:
        wanted = [role_arn.split(":")[4], role_arn.rpartition("/")[2]]
        well = [found["account"], found["role"]] == wanted
        said = f'role "{found["role"]}" of account {found["account"]}'
        if well:
            return Word.ANSWERED, said
        return Word.WRONG_ROLE, f"{said}; {metadata.NODES}" if metadata.is_of_a_node(found["session"]) else said
    if _KNOWN_ALL_THE_SAME.search(ran.output):
        return Word.ANSWERED, "its credentials are known, but may not ask who they are"
    return (Word.REFUSED if _REFUSED.search(ran.output) else Word.OPEN), _last(ran)


def _by_status(ran: CommandResult) -> tuple[Word, str]:
    found = _ANSWERED.search(ran.output)
    if found is None:
        return Word.OPEN, "no aws, curl or wget in the container"
    if found["status"] == "200":
        return Word.ANSWERED, "by the agent"
    if found["status"] == _NO_ANSWER:
        return Word.OPEN, "no way to the agent from the container"
    return Word.REFUSED, f"the agent answered {found['status']}"


def _last(ran: CommandResult) -> str:
    lines: Sequence[str] = ran.output.strip().splitlines()[-1:] or [f"exit {ran.exit_code}"]
    said, hint = lines[0][:_SHOWN], metadata.after(lines[0])
    return f"{said}; {hint}" if hint else said
