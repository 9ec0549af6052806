"""Builds the faults of a world: exactly one kind each, and what they name must be there."""

from collections.abc import Mapping, Sequence
from typing import Any

from botocore.model import ServiceModel

from migrator.documents.schema import first_violation
from migrator.documents.yaml_file import Document, FieldPath
from migrator.lab.aws.models import service_model
from migrator.lab.faults.model import KINDS, AwsCalls, Fault, Json, KubeCalls, Moment, RolePattern
from migrator.lab.faults.often import often_of
from migrator.lab.world.index import Index, alias_of, entries
from migrator.lab.world.known import Known

_WILD = frozenset("*?")
_ROLE_KEYS = {"iamLate": "role", "trustLate": "role", "putBack": "trust"}
_NAMED = {  # by kind of fault: fields that name a ServiceAccount, and fields that name a workload
    "associationLate": (("serviceAccount",), ()),
    "webhookMisses": (("serviceAccount",), ()),
    "crashLoop": ((), ("workload",)),
    "putBack": (("annotation",), ("template",)),
}
_ONE_OF = dict.fromkeys(("fail", "drop", "slow", "expire"), ("aws", "kube"))
_PUT_BACK = ("annotation", "trust", "template")
_EDITS = (
    "trust",
    "annotate",
    "recreate",
    "associate",
    "dissociate",
    "scale",
    "deletePods",
    "create",
    "patch",
    "delete",
)


def build_faults(index: Index, document: Document) -> tuple[Fault, ...]:
    """Every fault of a document that fits the schema; `index` knows the world they are in.

    Raises:
        DocumentError: a fault has no kind or two, or names something that the world does not declare.
    """
    builder = _Builder(index, document)
    faults = tuple(builder.fault(raw, path) for path, raw in entries(document.data, "faults"))
    seen: set[str] = set()
    for fault in faults:
        if fault.name and fault.name in seen:
            raise document.error((*fault.at, "name"), f'"{fault.name}" is there twice')
        seen.add(fault.name)
    return faults


def read_faults(index: Index, document: Document, schema: Mapping[str, Any]) -> tuple[Fault, ...]:
    """The faults of a document that holds nothing else, not yet checked against the world's schema.

    Raises:
        DocumentError: they do not fit it, or name something that the world does not declare.
    """
    wanted = {
        "type": "object",
        "properties": {"faults": schema["properties"]["faults"]},
        "required": ["faults"],
        "additionalProperties": False,
        "$defs": schema["$defs"],
    }
    violation = first_violation(document.data, wanted)
    if violation is not None:
        raise document.error(violation.path, violation.problem)
    return build_faults(index, document)


class _Builder:
    """Builds one fault after another."""

    def __init__(self, index: Index, document: Document) -> None:
        self._index = index
        self._document = document
        self._known = Known(index)

    def fault(self, raw: Json, at: FieldPath) -> Fault:
        """One fault."""
        kind = self._only(raw, KINDS, at, "kind")
        given, where = raw[kind], (*at, kind)
        cluster = self._index.cluster(raw["cluster"], (*at, "cluster")).alias if "cluster" in raw else None
        account = self._index.account(raw["account"], (*at, "account")) if "account" in raw else None
        details = given if isinstance(given, dict) else {}
        self._check(kind, given, cluster, where)
        role = details.get(_ROLE_KEYS.get(kind, ""))
        return Fault(
            name=raw.get("name", ""),
            kind=kind,
            given=given,
            cluster=cluster,
            account=account,
            when=self._moment(raw["when"], cluster, (*at, "when")) if "when" in raw else None,
            after=float(raw.get("afterSeconds", 0)),
            lasting=float(raw["forSeconds"]) if "forSeconds" in raw else None,
            often=often_of(details),
            aws=self._aws(details["aws"], cluster, (*where, "aws")) if "aws" in details else None,
            kube=_kube(details["kube"]) if "kube" in details else None,
            role=self._role(role, (*where, _ROLE_KEYS[kind])) if role is not None else None,
            declared=raw,
            at=at,
        )

    def _only(self, raw: Mapping[str, Any], names: Sequence[str], at: FieldPath, what: str) -> str:
        found = [name for name in names if name in raw]
        if not found:
            raise self._document.error(at, f"needs one {what}: {', '.join(names)}")
        if len(found) > 1:
            raise self._document.error((*at, found[1]), f"a second {what} beside {found[0]}; make two entries of it")
        return found[0]

    def _check(self, kind: str, given: Any, cluster: str | None, at: FieldPath) -> None:
        """What a schema cannot say of a kind's own fields."""
        if kind == "edit":
            for place, one in enumerate(given):
                self._edit(one, cluster, (*at, place))
            return
        if kind in _ONE_OF:
            self._only(given, _ONE_OF[kind], at, "sort of call")
        if kind == "putBack":
            self._only(given, _PUT_BACK, at, "thing to put back")
        rhythm = [name for name in ("first", "every", "share") if name in given]
        if len(rhythm) > 1:
            raise self._document.error((*at, rhythm[1]), f"cannot be combined with {rhythm[0]}")
        accounts, workloads = _NAMED.get(kind, ((), ()))
        for name in accounts:
            self._there("serviceAccounts", given.get(name), cluster, (*at, name))
        for name in workloads:
            self._there("workloads", given.get(name), cluster, (*at, name))
        if kind == "agentMissing":
            self._there("nodes", given.get("node"), cluster, (*at, "node"))
        if kind == "fail" and "aws" in given and "retryAfter" in given:
            raise self._document.error((*at, "retryAfter"), "is for Kubernetes calls only")
        if kind == "fail" and "kube" in given and "code" in given:
            raise self._document.error((*at, "code"), "is for AWS calls only")

    def _edit(self, given: Json, cluster: str | None, at: FieldPath) -> None:
        kind = self._only(given, _EDITS, at, "sort of edit")
        details, where = given[kind], (*at, kind)
        if kind == "trust":
            self._only(details, ("add", "remove", "replace"), where, "sort of change")
        if kind in ("trust", "associate"):
            home = self._home(cluster)
            self._index.role_arn(details["role"], home, (*where, "role"))
        if kind in ("recreate", "dissociate"):
            self._one("serviceAccounts", details, cluster, where)
        if kind in ("annotate", "associate"):
            self._one("serviceAccounts", details["serviceAccount"], cluster, (*where, "serviceAccount"))
        if kind == "scale":
            self._one("workloads", details["workload"], cluster, (*where, "workload"))

    def _one(self, what: str, name: str, cluster: str | None, at: FieldPath) -> None:
        if _WILD & set(name):
            raise self._document.error(at, f'an edit is of one thing, and "{name}" is a pattern')
        self._there(what, name, cluster, at)

    def _home(self, cluster: str | None) -> str:
        """The account of the fault's cluster, or of the world's first one."""
        first = alias_of(self._index.document.data["clusters"][0])
        return self._index.cluster(cluster or first, ()).account

    def _there(self, what: str, name: str | None, cluster: str | None, at: FieldPath) -> None:
        if name is None or _WILD & set(name):
            return
        known = self._known.of(what, cluster)
        if name not in known:
            where = f" of cluster {cluster}" if cluster else ""
            shown = ", ".join(sorted(known)[:8]) or "none"
            noun = {"serviceAccounts": "ServiceAccount", "workloads": "workload", "nodes": "node"}[what]
            raise self._document.error(at, f'no {noun}{where} is called "{name}"; there are: {shown}')

    def _role(self, text: str, at: FieldPath) -> RolePattern:
        owner, colon, name = text.rpartition(":")
        account = self._index.account(owner, at) if colon and not _WILD & set(owner) else None
        if not _WILD & set(name) and not self._known.has_role(name, account):
            raise self._document.error(at, f'no account declares a role "{name}"; there are: {self._known.roles()}')
        return RolePattern(account, name)

    def _moment(self, raw: Json, cluster: str | None, at: FieldPath) -> Moment:
        sort = self._only(raw, ("aws", "kube"), at, "sort of call")
        return Moment(
            side=raw.get("side", "after"),
            aws=self._aws(raw["aws"], cluster, (*at, "aws")) if sort == "aws" else None,
            kube=_kube(raw["kube"]) if sort == "kube" else None,
            skip=raw.get("skip", 0),
        )

    def _aws(self, raw: Json, cluster: str | None, at: FieldPath) -> AwsCalls:
        service, operation = raw.get("service"), raw.get("operation")
        if operation and not _WILD & set(operation):
            self._operation(service, operation, (*at, "operation"))
        self._there("serviceAccounts", raw.get("serviceAccount"), cluster, (*at, "serviceAccount"))
        return AwsCalls(
            service=service,
            operation=operation,
            region=raw.get("region"),
            role=self._role(raw["role"], (*at, "role")) if "role" in raw else None,
            service_account=raw.get("serviceAccount"),
            by=raw.get("by", "pods" if service == "eks-auth" else "operator"),
        )

    def _operation(self, service: str | None, operation: str, at: FieldPath) -> None:
        models = [_model(name) for name in ([service] if service else _SERVICES)]
        if not any(operation in model.operation_names for model in models):
            whose = f"service {service} has" if service else "no service here has"
            raise self._document.error(at, f'{whose} {"no" if service else "an"} operation "{operation}"')


_SERVICES = ("iam", "sts", "eks", "eks-auth", "cloudtrail", "dynamodb", "s3")


def _model(service: str) -> ServiceModel:
    model = service_model(service)
    if model is None:
        raise LookupError(f"botocore does not know {service}")
    return model


def _kube(raw: Json) -> KubeCalls:
    return KubeCalls(
        verb=raw.get("verb"),
        resource=raw.get("resource"),
        namespace=raw.get("namespace"),
        name=raw.get("name"),
        dry_run=raw.get("dryRun"),
        by=raw.get("by", "operator"),
    )
