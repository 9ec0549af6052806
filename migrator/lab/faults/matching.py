"""Which calls a fault is about: what is known of a call, and whether it fits what was declared."""

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from migrator.lab.aws.callers import Caller
from migrator.lab.aws.ports import is_own
from migrator.lab.aws.wire import Request
from migrator.lab.faults.model import AwsCalls, Fault, KubeCalls, RolePattern, named
from migrator.lab.kubeapi.hooks import Asked
from migrator.lab.kubeapi.tokens import OWN

_FROM_EKS = "aws-iam-authenticator:"
_FROM_PODS = "system:serviceaccount:"
Subject = Callable[[Request], tuple[str, str] | None]
ClusterName = Callable[[str, str, str], str | None]


@dataclass(frozen=True)
class KubeCall:
    """A call of one cluster's API server."""

    cluster: str
    account: str
    asked: Asked

    @property
    def text(self) -> str:
        """The call in a few words, for the log."""
        asked = self.asked
        what = asked.resource or asked.path
        where = "/".join(part for part in (asked.namespace, asked.name) if part)
        dry = " (dry run)" if asked.dry_run else ""
        return " ".join(part for part in (asked.verb, what, where) if part) + dry


@dataclass(frozen=True)
class AwsCall:
    """A call of AWS, and what it is about: role names, a ServiceAccount, the alias of a cluster."""

    request: Request
    roles: tuple[tuple[str, str], ...]
    subject: tuple[str, str] | None
    cluster: str | None

    @property
    def text(self) -> str:
        """The call in a few words, for the log."""
        about = "/".join(self.subject) if self.subject else ", ".join(name for _, name in self.roles)
        return f"{self.request.service}:{self.request.action} {about}".strip()


def aws_call(request: Request, subject: Subject, cluster_name: ClusterName) -> AwsCall:
    """What there is to know of a request that has been understood."""
    params = request.params
    name = params.get("clusterName")
    return AwsCall(
        request,
        _roles(request),
        subject(request) if request.service == "eks" else None,
        cluster_name(request.account, request.region, str(name)) if name else None,
    )


def _roles(request: Request) -> tuple[tuple[str, str], ...]:
    params = request.params
    found = [(request.account, str(params["RoleName"]))] if "RoleName" in params else []
    for key in ("roleArn", "RoleArn", "targetRoleArn"):
        parts = str(params.get(key) or "").split(":", 5)
        if len(parts) == 6:
            found.append((parts[4], parts[5].rpartition("/")[2]))
    return tuple(found)


def fits_aws(fault: Fault, wanted: AwsCalls, call: AwsCall) -> bool:
    """Whether a fault that is about these calls is about this one."""
    request = call.request
    return (
        wanted.service in (None, request.service)
        and (wanted.operation is None or fnmatchcase(request.action, wanted.operation))
        and (wanted.region is None or fnmatchcase(request.region, wanted.region))
        and fault.in_account(request.account)
        and (call.cluster is None or fault.on_cluster(call.cluster))
        and (wanted.role is None or _about(wanted.role, call.roles))
        and (wanted.service_account is None or _is_named(wanted.service_account, call.subject))
        and _is_by(wanted.by, who_of(request.caller))
    )


def _about(role: RolePattern, roles: tuple[tuple[str, str], ...]) -> bool:
    return any(role.fits(account, name) for account, name in roles)


def _is_named(pattern: str, subject: tuple[str, str] | None) -> bool:
    return subject is not None and named(pattern, *subject)


def _is_by(wanted: str, who: str) -> bool:
    if who == "own":
        return False
    return wanted in ("anyone", who)


def who_of(caller: Caller | None) -> str:
    """`own`, `operator` or `pods`: the fleet itself, people and their programs, or pods and the nodes they run on."""
    if caller is None:
        return "pods"  # only web identity comes unsigned
    if is_own(caller.access_key):
        return "own"
    session = caller.session
    if session is None:
        return "operator"
    machine = session.name.startswith("i-") or "kubernetes-pod-name" in session.tags
    return "pods" if machine or session.federated or session.name.startswith("eks-") else "operator"


def fits_kube(fault: Fault, wanted: KubeCalls, call: KubeCall) -> bool:
    """Whether a fault that is about these calls is about this one."""
    asked = call.asked
    return (
        fault.on_cluster(call.cluster)
        and fault.in_account(call.account)
        and _is_verb(wanted.verb, asked)
        and (wanted.resource is None or fnmatchcase(asked.resource, wanted.resource))
        and (wanted.namespace is None or fnmatchcase(asked.namespace, wanted.namespace))
        and (wanted.name is None or fnmatchcase(asked.name, wanted.name))
        and wanted.dry_run in (None, asked.dry_run)
        and _is_by(wanted.by, kube_who(asked))
    )


def _is_verb(wanted: str | None, asked: Asked) -> bool:
    if wanted in ("read", "write"):
        return asked.writes == (wanted == "write")
    return wanted in (None, asked.verb)


def kube_who(asked: Asked) -> str:
    """`own`, `operator` (came with a token of EKS), `pods`, or `administrator` (the kubeconfig's token)."""
    user = asked.user
    if user.name == OWN.name:
        return "own"
    if user.uid.startswith(_FROM_EKS):
        return "operator"
    return "pods" if user.name.startswith(_FROM_PODS) else "administrator"
