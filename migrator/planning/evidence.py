"""The facts a plan was made from, as plain data: enough to know the cluster, the role and the workloads again."""

import hashlib
import json
from collections.abc import Iterator, Mapping

from migrator.model.facts import Json, Workload
from migrator.model.ownership import Owner, account_owner
from migrator.model.trust import QUOTA, statement_for
from migrator.planning.case import Case
from migrator.planning.findings.clusters import profiles_of
from migrator.planning.findings.ownership import trust_owner
from migrator.planning.findings.roles import trusted_others
from migrator.planning.source_patches import Patches, with_statement, without_annotation

_PREFIX = "eks.amazonaws.com/"


def facts_of(case: Case) -> Mapping[str, Json]:
    """The plan's `facts`, keys in the order of the plan file; `owners` only where there are any."""
    facts = {
        "cluster": _cluster(case),
        "service_account": {
            "uid": case.account.uid,
            "annotations": {k: v for k, v in sorted(case.account.annotations.items()) if k.startswith(_PREFIX)},
        },
        "role": _role(case),
        "association": _association(case),
        "agent": _agent(case),
        "workloads": [_workload(workload) for workload in case.workloads],
        "pods_without_workload": sorted(pod.name for pod in case.ownerless),
        "placement": _placement(case),
        "other_services_of_role": [str(service) for service in case.sharing],
        "others_trusted": trusted_others(case),
        **_addon(case),
    }
    owners = list(_owners(case))
    return {**facts, "owners": owners} if owners else facts


def trust_digest(document: Json) -> str:
    """SHA-256 over the trust policy as canonical JSON: sorted keys, no white space."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _cluster(case: Case) -> Json:
    cluster = case.cluster
    return {
        "alias": cluster.alias,
        "name": cluster.name,
        "arn": cluster.arn,
        "region": cluster.region,
        "account": cluster.account,
        "issuer": cluster.issuer,
        "version": cluster.version,
    }


def _role(case: Case) -> Json:
    role = case.role.role
    if role is None:
        return None
    trust = None if case.role.merged is None else json.loads(role.trust)
    quota = case.role.sizes.quota
    return {
        "arn": role.arn,
        "id": role.id,
        "trust_digest": hashlib.sha256(role.trust.encode()).hexdigest() if trust is None else trust_digest(trust),
        "trust": trust,
        **({"trust_quota": quota} if quota != QUOTA else {}),
    }


def _association(case: Case) -> Json:
    association = case.association
    if association is None:
        return None
    target = {"target_role_arn": association.target_role_arn} if association.target_role_arn else {}
    owner = association.owner_arn or None
    return {"id": association.id, "role_arn": association.role_arn, **target, "owner_arn": owner}


def _agent(case: Case) -> Json:
    addon = case.agent.addon
    return {
        "addon": addon.version if addon is not None else None,
        "status": addon.status if addon is not None else None,
        "daemonset": case.agent.daemonset,
    }


def _addon(case: Case) -> Mapping[str, Json]:
    """Only where the ServiceAccount belongs to one."""
    if case.addon is None:
        return {}
    addon = case.addon.addon
    said = {"name": addon.name, "arn": addon.arn, "version": addon.version, "status": addon.status}
    return {"addon": {**said, "service_account_role_arn": addon.role_arn or None}}


def _workload(workload: Workload) -> Json:
    return {
        "kind": workload.ref.kind,
        "name": workload.ref.name,
        "uid": workload.uid,
        "replicas": workload.replicas,
        "containers": [container.name for container in workload.spec.containers],
    }


def _placement(case: Case) -> Json:
    homes = [case.nodes[pod.node] for pod in case.pods if pod.node in case.nodes]
    labels = [template.labels for template in case.templates]
    return {
        "operating_systems": sorted({node.os for node in homes}),
        "compute_types": sorted({node.compute_type or "ec2" for node in homes}),
        "fargate_profiles": sorted({profile for one in labels for profile in profiles_of(case, one)}),
    }


def _owners(case: Case) -> Iterator[Json]:
    """Who has a thing that the steps are about in a source of his own, and what he has to write there."""
    owner = account_owner(case.account)
    if owner is not None:
        patches = without_annotation(owner, case.account, case.role.written)
        yield _owner("annotation", f"ServiceAccount {case.service.namespace}/{case.service.name}", owner, patches)
    owner, role = trust_owner(case), case.role.role
    if owner is not None and role is not None:
        # under no name of ours: what stands in a source is its owner's, and no way back takes it out
        statement = {key: value for key, value in statement_for(case.subject).items() if key != "Sid"}
        yield _owner("trust", f"role {role.arn}", owner, with_statement(owner, role.name, statement))


def _owner(step: str, of: str, owner: Owner, patches: Patches) -> Json:
    return {
        "step": step,
        "of": of,
        "kind": str(owner.kind),
        "name": owner.name,
        "mark": owner.mark,
        "patches": [{"where": one.where, "language": one.language, "text": one.text} for one in patches],
    }
