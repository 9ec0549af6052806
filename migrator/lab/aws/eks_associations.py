"""EKS pod identity associations: created, updated, described, listed, deleted."""

from __future__ import annotations

import hashlib
import json
import secrets
import string
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from migrator.lab.aws.eks_state import Association, Cluster, EksState, page
from migrator.lab.aws.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrator.lab.aws.eks_roles import RoleChecks
    from migrator.lab.aws.pipeline import Handler
    from migrator.lab.aws.ports import Clock
    from migrator.lab.aws.wire import Request

_LETTERS = string.ascii_lowercase + string.digits
_POLICY_LIMIT = 2048


class Associations:
    """The five operations on associations, and what add-ons need of them."""

    def __init__(self, state: EksState, checks: RoleChecks, clock: Clock) -> None:
        self._state = state
        self._checks = checks
        self._clock = clock

    def handlers(self) -> dict[str, Handler]:
        """The operations served here."""
        return {
            "CreatePodIdentityAssociation": self.create,
            "UpdatePodIdentityAssociation": self.update,
            "DescribePodIdentityAssociation": self.describe,
            "DeletePodIdentityAssociation": self.delete,
            "ListPodIdentityAssociations": self.list_all,
        }

    def create(self, request: Request) -> dict[str, Any]:
        """A new association, or the one that the same client request token made before."""
        cluster, params = self._state.usable(request), request.params
        token = str(params.get("clientRequestToken") or "")
        print_ = fingerprint(params)
        with cluster.lock:
            known = self._made_before(cluster, token, print_)
            if known is not None:
                return {"association": shown(cluster, known)}
            self._checks.usable(request, cluster, str(params["roleArn"]))
            association = self.make(cluster, params)
            if token:
                cluster.tokens["association", token] = (print_, association.id)
        cluster.tell_associations()
        return {"association": shown(cluster, association)}

    def _made_before(self, cluster: Cluster, token: str, print_: str) -> Association | None:
        used = cluster.tokens.get(("association", token)) if token else None
        if used is None:
            return None
        if used[0] != print_:
            raise ApiError(
                "InvalidParameterException",
                "The client request token was used before with other parameters",
                members={"clusterName": cluster.spec.name},
            )
        return cluster.associations.get(used[1])

    def make(self, cluster: Cluster, params: Mapping[str, Any], owner_arn: str | None = None) -> Association:
        """Puts an association in the cluster; the caller holds the lock and has checked the role.

        Raises:
            ApiError: the service account is taken, the cluster is full, or the options do not fit together.
        """
        spec = cluster.spec
        namespace, account = str(params["namespace"]), str(params["serviceAccount"])
        refuse_taken(cluster, namespace, account)
        if len(cluster.associations) >= cluster.association_limit:
            raise ApiError(
                "ResourceLimitExceededException",
                f"Cluster {spec.name} has reached its limit of {cluster.association_limit} pod identity associations",
                members={"clusterName": spec.name},
            )
        now = self._clock()
        id_ = "a-" + "".join(secrets.choice(_LETTERS) for _ in range(17))
        association = Association(
            id=id_,
            arn=f"arn:{spec.partition}:eks:{spec.region}:{spec.account}:podidentityassociation/{spec.name}/{id_}",
            namespace=namespace,
            service_account=account,
            role_arn=str(params["roleArn"]),
            created=now,
            modified=now,
            tags=dict(params.get("tags") or {}),
            owner_arn=owner_arn,
        )
        self._set_options(cluster, association, params)
        cluster.associations[id_] = association
        return association

    def _set_options(self, cluster: Cluster, association: Association, params: Mapping[str, Any]) -> None:
        """Sets what the input names of tags, target role and session policy, checked together."""
        disable = bool(params.get("disableSessionTags", association.disable_session_tags))
        policy = params.get("policy", association.policy) or None
        target = params.get("targetRoleArn", association.target_role_arn) or None
        if policy:
            check_session_policy(str(policy), disable)
        if target and not str(target).startswith("arn:"):
            raise ApiError("InvalidParameterException", f"targetRoleArn '{target}' is not an ARN")
        spec = cluster.spec
        association.disable_session_tags = disable
        association.policy, association.target_role_arn = policy, target
        association.external_id = (
            f"{spec.region}/{spec.account}/{spec.name}/{association.namespace}/{association.service_account}"
            if target
            else None
        )

    def update(self, request: Request) -> dict[str, Any]:
        """Changes the role, the target role, session tags or session policy of an association."""
        cluster, params = self._state.usable(request), request.params
        changes = {"roleArn", "disableSessionTags", "targetRoleArn", "policy"} & set(params)
        if not changes:
            raise ApiError(
                "InvalidParameterException",
                "At least one of roleArn, targetRoleArn, disableSessionTags or policy must be given",
                members={"clusterName": cluster.spec.name},
            )
        association = self._find(cluster, params)
        _refuse_owned(association)
        if "roleArn" in changes:
            self._checks.usable(request, cluster, str(params["roleArn"]))
        with cluster.lock:
            former = replace(association, former=None)
            self._set_options(cluster, association, params)
            association.former = former
            association.role_arn = str(params.get("roleArn", association.role_arn))
            association.modified = self._clock()
        cluster.tell_associations()
        return {"association": shown(cluster, association)}

    def describe(self, request: Request) -> dict[str, Any]:
        """One association."""
        cluster = self._state.get(request)
        return {"association": shown(cluster, self._find(cluster, request.params))}

    def delete(self, request: Request) -> dict[str, Any]:
        """Takes an association away; credentials already issued live on."""
        cluster = self._state.get(request)
        with cluster.lock:
            association = self._find(cluster, request.params)
            _refuse_owned(association)
            del cluster.associations[association.id]
        cluster.tell_associations()
        return {"association": shown(cluster, association)}

    def list_all(self, request: Request) -> dict[str, Any]:
        """Associations of a cluster, by namespace and service account if given; without their roles."""
        cluster, params = self._state.get(request), request.params
        with cluster.lock:
            items = list(cluster.associations.values())
        wanted = [
            item
            for item in items
            if item.namespace == params.get("namespace", item.namespace)
            and item.service_account == params.get("serviceAccount", item.service_account)
        ]
        found, more = page(wanted, params)
        names = (
            "clusterName",
            "namespace",
            "serviceAccount",
            "associationArn",
            "associationId",
            "ownerArn",
        )
        summaries = [{name: shown(cluster, item)[name] for name in names} for item in found]
        return {"associations": summaries, "nextToken": more}

    def _find(self, cluster: Cluster, params: Mapping[str, Any]) -> Association:
        with cluster.lock:
            found = cluster.associations.get(str(params["associationId"]))
        if found is None:
            raise ApiError(
                "ResourceNotFoundException",
                f"No pod identity association found with ID: {params['associationId']}",
                members={"clusterName": cluster.spec.name},
            )
        return found


def refuse_taken(cluster: Cluster, namespace: str, service_account: str) -> None:
    """Refuses a second association of one service account.

    Raises:
        ApiError: it has one.
    """
    taken = cluster.association_for(namespace, service_account)
    if taken is not None:
        raise ApiError(
            "ResourceInUseException",
            f"Association already exists: {taken.id}",
            members={"clusterName": cluster.spec.name},
        )


def fingerprint(params: Mapping[str, Any]) -> str:
    """What a client request token was used for, so that other input under the same token is noticed."""
    plain = {key: value for key, value in params.items() if key != "clientRequestToken"}
    return hashlib.sha256(json.dumps(plain, sort_keys=True, default=str).encode()).hexdigest()


def check_session_policy(policy: str, disable_session_tags: bool) -> None:
    """Refuses a session policy that EKS would not take.

    Raises:
        ApiError: session tags are on, or the policy is too long or not a policy.
    """
    if not disable_session_tags:
        raise ApiError("InvalidParameterException", "A session policy requires disableSessionTags to be true")
    if len(policy) > _POLICY_LIMIT:
        raise ApiError("InvalidParameterException", f"The session policy exceeds {_POLICY_LIMIT} characters")
    try:
        document = json.loads(policy)
    except ValueError as broken:
        raise ApiError("InvalidParameterException", "The session policy is not valid JSON") from broken
    if not isinstance(document, dict) or "Statement" not in document:
        raise ApiError("InvalidParameterException", "The session policy has no Statement")


def _refuse_owned(association: Association) -> None:
    if association.owner_arn:
        raise ApiError(
            "InvalidRequestException",
            f"Pod identity association {association.id} is owned by {association.owner_arn}: "
            "change it through the add-on",
        )


def shown(cluster: Cluster, association: Association) -> dict[str, Any]:
    """The `PodIdentityAssociation` shape."""
    return {
        "clusterName": cluster.spec.name,
        "namespace": association.namespace,
        "serviceAccount": association.service_account,
        "roleArn": association.role_arn,
        "associationArn": association.arn,
        "associationId": association.id,
        "tags": dict(association.tags),
        "createdAt": association.created,
        "modifiedAt": association.modified,
        "ownerArn": association.owner_arn,
        "disableSessionTags": association.disable_session_tags,
        "targetRoleArn": association.target_role_arn,
        "externalId": association.external_id,
        "policy": association.policy,
    }
