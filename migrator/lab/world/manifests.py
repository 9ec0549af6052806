"""Kubernetes objects from the short forms of a world file."""

from collections.abc import Callable, Mapping
from typing import Any

from migrator.lab.world.model import Json

ROLE_ANNOTATION = "eks.amazonaws.com/role-arn"
NAME_LABEL = "app.kubernetes.io/name"
_IMAGE = "public.ecr.aws/aws-cli/aws-cli:2.31.0"
_SLEEP = ["sleep", "infinity"]
_DONE = ["true"]


def namespace(raw: Json) -> Json:
    """A Namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": _metadata(raw)}


def service_account(raw: Json, namespace_name: str, role_arn: str | None) -> Json:
    """A ServiceAccount, with the role annotation if it has a role."""
    metadata = _metadata(raw, namespace_name)
    if role_arn is not None:
        metadata["annotations"] = {ROLE_ANNOTATION: role_arn, **metadata.get("annotations", {})}
    document: Json = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
    for key in ("secrets", "imagePullSecrets"):
        if key in raw:
            document[key] = [{"name": name} for name in raw[key]]
    if "automount" in raw:
        document["automountServiceAccountToken"] = raw["automount"]
    return document


def workload(raw: Json, namespace_name: str) -> Json:
    """The object that runs the pods, of whichever kind."""
    kind = raw.get("kind", "Deployment")
    api_version, spec = _KINDS[kind]
    labels = {NAME_LABEL: raw["name"], **raw.get("labels", {})}
    metadata: Json = {"name": raw["name"], "namespace": namespace_name, "labels": labels}
    if "annotations" in raw:
        metadata["annotations"] = raw["annotations"]
    if kind == "Pod":
        metadata = _pod_metadata(raw, metadata)
    document = {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec(raw)}
    return {**document, "spec": merged(document["spec"], raw.get("spec", {}))}


def merged(base: Any, over: Any) -> Any:
    """`over` laid over `base`: maps merge key by key, everything else is replaced."""
    if not isinstance(base, Mapping) or not isinstance(over, Mapping):
        return over
    return {**base, **{key: merged(base[key], value) if key in base else value for key, value in over.items()}}


def _metadata(raw: Json, namespace_name: str | None = None) -> Json:
    metadata: Json = {"name": raw["name"]}
    if namespace_name is not None:
        metadata["namespace"] = namespace_name
    return {**metadata, **{key: raw[key] for key in ("labels", "annotations") if key in raw}}


def _pod_metadata(raw: Json, metadata: Json) -> Json:
    labels = {**metadata["labels"], **raw.get("podLabels", {})}
    annotations = {**metadata.get("annotations", {}), **raw.get("podAnnotations", {})}
    return {**metadata, "labels": labels, **({"annotations": annotations} if annotations else {})}


def _template(raw: Json, command: list[str], **pod: Any) -> Json:
    metadata: Json = {"labels": {NAME_LABEL: raw["name"], **raw.get("labels", {}), **raw.get("podLabels", {})}}
    if "podAnnotations" in raw:
        metadata["annotations"] = raw["podAnnotations"]
    return {"metadata": metadata, "spec": {**_pod_spec(raw, command), **pod}}


def _pod_spec(raw: Json, command: list[str]) -> Json:
    spec: Json = {}
    if "serviceAccount" in raw:
        spec["serviceAccountName"] = raw["serviceAccount"]
    spec["containers"] = _containers(raw, raw.get("containers") or [{"name": "app"}], command, own=True)
    if raw.get("initContainers"):
        spec["initContainers"] = _containers(raw, raw["initContainers"], _DONE, own=False)
    for key in ("nodeSelector", "tolerations"):
        if key in raw:
            spec[key] = raw[key]
    return merged(spec, raw.get("podSpec", {}))  # type: ignore[no-any-return]  # two maps give a map


def _containers(raw: Json, given: list[Json], command: list[str], *, own: bool) -> list[Json]:
    """Containers with image, command and variables; `image` and `command` of the workload go to the first."""
    shared = _environment(raw.get("env", {}))
    containers = []
    for place, entry in enumerate(given):
        first = raw if own and place == 0 else {}
        container: Json = {
            "name": entry["name"],
            "image": first.get("image", _IMAGE),
            "command": first.get("command", command),
            **entry,
        }
        env = [*_environment(entry.get("env", [])), *shared]
        container.pop("env", None)
        containers.append({**container, "env": env} if env else container)
    return containers


def _environment(given: Any) -> list[Json]:
    if isinstance(given, list):
        return given
    return [{"name": name, "value": _text(value)} for name, value in given.items()]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _selector(raw: Json) -> Json:
    return {"matchLabels": {NAME_LABEL: raw["name"]}}


def _deployment(raw: Json) -> Json:
    spec: Json = {"replicas": raw.get("replicas", 1), "selector": _selector(raw)}
    if "strategy" in raw:
        spec["strategy"] = raw["strategy"]
    return {**spec, "template": _template(raw, _SLEEP)}


def _stateful_set(raw: Json) -> Json:
    return {"serviceName": raw["name"], "replicas": raw.get("replicas", 1), **_daemon_set(raw)}


def _daemon_set(raw: Json) -> Json:
    spec: Json = {"selector": _selector(raw)}
    if "strategy" in raw:
        spec["updateStrategy"] = raw["strategy"]
    return {**spec, "template": _template(raw, _SLEEP)}


def _replica_set(raw: Json) -> Json:
    return {"replicas": raw.get("replicas", 1), "selector": _selector(raw), "template": _template(raw, _SLEEP)}


def _rollout(raw: Json) -> Json:
    """An Argo Rollout; with `spec.workloadRef` pod template and selector are another object's."""
    spec: Json = {"replicas": raw.get("replicas", 1), "strategy": raw.get("strategy", {"canary": {}})}
    if "workloadRef" in raw.get("spec", {}):
        return spec
    return {**spec, "selector": _selector(raw), "template": _template(raw, _SLEEP)}


def _job(raw: Json) -> Json:
    spec: Json = {key: raw[key] for key in ("completions", "parallelism", "backoffLimit") if key in raw}
    if raw.get("suspend") and raw.get("kind") == "Job":
        spec["suspend"] = True
    return {**spec, "template": _template(raw, _DONE, restartPolicy="Never")}


def _cron_job(raw: Json) -> Json:
    spec: Json = {"schedule": raw.get("schedule", "0 3 * * *")}
    if "suspend" in raw:
        spec["suspend"] = raw["suspend"]
    return {**spec, "jobTemplate": {"spec": _job(raw)}}


def _pod(raw: Json) -> Json:
    return _pod_spec(raw, _SLEEP)


_KINDS: dict[str, tuple[str, Callable[[Json], Json]]] = {
    "Deployment": ("apps/v1", _deployment),
    "StatefulSet": ("apps/v1", _stateful_set),
    "DaemonSet": ("apps/v1", _daemon_set),
    "ReplicaSet": ("apps/v1", _replica_set),
    "Rollout": ("argoproj.io/v1alpha1", _rollout),
    "Job": ("batch/v1", _job),
    "CronJob": ("batch/v1", _cron_job),
    "Pod": ("v1", _pod),
}
