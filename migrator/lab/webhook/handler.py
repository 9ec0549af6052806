"""The webhook's decision: a pod and what is known of its ServiceAccount in, a JSON patch or nothing out.

Pure. Operations, variables, mounts and volumes come in the real webhook's order, because people compare them.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migrator.lab.webhook.settings import (
    DEFAULT_EXPIRATION,
    JITTER_FROM,
    POD_IDENTITY_LABEL,
    SKIP_CONTAINERS,
    UNSEEN,
    Account,
    Flags,
    csv_fields,
    expiration,
)

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]

STS_NAME = "AWS_STS_REGIONAL_ENDPOINTS"
REGION_NAMES = ("AWS_DEFAULT_REGION", "AWS_REGION")
CREDENTIALS_URI = "http://169.254.170.23/v1/credentials"
POD_IDENTITY_AUDIENCE = "pods.eks.amazonaws.com"


@dataclass(frozen=True)
class Injection:
    """One mode's variables, volume and token."""

    first: tuple[str, str]
    second: tuple[str, str]
    volume: str
    mount_path: str
    token: str
    audience: str
    expiration: int
    labels: bool

    @property
    def names(self) -> tuple[str, str]:
        """The two credentials variables; a container that has either is given neither."""
        return self.first[0], self.second[0]


def mutate(
    pod: Json,
    flags: Flags,
    account: Account | None,
    *,
    associated: bool,
    jitter: Callable[[int, int], int],
) -> list[Json] | None:
    """The patch for a new pod.

    Args:
        pod: the pod as the API server sent it.
        flags: the webhook's command line.
        account: the cache entry of the pod's ServiceAccount; None when the cache has not seen it.
        associated: whether (namespace, ServiceAccount) has a pod identity association.
        jitter: picks an integer between two others, both included.

    Returns:
        The operations, or None when the pod is to be admitted without a patch.
    """
    windows = _is_windows(pod)
    known = account or UNSEEN
    lifetime = expiration(pod["metadata"].get("annotations") or {}, known.expiration)
    if associated:
        if lifetime == DEFAULT_EXPIRATION:
            lifetime = jitter(JITTER_FROM, DEFAULT_EXPIRATION)
        mode = pod_identity(lifetime, windows=windows)
    elif known.role_arn:
        mode = web_identity(known, lifetime, windows=windows)
    else:
        return None
    return _patch(pod, flags, known, mode)


def web_identity(account: Account, lifetime: int, *, windows: bool) -> Injection:
    """What IRSA injects."""
    path = "/var/run/secrets/eks.amazonaws.com/serviceaccount"
    return Injection(
        first=("AWS_ROLE_ARN", account.role_arn),
        second=("AWS_WEB_IDENTITY_TOKEN_FILE", _file(path, "token", windows=windows)),
        volume="aws-iam-token",
        mount_path=path,
        token="token",
        audience=account.audience,
        expiration=lifetime,
        labels=False,
    )


def pod_identity(lifetime: int, *, windows: bool) -> Injection:
    """What EKS Pod Identity injects."""
    path = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount"
    name = "eks-pod-identity-token"
    return Injection(
        first=("AWS_CONTAINER_CREDENTIALS_FULL_URI", CREDENTIALS_URI),
        second=("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", _file(path, name, windows=windows)),
        volume=name,
        mount_path=path,
        token=name,
        audience=POD_IDENTITY_AUDIENCE,
        expiration=lifetime,
        labels=True,
    )


def _patch(pod: Json, flags: Flags, account: Account, mode: Injection) -> list[Json]:
    spec = pod["spec"]
    skipped = frozenset(csv_fields((pod["metadata"].get("annotations") or {}).get(SKIP_CONTAINERS, "")))
    operations = _label(pod) if mode.labels else []
    operations += _volume(spec, mode)
    for field in ("containers", "initContainers"):
        containers = spec.get(field)
        if field == "containers" or containers:
            value = [_container(one, flags, account, mode, skipped) for one in containers or []]
            operations.append({"op": "add", "path": f"/spec/{field}", "value": value})
    return operations


def _label(pod: Json) -> list[Json]:
    if pod["metadata"].get("labels") is None:
        return [{"op": "add", "path": "/metadata/labels", "value": {POD_IDENTITY_LABEL: "enabled"}}]
    escaped = POD_IDENTITY_LABEL.replace("/", "~1")
    return [{"op": "add", "path": f"/metadata/labels/{escaped}", "value": "enabled"}]


def _volume(spec: Json, mode: Injection) -> list[Json]:
    volumes = spec.get("volumes")
    if any(volume["name"] == mode.volume for volume in volumes or []):
        return []
    token = {"audience": mode.audience, "expirationSeconds": mode.expiration, "path": mode.token}
    volume = {"name": mode.volume, "projected": {"sources": [{"serviceAccountToken": token}]}}
    if volumes is None:
        return [{"op": "add", "path": "/spec/volumes", "value": [volume]}]
    return [{"op": "add", "path": "/spec/volumes/0", "value": volume}]


def _container(container: Json, flags: Flags, account: Account, mode: Injection, skipped: frozenset[str]) -> Json:
    """One container as the webhook writes it back, `resources` included as its own types serialise it."""
    result = deepcopy(container)
    result.setdefault("resources", {})
    if container["name"] in skipped:
        return result
    present = {variable["name"] for variable in container.get("env") or []}
    credentials = any(name in present for name in mode.names)
    region = any(name in present for name in REGION_NAMES)
    if credentials and region and STS_NAME in present:
        return result
    added = [(STS_NAME, "regional")] if account.sts_regional and STS_NAME not in present else []
    if flags.region and not region:
        added += [(name, flags.region) for name in REGION_NAMES]
    if not credentials:
        added += [mode.first, mode.second]
    if added:
        variables = [{"name": name, "value": value} for name, value in added]
        result["env"] = (result.get("env") or []) + variables
    mounts = result.get("volumeMounts") or []
    if not any(mount["name"] == mode.volume for mount in mounts):
        mount = {"name": mode.volume, "readOnly": True, "mountPath": mode.mount_path}
        result["volumeMounts"] = [*mounts, mount]
    return result


def _is_windows(pod: Json) -> bool:
    selector = pod["spec"].get("nodeSelector") or {}
    return "windows" in (selector.get("kubernetes.io/os"), selector.get("beta.kubernetes.io/os"))


def _file(folder: str, name: str, *, windows: bool) -> str:
    path = f"{folder}/{name}"
    return "C:" + path.replace("/", "\\") if windows else path
