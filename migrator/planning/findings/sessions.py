"""Rules about the session that Pod Identity makes: how much room its tags take.

AWS packs a session's tags by a rule that it does not tell, and refuses what takes more than 100 % of the room. Known:
two sessions of ordinary names took 55 % and 74 % (an AWS workshop's sample; containers-roadmap 2413), and long names
have gone over. The keys and the pod's uid are the same for all, so that the names decide; the mark below is a rule of
thumb, well under what both samples point to.
"""

from collections.abc import Iterator

from migrator.model.facts import Workload
from migrator.model.plan import Finding
from migrator.planning.case import Case
from migrator.planning.findings.catalogue import found

ROOMY = 256  # characters of the five names together that are taken to fit
_LONGEST = 63  # a pod that a controller makes; the name generator cuts what is longer
_SUFFIXES = {"StatefulSet": 3, "DaemonSet": 6, "Job": 6, "ReplicaSet": 6}  # what a controller adds to its own name
_SUFFIX = 17  # a Deployment's, an Argo Rollout's, a CronJob's: two of them


def judge(case: Case) -> Iterator[Finding]:
    """Findings about the size of the session's tags."""
    if not case.session_tags:
        return
    names = (case.cluster.arn, case.cluster.name, case.service.namespace, case.service.name, "p" * _pod(case))
    size = sum(map(len, names))
    if size > ROOMY:
        yield found("session-tags-large", f"ServiceAccount {case.service.name}", "session tags", str(size), roomy=ROOMY)


def _pod(case: Case) -> int:
    """The length of the longest name that a pod of the service has, or will have."""
    made = [min(_LONGEST, _made(workload)) for workload in case.workloads]
    return max([*made, *(len(pod.name) for pod in case.pods)], default=0)


def _made(workload: Workload) -> int:
    return len(workload.ref.name) + _SUFFIXES.get(workload.ref.kind, _SUFFIX)
