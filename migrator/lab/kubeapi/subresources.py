"""The parts of an object with a URL of their own: scale, eviction, token, log, exec and the rest."""

from __future__ import annotations

import copy as copying
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import access, decoding, errors, patches, schema
from migrator.lab.kubeapi.calls import Call, copy
from migrator.lab.kubeapi.eviction import evict
from migrator.lab.kubeapi.kinds import NAMESPACE, POD, Kind
from migrator.lab.kubeapi.managed_fields import record_update
from migrator.lab.kubeapi.metadata import now
from migrator.lab.kubeapi.reads import object_response
from migrator.lab.kubeapi.tunnel import exec_response
from migrator.lab.kubeapi.wire import Response, json_response, text_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.lab.kubeapi.cluster import Cluster

Json = dict[str, Any]

_CREATED = 201
_UPGRADED = ("exec", "attach", "portforward")
TOKEN_REQUEST = Kind("authentication.k8s.io", "v1", "TokenRequest", "tokenrequests", namespaced=True)
_SHORTEST_TOKEN = 600
_LONGEST_TOKEN = 2**32
_DEFAULT_TOKEN = 3600


class Subresources:
    """Answers every subresource but status."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def answer(self, call: Call, warnings: list[str]) -> Response:
        """The answer to a call of a subresource.

        Raises:
            ApiError: 404, 405 and whatever the subresource refuses.
        """
        if call.subresource in _UPGRADED:
            self._authorize_upgrade(call)
            return exec_response(self._cluster, call, self._object(call))
        if call.subresource == "ephemeralcontainers":
            return self._ephemeral(call, warnings)
        # what is sent is read before anybody looks for the object
        sent = decoding.document(call) if call.verb in ("create", "update") else {}
        obj = self._object(call)
        answers: dict[str, Callable[[], Response]] = {
            "scale": lambda: self._scale(call, obj, sent),
            "token": lambda: json_response(self._token(call, sent), _CREATED),
            "eviction": lambda: json_response(evict(self._cluster, call, sent), _CREATED),
            "binding": lambda: json_response(bind(self._cluster, call, sent), _CREATED),
            "log": lambda: text_response(_log(call, obj)),
            "finalize": lambda: object_response(call, self._finalize(call, obj, sent)),
        }
        return answers[call.subresource]()

    def _authorize_upgrade(self, call: Call) -> None:
        """Since 1.35 a websocket's `get` also wants `create`; the refusal gives the authorizer's reason, RBAC has none.

        Raises:
            ApiError: 403.
        """
        resource = f"{call.kind.plural}/{call.subresource}"
        wanted = access.Attributes("create", call.kind.group, resource, call.namespace, call.name)
        if not access.allowed(self._cluster, call.user, wanted):
            details = {"name": call.name, "kind": call.kind.plural}
            text = f'{call.kind.plural} "{call.name}" is forbidden: '
            raise errors.ApiError(403, "Forbidden", text, details)

    def _object(self, call: Call) -> Json:
        record = self._cluster.store.get(call.kind.key, call.namespace if call.kind.namespaced else "", call.name)
        if record is None:
            raise errors.not_found(call.kind, call.name)
        return record.obj

    def _scale(self, call: Call, obj: Json, sent: Json) -> Response:
        if call.verb == "get":
            return json_response(_scale_of(obj))

        def scaled(current: Json) -> Json:
            before = _scale_of(current)
            after = _patched_scale(call, before) if call.verb == "patch" else sent
            version = (after.get("metadata") or {}).get("resourceVersion")
            if version:
                current["metadata"]["resourceVersion"] = version
            replicas = (after.get("spec") or {}).get("replicas", 0)
            if not isinstance(replicas, int) or replicas < 0:
                problem = errors.invalid_value("spec.replicas", replicas, "must be greater than or equal to 0")
                raise errors.invalid(call.kind, call.name, [problem])
            current.setdefault("spec", {})["replicas"] = replicas
            return current

        return json_response(_scale_of(self._cluster.writer.change(call, scaled)))

    def _token(self, call: Call, sent: Json) -> Json:
        spec = sent.get("spec") or {}
        seconds = spec.get("expirationSeconds") or _DEFAULT_TOKEN
        if not _SHORTEST_TOKEN <= seconds <= _LONGEST_TOKEN:
            text = "may not specify a duration less than 10 minutes"
            problem = errors.invalid_value("spec.expirationSeconds", seconds, text)
            raise errors.ApiError(
                422,
                "Invalid",
                f'TokenRequest.authentication.k8s.io "" is invalid: {problem.field}: {problem.text}',
                {"group": "authentication.k8s.io", "kind": "TokenRequest"},
            )
        audiences = spec.get("audiences") or [access.AUDIENCE]
        bound = spec.get("boundObjectRef")
        pod = {"name": bound["name"]} if bound and bound.get("kind") == "Pod" else None
        token = self._cluster.issue_token(call.namespace, call.name, audiences, seconds, pod)
        expires = (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
        answer = {
            "kind": TOKEN_REQUEST.kind,
            "apiVersion": TOKEN_REQUEST.api_version,
            "metadata": {"name": call.name, "namespace": call.namespace},
            "spec": schema.read(TOKEN_REQUEST, sent)[0]["spec"],
        }
        record_update(TOKEN_REQUEST, None, answer, manager=call.manager, subresource="token")
        answer["metadata"] |= {"uid": str(uuid.uuid4()), "creationTimestamp": now()}
        answer["spec"] = {"audiences": audiences, "expirationSeconds": seconds, "boundObjectRef": bound}
        answer["status"] = {"token": token, "expirationTimestamp": expires}
        return answer

    def _finalize(self, call: Call, obj: Json, sent: Json) -> Json:
        changed = copy(obj)
        finalizers = (sent.get("spec") or {}).get("finalizers")
        changed.setdefault("spec", {})["finalizers"] = finalizers or []
        if not finalizers:
            del changed["spec"]["finalizers"]
        if not self._cluster.rewrite(NAMESPACE.key, obj, changed):
            raise errors.modified(call.kind, call.name)
        return changed

    def _ephemeral(self, call: Call, warnings: list[str]) -> Response:
        if call.verb == "get":
            return object_response(call, self._object(call))
        if call.verb == "patch":
            return object_response(call, *self._cluster.writer.patch(call, warnings))
        return object_response(call, *self._cluster.writer.replace(call, warnings))


def bind(cluster: Cluster, call: Call, obj: Json) -> Json:
    """Put a pod on a node.

    Raises:
        ApiError: 404, or 409 if the pod has a node already.
    """
    name = call.name or (obj.get("metadata") or {}).get("name", "")
    with cluster.store.lock:
        record = cluster.store.get(POD.key, call.namespace, name)
        if record is None:
            raise errors.not_found(POD, name)
        node = (record.obj.get("spec") or {}).get("nodeName")
        if node:
            raise errors.conflict(POD, name, f'pod {name} is already assigned to node "{node}"')
        if "deletionTimestamp" in record.obj["metadata"]:
            raise errors.conflict(POD, name, f"pod {name} is being deleted, cannot be assigned to a host")
        changed = copy(record.obj)
        changed.setdefault("spec", {})["nodeName"] = (obj.get("target") or {}).get("name", "")
        status = changed.setdefault("status", {})
        kept = [c for c in status.get("conditions") or () if c["type"] != "PodScheduled"]
        scheduled = {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": now()}
        status["conditions"] = [*kept, scheduled]
        if not call.dry_run:
            cluster.store.put(POD.key, changed)
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": _CREATED}


def _scale_of(obj: Json) -> Json:
    metadata = {
        k: obj["metadata"][k]
        for k in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
        if k in obj["metadata"]
    }
    labels = ((obj.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
    replicas = (obj.get("spec") or {}).get("replicas", 0)
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": metadata,
        "spec": {"replicas": replicas} if replicas else {},  # a wish for none is left out
        "status": {
            "replicas": (obj.get("status") or {}).get("replicas", 0),
            "selector": ",".join(f"{k}={v}" for k, v in sorted(labels.items())),
        },
    }


def _patched_scale(call: Call, scale: Json) -> Json:
    if call.content_type == patches.JSON_PATCH:
        return patches.json_patch(copying.deepcopy(scale), call.request.body)
    if call.content_type in (patches.MERGE_PATCH, patches.STRATEGIC_PATCH, patches.APPLY_PATCH):
        body = decoding.parsed(call.request.body, yaml_body=call.content_type == patches.APPLY_PATCH)
        return patches.merge_patch(scale, body)
    raise errors.unsupported_media(call.content_type, (patches.JSON_PATCH, patches.MERGE_PATCH))


def _log(call: Call, pod: Json) -> str:
    names = [c["name"] for c in (pod.get("spec") or {}).get("containers") or ()]
    wanted = call.request.param("container") or (names[0] if names else "")
    if wanted not in names:
        raise errors.bad_request(f"container {wanted} is not valid for pod {call.name}")
    if not pod["spec"].get("nodeName"):
        return ""
    return f"container {wanted} of pod {call.name} runs on the practice fleet; it writes no log of its own\n"
