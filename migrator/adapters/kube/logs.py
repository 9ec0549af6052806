"""Reads the end of a container's log, which the API server fetches from the container's node."""

from migrator.adapters.kube.connection import KubeConnection
from migrator.adapters.kube.errors import Refusal, transient
from migrator.adapters.kube.paths import path_of
from migrator.model.facts import Pod

LONGEST = 262_144  # bytes: what the lines are cut to, at the server
_NODE_FAILS = frozenset({500, 504})  # so the API server says that it does not reach the node


def log(connection: KubeConnection, pod: Pod, container: str, lines: int) -> str:
    """The last lines that a container has written since it started; of one that crashed, what it wrote before.

    A node that cannot be reached is not asked again: nobody waits for a log.

    Raises:
        NotPermitted: the operator may not read logs there.
        Rejected: reason `NotFound`: the pod is gone.
        EnvironmentFault: its node cannot be asked.
    """
    path = path_of("Pod", pod.namespace, pod.name, "log")
    query = {"container": container, "tailLines": str(lines), "limitBytes": str(LONGEST)}
    doing = f'reading the log of pod "{pod.namespace}/{pod.name}", container "{container}"'
    body = connection.run(lambda: connection.once("GET", path, query=query, accept="*/*"), doing=doing, worth=_worth)
    return body.decode("utf-8", "replace")


def _worth(error: BaseException) -> bool:
    return transient(error) and not (isinstance(error, Refusal) and error.status in _NODE_FAILS)
