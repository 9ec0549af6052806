"""Tokens of ServiceAccounts: asked for, and bound to what they end with."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from migrator.lab.kubeapi import access, decoding, errors
from migrator.lab.kubeapi.kinds import NODE, POD, SECRET, SERVICE_ACCOUNT, Kind
from migrator.lab.kubeapi.managed_fields import record_update
from migrator.lab.kubeapi.metadata import now
from migrator.lab.kubeapi.tokens import Bound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrator.lab.kubeapi.calls import Call
    from migrator.lab.kubeapi.cluster import Cluster

Json = dict[str, Any]

TOKEN_REQUEST = Kind("authentication.k8s.io", "v1", "TokenRequest", "tokenrequests", namespaced=True)
_SHORTEST, _USUAL, _LONGEST = 600, 3600, 2**32
_OLD_HABIT = 3607
"""What projected volumes ask for: a real server gives those who never read the file again a year."""
_YEAR = 365 * 24 * 3600


def answer(cluster: Cluster, call: Call, warnings: list[str]) -> Json:
    """The request with its token.

    Raises:
        ApiError: 400, 404, 409 or 422, there is none.
    """
    asked = replace(call, kind=TOKEN_REQUEST)
    found = decoding.of_kind(asked, decoding.document(asked), warnings)
    spec, metadata = found["spec"], found.setdefault("metadata", {})
    if spec.get("expirationSeconds") is None:
        spec["expirationSeconds"] = _USUAL
    if metadata.get("name") not in (None, "", call.name):
        text = "must match the service account name if specified"
        raise errors.invalid(TOKEN_REQUEST, call.name, [errors.invalid_value("metadata.name", metadata["name"], text)])
    account = _found(cluster, SERVICE_ACCOUNT, call.namespace, call.name)
    _check_uid(account, metadata.get("uid"))
    record_update(TOKEN_REQUEST, None, found, manager=call.manager, subresource="token")
    metadata |= {"name": call.name, "namespace": call.namespace, "uid": account.uid, "creationTimestamp": now()}
    _check_seconds(spec["expirationSeconds"])
    spec["audiences"] = spec.get("audiences") or [access.AUDIENCE]
    ref = spec.get("boundObjectRef")
    spec["boundObjectRef"] = ref
    token = issue(cluster, (call.namespace, call.name), spec["audiences"], spec["expirationSeconds"], ref)
    expires = datetime.now(UTC) + timedelta(seconds=spec["expirationSeconds"])
    found["status"] = {"token": token, "expirationTimestamp": expires.strftime("%Y-%m-%dT%H:%M:%SZ")}
    return found


def _check_uid(account: Bound, wanted: str | None) -> None:
    if wanted and wanted != account.uid:
        why = f"the UID in the token request ({wanted}) does not match the UID of the service account ({account.uid})"
        raise errors.unmet(TOKEN_REQUEST, account.name, why)


def _check_seconds(seconds: int) -> None:
    text = ""
    if seconds < _SHORTEST:
        text = "may not specify a duration less than 10 minutes"
    elif seconds > _LONGEST:
        text = "may not specify a duration larger than 2^32 seconds"
    if text:
        raise errors.invalid(TOKEN_REQUEST, "", [errors.invalid_value("spec.expirationSeconds", seconds, text)])


def issue(
    cluster: Cluster, account: tuple[str, str], audiences: Sequence[str], seconds: int, ref: Json | None = None
) -> str:
    """A token of the ServiceAccount of this namespace and name, bound to what a reference names.

    Raises:
        ApiError: 400, 404 or 409, it cannot be bound to that, or there is no such ServiceAccount.
    """
    namespace, name = account
    owner = _found(cluster, SERVICE_ACCOUNT, namespace, name)
    bound = _bound(cluster, namespace, name, ref) if ref else {}
    warns = "pod" in bound and seconds == _OLD_HABIT and list(audiences) == [access.AUDIENCE]
    return cluster.tokens.issue(
        namespace, owner, audiences, _YEAR if warns else seconds, bound, warn_after=seconds if warns else 0
    )


def _bound(cluster: Cluster, namespace: str, account: str, ref: Json) -> dict[str, Bound]:
    version, word, name = ref.get("apiVersion", ""), ref.get("kind", ""), ref.get("name", "")
    kinds = {"Pod": POD, "Node": NODE, "Secret": SECRET}
    kind = kinds.get(word) if "/" not in version else None
    if kind is None:
        group, _, short = version.rpartition("/")
        raise errors.bad_request(f"cannot bind token to object of type {group}/{short}, Kind={word}")
    found = _found(cluster, kind, namespace if kind.namespaced else "", name)
    bound = {word.lower(): found}
    if kind == POD:
        bound |= _node_of(cluster, namespace, account, name)
    if ref.get("uid") not in (None, "", found.uid):
        why = (
            f"the UID in the bound object reference ({ref['uid']}) does not match the UID in record. "
            "The object might have been deleted and then recreated"
        )
        raise errors.unmet(kind, name, why)
    return bound


def _node_of(cluster: Cluster, namespace: str, account: str, pod: str) -> dict[str, Bound]:
    """The node of a pod, which goes into its tokens as well; it need not be there."""
    record = cluster.store.get(POD.key, namespace, pod)
    spec = record.obj["spec"] if record is not None else {}
    if spec.get("serviceAccountName") != account:
        text = f'cannot bind token for serviceaccount "{account}" to pod running with different serviceaccount name.'
        raise errors.bad_request(text)
    name = spec.get("nodeName")
    node = cluster.store.get(NODE.key, "", name) if name else None
    return {"node": Bound(name, node.obj["metadata"]["uid"] if node is not None else "")} if name else {}


def _found(cluster: Cluster, kind: Kind, namespace: str, name: str) -> Bound:
    record = cluster.store.get(kind.key, namespace, name)
    if record is None:
        raise errors.not_found(kind, name)
    return Bound(name, record.obj["metadata"]["uid"])
