"""Calling admission webhooks: which ones a write concerns, the review sent to them, and what is made of it."""

from __future__ import annotations

import base64
import ssl
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import urllib3

from migrator.lab.kubeapi import errors
from migrator.lab.kubeapi.kinds import MUTATING, NAMESPACE, VALIDATING
from migrator.lab.kubeapi.labels import accepts_labels, from_selector
from migrator.lab.kubeapi.patches import UnfitError, json_patch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.lab.kubeapi.calls import Call
    from migrator.lab.kubeapi.cluster import Cluster

Json = dict[str, Any]

_OPERATIONS = {
    "create": "CREATE",
    "update": "UPDATE",
    "patch": "UPDATE",
    "delete": "DELETE",
    "deletecollection": "DELETE",
}
_SPOKEN = ("v1", "v1beta1")
_NO_SIDE_EFFECTS = ("None", "NoneOnDryRun")
INSTANCE_HEADER = "X-Practice-Api-Server"
"""Tells a webhook which instance of the API server asks; on EKS each instance has a webhook of its own."""
_EXEMPT = {MUTATING.plural, VALIDATING.plural}


class WebhookFailedError(Exception):
    """A webhook could not be asked, or its answer makes no sense."""


@dataclass(frozen=True)
class Answer:
    """What a webhook says."""

    allowed: bool
    patch: list[Json]
    status: Json
    warnings: tuple[str, ...] = ()


class Webhooks:
    """Asks the webhooks that are registered in the cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._pools: dict[str, urllib3.PoolManager] = {}

    def mutate(self, call: Call, obj: Json, old: Json | None) -> Json:
        """The object after all mutating webhooks; those that ask for it see it again if others changed it.

        Raises:
            ApiError: a webhook refuses, fails, or cannot be asked on a dry run.
        """
        asked: list[tuple[Json, Json]] = []
        for hook in self._matching(call, obj, old, MUTATING.key):
            obj = self._mutated(call, hook, obj, old)
            asked.append((hook, obj))
        for hook, seen in asked:
            if hook.get("reinvocationPolicy") == "IfNeeded" and obj != seen:
                obj = self._mutated(call, hook, obj, old)
        return obj

    def validate(self, call: Call, obj: Json | None, old: Json | None) -> None:
        """Ask all validating webhooks.

        Raises:
            ApiError: a webhook refuses, fails, or cannot be asked on a dry run.
        """
        for hook in self._matching(call, obj, old, VALIDATING.key):
            self._ask(call, hook, obj, old)

    def close(self) -> None:
        """Let go of the connections to them."""
        for pool in self._pools.values():
            pool.clear()

    def _matching(self, call: Call, obj: Json | None, old: Json | None, kind: tuple[str, str]) -> Iterator[Json]:
        if call.kind.plural in _EXEMPT:
            return
        for record in list(self._cluster.store.records(kind)):
            for hook in record.obj.get("webhooks") or ():
                if self._concerns(call, hook, obj, old):
                    yield hook

    def _concerns(self, call: Call, hook: Json, obj: Json | None, old: Json | None) -> bool:
        if not any(_rule_matches(rule, call, old) for rule in hook.get("rules") or ()):
            return False
        labels = [(o["metadata"].get("labels") or {}) for o in (obj, old) if o is not None]
        wanted = from_selector(hook.get("objectSelector"))
        if not any(accepts_labels(wanted, found) for found in labels):
            return False
        selector = from_selector(hook.get("namespaceSelector"))
        if not selector or not call.namespace:
            return True
        record = self._cluster.store.get(NAMESPACE.key, "", call.namespace)
        return record is not None and accepts_labels(selector, record.obj["metadata"].get("labels"))

    def _mutated(self, call: Call, hook: Json, obj: Json, old: Json | None) -> Json:
        answer = self._ask(call, hook, obj, old)
        if answer is None or not answer.patch:
            return obj
        try:
            return json_patch(obj, answer.patch)
        except UnfitError as error:
            raise errors.ApiError(500, "InternalError", f"Internal error occurred: {error}") from error

    def _ask(self, call: Call, hook: Json, obj: Json | None, old: Json | None) -> Answer | None:
        name = hook.get("name", "")
        if call.dry_run and hook.get("sideEffects") not in _NO_SIDE_EFFECTS:
            raise errors.bad_request(f'admission webhook "{name}" does not support dry run')
        try:
            answer = self._send(call, hook, obj, old)
        except WebhookFailedError as error:
            if hook.get("failurePolicy") == "Ignore":
                return None
            text = f'Internal error occurred: failed calling webhook "{name}": {error}'
            causes = {"causes": [{"message": f'failed calling webhook "{name}": {error}'}]}
            raise errors.ApiError(500, "InternalError", text, causes) from error
        if not answer.allowed:
            raise _refusal(name, answer.status)
        return answer

    def _send(self, call: Call, hook: Json, obj: Json | None, old: Json | None) -> Answer:
        version = next((v for v in hook.get("admissionReviewVersions") or () if v in _SPOKEN), None)
        if version is None:
            raise WebhookFailedError("webhook does not accept known AdmissionReview versions (v1, v1beta1)")
        review = _review(call, obj, old, version)
        config = hook.get("clientConfig") or {}
        url = config.get("url")
        if not url:
            service = config.get("service") or {}
            raise WebhookFailedError(f'service "{service.get("name", "")}" not found')
        seconds = hook.get("timeoutSeconds", 10)
        try:
            response = self._pool(config.get("caBundle", "")).request(
                "POST",
                f"{url}{'&' if '?' in url else '?'}timeout={seconds}s",
                body=msgspec.json.encode(review),
                headers={
                    "Content-Type": "application/json",
                    "Accept": "application/json",
                    INSTANCE_HEADER: str(call.request.instance),
                },
                timeout=seconds,
                retries=False,
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise WebhookFailedError(f'failed to call webhook: Post "{url}?timeout={seconds}s": {error}') from error
        if response.status != 200:
            raise WebhookFailedError(f"failed to call webhook: an error on the server ({response.status})")
        return _answer(response.data, review, version)

    def _pool(self, bundle: str) -> urllib3.PoolManager:
        if bundle not in self._pools:
            context = ssl.create_default_context()
            if bundle:
                try:
                    context.load_verify_locations(cadata=base64.b64decode(bundle).decode("ascii"))
                except (ValueError, ssl.SSLError) as error:
                    raise WebhookFailedError(f"unable to load root certificates: {error}") from error
            self._pools[bundle] = urllib3.PoolManager(ssl_context=context, maxsize=4)
        return self._pools[bundle]


def _rule_matches(rule: Json, call: Call, old: Json | None) -> bool:
    operation = _OPERATIONS.get(call.verb, "CONNECT") if old is not None or call.verb == "create" else "CREATE"
    kind = call.kind

    def has(field: str, *values: str) -> bool:
        listed = rule.get(field) or ()
        return any(value in listed for value in (*values, "*"))

    scope = rule.get("scope", "*")
    if scope == "Namespaced" and not kind.namespaced:
        return False
    if scope == "Cluster" and kind.namespaced:
        return False
    if call.subresource:
        names = (f"{kind.plural}/{call.subresource}", f"{kind.plural}/*", f"*/{call.subresource}", "*/*")
        resource = any(name in (rule.get("resources") or ()) for name in names)
    else:
        resource = has("resources", kind.plural, "*/*")
    return (
        has("operations", operation) and has("apiGroups", kind.group) and has("apiVersions", kind.version) and resource
    )


def _review(call: Call, obj: Json | None, old: Json | None, version: str) -> Json:
    kind = call.kind
    gvk = {"group": kind.group, "version": kind.version, "kind": kind.kind}
    gvr = {"group": kind.group, "version": kind.version, "resource": kind.plural}
    given = (obj or old or {}).get("metadata", {})
    operation = "CREATE" if old is None else _OPERATIONS.get(call.verb, "UPDATE")
    request: Json = {
        "uid": str(uuid.uuid4()),
        "kind": gvk,
        "resource": gvr,
        "requestKind": gvk,
        "requestResource": gvr,
        "operation": operation,
        "userInfo": {"username": call.user.name, "groups": list(call.user.groups)},
        "object": obj,
        "oldObject": old,
        "dryRun": call.dry_run,
        "options": {"kind": f"{operation.capitalize()}Options", "apiVersion": "meta.k8s.io/v1"},
    }
    if call.user.uid:
        request["userInfo"]["uid"] = call.user.uid
    if call.subresource:
        request["subResource"] = request["requestSubResource"] = call.subresource
    if given.get("name"):
        request["name"] = given["name"]
    if call.namespace:
        request["namespace"] = call.namespace
    return {"kind": "AdmissionReview", "apiVersion": f"admission.k8s.io/{version}", "request": request}


def _answer(body: bytes, review: Json, version: str) -> Answer:
    try:
        sent = msgspec.json.decode(body)
        response = sent["response"]
        # reviews of v1beta1 may come back without their type, and with another uid
        if version == "v1":
            if sent.get("apiVersion") != review["apiVersion"] or sent.get("kind") != "AdmissionReview":
                found = f"{sent.get('apiVersion')}, Kind={sent.get('kind')}"
                raise WebhookFailedError(
                    f"expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got {found}"
                )
            if response.get("uid") != review["request"]["uid"]:
                raise WebhookFailedError(f"expected response.uid={review['request']['uid']!r}")
        patch = msgspec.json.decode(base64.b64decode(response["patch"])) if response.get("patch") else []
        return Answer(bool(response.get("allowed")), patch, response.get("status") or response.get("result") or {})
    except (msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
        raise WebhookFailedError(f"invalid response: {error}") from error


def _refusal(name: str, status: Json) -> errors.ApiError:
    message = f'admission webhook "{name}" denied the request'
    if status.get("message"):
        message += f": {status['message']}"
    elif status.get("reason"):
        message += f": {status['reason']}"
    else:
        message += " without explanation"
    code = status.get("code") or 0
    # a refusal without a code of its own is a 403 with this reason
    return errors.ApiError(
        code if 400 <= code < 600 else 403, status.get("reason") or "Forbidden", message, status.get("details")
    )
