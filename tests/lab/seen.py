"""What there is to be judged after a test: the world as it is, what it went through, and what the store says of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from migrator.documents.errors import DocumentError
from migrator.lab.aws.ports import LAB_SECRET, lab_access_key
from migrator.model.ids import ServiceId
from migrator.model.journal import JournalLine, Run, Standing, StepRecord
from migrator.running.ledger import ledger
from migrator.store.database import Database
from migrator.store.plan_document import plan_of
from migrator.store.plan_file import PlanFiles, load_plan
from migrator.store.sqlite import SqliteJournal
from migrator.store.sqlite_locks import SqliteLocks
from tests.lab.witness import ROLE_KEY, Annotated, PodLife, Stamped, moment

PROGRAM = "irsa-migrator"


@dataclass(frozen=True, kw_only=True)
class Walked:
    """One run of the journal, with the latest record of each of its steps and everything that was written of it."""

    run: Run
    records: Mapping[str, StepRecord]
    lines: Sequence[JournalLine] = ()


@dataclass(frozen=True, kw_only=True)
class Service:
    """One service the store knows. `ours` are the steps that its ledger holds, `annotation` is what the plan found.

    `left` is the role in an annotation that a run left to its owner.
    """

    id: ServiceId
    cluster: str
    cluster_arn: str
    role: str
    annotation: str | None
    standing: Standing
    walked: Sequence[Walked]
    ours: frozenset[str]
    source: str = ""  # its source role, if its own lives in another account
    found: frozenset[str] = frozenset()
    left: str | None = None

    @property
    def of_addon(self) -> bool:
        """Whether it was moved by updating the EKS add-on that it belongs to."""
        return any("addon" in walked.records for walked in self.walked)

    @property
    def first(self) -> float:
        """When it was first touched; seconds since the epoch."""
        return min(moment(one.run.started) for one in self.walked)


@dataclass(frozen=True, kw_only=True)
class Link:
    """A pod identity association as EKS shows it; `role` is the one that it gives, its target role if it has one."""

    id: str
    cluster: str
    namespace: str
    account: str
    role: str
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Unanswered:
    """A ready pod that was refused credentials; `served_before` if it ever got any.

    It was asked after `since`, and had answered by `at`: on a busy machine that is a while.
    """

    since: float
    at: float
    cluster: str
    namespace: str
    pod: str
    uid: str
    account: str
    why: str
    served_before: bool = False


@dataclass(frozen=True, kw_only=True)
class Kept:
    """Something of somebody else's that must still be as he left it."""

    what: str
    so: bool


@dataclass(frozen=True, kw_only=True)
class Seen:
    """All of it. `clusters` maps aliases to EKS names; `accounts` maps (alias, namespace, name) to the annotation."""

    clusters: Mapping[str, str]
    services: Sequence[Service] = ()
    trusts: Mapping[str, Any] = field(default_factory=dict)
    links: Sequence[Link] = ()
    addons: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    accounts: Mapping[tuple[str, str, str], str | None] = field(default_factory=dict)
    pods: Sequence[PodLife] = ()
    annotated: Sequence[Annotated] = ()
    stamped: Sequence[Stamped] = ()
    calls: Sequence[Mapping[str, Any]] = ()
    lock_rows: Sequence[str] = ()
    locks_held: Sequence[str] = ()
    killed: bool = False
    broken_plans: Sequence[str] = ()
    unanswered: Sequence[Unanswered] = ()
    kept: Sequence[Kept] = ()


@dataclass(frozen=True)
class Stored:
    """What the state file says."""

    services: tuple[Service, ...] = ()
    lock_rows: tuple[str, ...] = ()
    locks_held: tuple[str, ...] = ()


def read_store(path: Path) -> Stored:
    """The state file's content; nothing when there is none yet."""
    if not path.exists():
        return Stored()
    database = Database(path, create=False)
    try:
        journal = SqliteJournal(database)
        rows = tuple(str(row[0]) for row in database.rows("SELECT key FROM locks ORDER BY key"))
        held = tuple(holder.key for holder in SqliteLocks(database, "test").holders())
        return Stored(tuple(_service(journal, found) for found in journal.states()), rows, held)
    finally:
        database.close()


def _service(journal: SqliteJournal, service: ServiceId) -> Service:
    runs = journal.runs(service)
    plan = plan_of(runs[-1].plan)
    facts, source = plan.facts, plan.step("source-role")
    held = ledger(journal, service)
    lines = journal.history(service)
    return Service(
        id=service,
        cluster=facts["cluster"]["name"],
        cluster_arn=facts["cluster"]["arn"],
        role=facts["role"]["arn"],
        annotation=facts["service_account"]["annotations"].get(ROLE_KEY, facts["role"]["arn"]),
        standing=journal.state(service).standing,
        walked=[
            Walked(run=run, records=journal.records(run.id), lines=[line for line in lines if line.run == run.id])
            for run in runs
        ],
        ours=frozenset(held.ours),
        source=source.on["role"] if source else "",
        found=held.found,
        left=held.left,
    )


def broken_plans(folder: Path) -> list[str]:
    """Plan files that cannot be read: the program wrote them all."""
    return [problem for path in PlanFiles(folder).paths() if (problem := _problem(path, path.read_bytes()))]


@cache
def _problem(path: Path, _content: bytes) -> str:
    """What is wrong with the file; one that has not changed since the last test is not read again."""
    try:
        load_plan(path)
    except DocumentError as error:
        return str(error)
    return ""


def aws_client(endpoint: str, account: str, service: str, region: str) -> Any:
    """An administrator's client of the practice fleet's AWS front; not the program under test's."""
    from botocore.config import Config  # noqa: PLC0415 - heavy, and most of the harness does without
    from botocore.session import Session  # noqa: PLC0415

    session = Session()
    session.register_component("data_loader", _models())
    return session.create_client(
        service,
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id=lab_access_key(account),
        aws_secret_access_key=LAB_SECRET,
        config=Config(proxies={}, retries={"mode": "standard", "total_max_attempts": 8}, user_agent="lab-tests"),
    )


@cache
def _models() -> Any:
    """botocore's service models, parsed once for all clients."""
    from botocore.loaders import create_loader  # noqa: PLC0415

    return create_loader()


def trusts(iam: Any) -> dict[str, Any]:
    """Every role's trust policy, by ARN."""
    pages = iam.get_paginator("list_roles").paginate()
    return {role["Arn"]: role["AssumeRolePolicyDocument"] for page in pages for role in page["Roles"]}


def links(eks: Any, alias: str, cluster: str) -> list[Link]:
    """Every association of a cluster."""
    pages = eks.get_paginator("list_pod_identity_associations").paginate(clusterName=cluster)
    found = [one["associationId"] for page in pages for one in page["associations"]]
    described = (
        eks.describe_pod_identity_association(clusterName=cluster, associationId=one)["association"] for one in found
    )
    return [
        Link(
            id=one["associationId"],
            cluster=alias,
            namespace=one["namespace"],
            account=one["serviceAccount"],
            role=one.get("targetRoleArn") or one["roleArn"],
            tags=one.get("tags", {}),
        )
        for one in described
    ]


def shares(document: Any) -> set[tuple[str, str, str]]:
    """Whom the program's own statements let in: cluster ARN, namespace, ServiceAccount."""
    body = json.loads(document) if isinstance(document, str) else document
    found: set[tuple[str, str, str]] = set()
    for statement in _listed(body.get("Statement", ())):
        if not str(statement.get("Sid", "")).startswith("IrsaMigrator"):
            continue
        wanted = statement.get("Condition", {}).get("StringEquals", {})
        for spelled in _listed(wanted.get("sts:ExternalId", ())):
            region, account, cluster, namespace, name = spelled.split("/")
            found.add((f"arn:aws:eks:{region}:{account}:cluster/{cluster}", namespace, name))
        for name in _listed(wanted.get("aws:RequestTag/kubernetes-service-account", ())):
            cluster = wanted.get("aws:RequestTag/eks-cluster-arn", "")
            namespace = wanted.get("aws:RequestTag/kubernetes-namespace", "")
            found.add((cluster, namespace, name))
    return found


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]
