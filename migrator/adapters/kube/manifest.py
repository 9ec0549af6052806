"""The manifest of a live pod as it was before the API server and the identity webhook filled it in. Pure.

What other webhooks added stays: they find it on the new pod and leave it, or add it again. So do the region variables,
which the identity webhook injects alike in both modes and somebody may as well have written by hand. And so does the
node, if whoever wrote the pod named it: the scheduler's binding owns no field of the pod.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

Json = dict[str, Any]

_KEPT_METADATA = ("name", "generateName", "namespace", "labels", "annotations", "ownerReferences", "finalizers")
_LABEL = ("eks.amazonaws.com/pod-identity", "enabled")
_OF_THE_OLD_POD = ("vpc.amazonaws.com/pod-", "cni.projectcalico.org/")  # what the network wrote about this very pod
_ASSIGNED = ("nodeName", "serviceAccount", "priority", "preemptionPolicy", "ephemeralContainers")
_API_TOKEN = "kube-api-access-"  # noqa: S105 - a volume's name
_API_TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a path
_DEFAULT_TOLERATIONS = tuple(
    {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
    for key in ("not-ready", "unreachable")
)
_REGION = frozenset({"AWS_STS_REGIONAL_ENDPOINTS", "AWS_DEFAULT_REGION", "AWS_REGION"})
_SECRETS = "/var/run/secrets"
# volume -> (mount path, variables in the order in which the webhook appends them, file that the second one names)
_INJECTED = {
    "aws-iam-token": (
        f"{_SECRETS}/eks.amazonaws.com/serviceaccount",
        ("AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"),
        "token",
    ),
    "eks-pod-identity-token": (
        f"{_SECRETS}/pods.eks.amazonaws.com/serviceaccount",
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
        "eks-pod-identity-token",
    ),
}


def as_written(pod: Mapping[str, Any]) -> Json:
    """`metadata` and `spec` with which the same pod can be created again.

    Args:
        pod: a live pod as the API server shows it; it is not changed.
    """
    spec = _spec(pod["spec"])
    if _pinned(pod["metadata"]):
        spec["nodeName"] = pod["spec"]["nodeName"]
    return {"metadata": _metadata(pod["metadata"]), "spec": spec}


def _pinned(metadata: Mapping[str, Any]) -> bool:
    owners = (entry for entry in metadata.get("managedFields") or () if not entry.get("subresource"))
    return any("f:nodeName" in (entry.get("fieldsV1") or {}).get("f:spec", {}) for entry in owners)


def _metadata(found: Mapping[str, Any]) -> Json:
    kept = {key: found[key] for key in _KEPT_METADATA if found.get(key)}
    labels = {key: value for key, value in kept.get("labels", {}).items() if (key, value) != _LABEL}
    annotations = {
        key: value for key, value in kept.get("annotations", {}).items() if not key.startswith(_OF_THE_OLD_POD)
    }
    return _without_empty({**kept, "labels": labels, "annotations": annotations})


def _spec(found: Mapping[str, Any]) -> Json:
    spec = {key: value for key, value in found.items() if key not in _ASSIGNED}
    if "runtimeClassName" in spec:
        spec.pop("overhead", None)  # filled in from the runtime class, which refuses a pod that brings its own
    for key in ("initContainers", "containers"):
        spec[key] = [_container(entry) for entry in spec.get(key) or ()]
    mounted = {mount["name"] for key in ("initContainers", "containers") for mount in _mounts(spec[key])}
    spec["volumes"] = [volume for volume in spec.get("volumes") or () if not _given(volume["name"], mounted)]
    spec["tolerations"] = [one for one in spec.get("tolerations") or () if one not in _DEFAULT_TOLERATIONS]
    return _without_empty(spec)


def _given(volume: str, mounted: set[str]) -> bool:
    """Whether a volume came with admission: by its name, and because no mount of the pod's own needs it."""
    return (volume in _INJECTED or volume.startswith(_API_TOKEN)) and volume not in mounted


def _mounts(containers: list[Json]) -> list[Json]:
    return [mount for container in containers for mount in container.get("volumeMounts") or ()]


def _container(found: Mapping[str, Any]) -> Json:
    env = list(found.get("env") or ())
    mounts = list(found.get("volumeMounts") or ())
    for volume, (path, names, file) in _INJECTED.items():
        if any(_is(mount, volume, path) for mount in mounts):
            env = _without_pair(env, names, f"{path}/{file}")
            mounts = [mount for mount in mounts if not _is(mount, volume, path)]
    mounts = [mount for mount in mounts if not _api_token(mount)]
    rest = {key: value for key, value in found.items() if key not in {"env", "volumeMounts"}}
    return {**rest, **_without_empty({"env": env, "volumeMounts": mounts})}


def _without_pair(env: list[Json], names: tuple[str, str], file: str) -> list[Json]:
    """Without the two variables where they stand as the webhook puts them.

    That is side by side, naming its own token file, and behind the region: next to a pair that somebody wrote it
    appends the region alone, so that this one comes last.
    """
    for place, (first, second) in enumerate(pairwise(env)):
        written = any(later["name"] in _REGION for later in env[place + 2 :])
        if (first["name"], second["name"]) == names and _posix(second.get("value", "")) == file and not written:
            return [*env[:place], *env[place + 2 :]]
    return env


def _posix(path: str) -> str:
    """A path inside a Windows container, spelled as in a Linux one."""
    return path.removeprefix("C:").replace("\\", "/")


def _is(mount: Mapping[str, Any], volume: str, path: str) -> bool:
    return (mount["name"], mount["mountPath"]) == (volume, path)


def _api_token(mount: Mapping[str, Any]) -> bool:
    return str(mount["name"]).startswith(_API_TOKEN) and mount["mountPath"] == _API_TOKEN_PATH


def _without_empty(found: Mapping[str, Any]) -> Json:
    return {key: value for key, value in found.items() if value not in ([], {})}
