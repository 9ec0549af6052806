"""What the containers' logs tell of their SDKs: an old one refuses the agent's address, and says so nowhere else.

Read are the ends of the logs of a few pods of each workload. Of what stands there only the words of a known message are
ever said or kept. A log that cannot be read leaves the question open, and is told of: that is no failure.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from migrator.model.errors import EnvironmentFault, NotPermitted, Rejected
from migrator.model.facts import Pod
from migrator.model.identity import Identity, by_container
from migrator.model.ports.steps import Workloads
from migrator.steps.crowds.judged import listed
from migrator.steps.crowds.messages import Heard, heard

PODS = 2  # of each workload: they run the same images
MOST = 20  # containers whose logs are read
_CRASHED = frozenset({"CrashLoopBackOff", "Error"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """What one container's log told: `heard` if there was a known message, `unread` why it could not be read."""

    pod: str
    container: str
    heard: Heard | None = None
    unread: str = ""

    @property
    def refused(self) -> bool:
        """Whether it proves that an SDK does not use Pod Identity."""
        return self.heard is not None and self.heard.message.refused

    @property
    def said(self) -> str:
        """Whose words, which, and what they mean; empty when there is nothing to say."""
        if self.heard is None:
            return ""
        message, where = self.heard.message, f"{self.pod}/{self.container}"
        if not message.refused:
            return f"{where}: {self.heard.words} ({message.sdk})"
        old = f"by its log, its {message.sdk} refuses the agent's address: {self.heard.words}"
        return f"{where}: {old}; first version that knows Pod Identity: {message.since}"


def whose(pods: Iterable[Pod]) -> list[tuple[Pod, str]]:
    """The containers on Pod Identity of the first pods of each workload, at most `MOST` of them."""
    seen: Counter[object] = Counter()
    found = []
    for pod in pods:
        names = [name for name, identity in by_container(pod) if identity is Identity.POD_IDENTITY]
        if names and seen[pod.owner] < PODS:
            seen[pod.owner] += 1
            found += [(pod, name) for name in names]
    return found[:MOST]


def read(cluster: Workloads, pod: Pod, container: str, lines: int) -> Log:
    """One of `whose`; `lines` from its end."""
    try:
        text = cluster.log(pod, container, lines)
    except NotPermitted as error:
        said = f"{error.message.partition(': ')[0]}; {error.remedy}" if error.remedy else error.message
        return Log(pod=pod.name, container=container, unread=said)
    except Rejected as error:
        gone = error.reason == "NotFound"
        return Log(pod=pod.name, container=container, unread="" if gone else error.message)
    except EnvironmentFault as error:  # no way to its node
        return Log(pod=pod.name, container=container, unread=error.message)
    return Log(pod=pod.name, container=container, heard=heard(text))


def last_words(cluster: Workloads, pods: Iterable[Pod], lines: int) -> str:
    """Which SDK refused the agent's address before its container crashed; empty when none is known to have.

    A crash loop is no matter of time then, and looks like any other: its log alone tells what it is.
    """
    return refusal(cluster, [pod for pod in pods if pod.trouble in _CRASHED], lines)


def refusal(cluster: Workloads, pods: Iterable[Pod], lines: int) -> str:
    """Which SDK refuses the agent's address by the log of one of these; empty when none is known to."""
    found = (read(cluster, pod, container, lines) for pod, container in (whose(pods) if lines else ()))
    return next((one.said for one in found if one.refused), "")


def suspicions(logs: Iterable[Log]) -> list[str]:
    """What suggests that credentials are missing, and proves nothing."""
    return [one.said for one in logs if one.heard is not None and not one.refused]


def unread(logs: Sequence[Log]) -> str:
    """Why logs could not be read, as a clause; empty where all could."""
    why = sorted({one.unread for one in logs if one.unread})
    return f"logs not read everywhere: {listed(why)}" if why else ""
