"""A service as it stands, without its name and what is new each time: two like services have like portraits."""

import json
from pathlib import Path
from typing import Any

from migrator.model.ids import ServiceId
from migrator.store.database import Database
from migrator.store.sqlite import SqliteJournal
from tests.lab.harness import Fleet
from tests.lab.witness import RESTARTED_AT, STAMP, identity_of

Portrait = dict[str, Any]
KINDS = ("deployments", "statefulsets", "daemonsets")
_REVISION = "deployment.kubernetes.io/revision"
_NEW_EACH_TIME = frozenset({RESTARTED_AT, STAMP, "irsa-migrator/run"})


def portrait(fleet: Fleet, service: ServiceId, walks: int = 0) -> Portrait:
    """Annotations, association, workloads, live pods and journal of `CLUSTER/NAMESPACE/NAME`.

    The name stands as `NAME` wherever it occurs. `walks` is how many were finished before the one that is looked at:
    each restarts a Deployment once, so that many revisions are older.
    """
    kube, where = fleet.kube(service.cluster), f"namespaces/{service.namespace}"
    account = kube.get(f"/api/v1/{where}/serviceaccounts/{service.name}")
    marks = account["metadata"].get("annotations") or {}
    pods = kube.list(f"/api/v1/{where}/pods", fieldSelector=f"spec.serviceAccountName={service.name}")["items"]
    whole = {
        "annotations": marks,
        "association": _association(fleet, service),
        "pods": sorted((_owner(pod), identity_of(pod)) for pod in pods if "deletionTimestamp" not in pod["metadata"]),
        "workloads": [entry for kind in KINDS for entry in _workloads(fleet, service, kind, walks)],
        "journal": _journal(fleet, service),
    }
    found: Portrait = json.loads(json.dumps(whole).replace(service.name, "NAME"))
    return found


def trust_of(fleet: Fleet, role: str, names: dict[str, str]) -> Any:
    """A role's trust policy, the names of roles and services in it replaced."""
    text = json.dumps(fleet.aws("iam").get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"])
    for name, instead in names.items():
        text = text.replace(name, instead)
    return json.loads(text)


def _association(fleet: Fleet, service: ServiceId) -> Any:
    cluster = next(one for one in fleet.lab.clusters if one.alias == service.cluster)
    eks = fleet.aws("eks", cluster.account, cluster.region)
    pair = {"namespace": service.namespace, "serviceAccount": service.name}
    listed = eks.list_pod_identity_associations(clusterName=cluster.name, **pair)["associations"]
    shown = [
        eks.describe_pod_identity_association(clusterName=cluster.name, associationId=one["associationId"])
        for one in listed
    ]
    return [
        {"role": one["association"]["roleArn"], "tags": _lasting(one["association"].get("tags", {}))} for one in shown
    ]


def _workloads(fleet: Fleet, service: ServiceId, kind: str, walks: int) -> list[Any]:
    items = fleet.kube(service.cluster).list(f"/apis/apps/v1/namespaces/{service.namespace}/{kind}")["items"]
    return [
        {
            "name": one["metadata"]["name"],
            "replicas": one["spec"].get("replicas"),
            "marks": _lasting(one["spec"]["template"]["metadata"].get("annotations") or {}),
            "stamped": STAMP in (one["spec"]["template"]["metadata"].get("annotations") or {}),
            "revision": int((one["metadata"].get("annotations") or {}).get(_REVISION, walks)) - walks,
        }
        for one in items
        if one["spec"]["template"]["spec"].get("serviceAccountName") == service.name
    ]


def _journal(fleet: Fleet, service: ServiceId) -> Any:
    database = Database(Path(fleet.state), create=False)
    try:
        state = SqliteJournal(database).state(service)
        return {"standing": str(state.standing), "steps": {one.step: str(one.status) for one in state.steps}}
    finally:
        database.close()


def _lasting(marks: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in marks.items() if key not in _NEW_EACH_TIME}


def _owner(pod: Any) -> str:
    return next((one["kind"] for one in pod["metadata"].get("ownerReferences") or ()), "")
