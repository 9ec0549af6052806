"""EKS Auth: the agent's exchange of a service account token for the credentials of its association's role."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from migrator.lab.aws import tokens
from migrator.lab.aws.assume import Assumption, tag_context
from migrator.lab.aws.callers import Caller, Callers, Credentials, SessionWish
from migrator.lab.aws.eks_roles import POD_PRINCIPAL, POD_SERVICE, TrustSight, trust_as_it_is
from migrator.lab.aws.errors import ApiError
from migrator.lab.aws.sts import role_resource
from migrator.lab.aws.trail import Trail, copy_for, identity_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrator.lab.aws.eks_state import Association, Cluster, EksState
    from migrator.lab.aws.iam_store import IamStore
    from migrator.lab.aws.moto_backend import MotoBackend
    from migrator.lab.aws.pipeline import Handler
    from migrator.lab.aws.ports import Clock
    from migrator.lab.aws.wire import Request

_SIX_HOURS = 21600
_ONE_HOUR = 3600
_UNAUTHORIZED = "Unauthorized Exception! EKS does not have permissions to assume the associated role."


@dataclass(frozen=True)
class Subject:
    """Whom a verified token speaks for."""

    namespace: str
    service_account: str
    pod: str
    pod_uid: str


AssociationSight = Callable[["Cluster", "Association"], "Association | None"]
"""An association of a cluster as EKS Auth knows it by now; None if it does not yet."""


def _as_it_is(_cluster: Cluster, association: Association) -> Association:
    return association


class EksAuth:
    """AssumeRoleForPodIdentity."""

    def __init__(
        self,
        *,
        state: EksState,
        iam: IamStore,
        callers: Callers,
        assumption: Assumption,
        moto: MotoBackend,
        trail: Trail,
        clock: Clock,
    ) -> None:
        self._state = state
        self._iam = iam
        self._callers = callers
        self._assumption = assumption
        self._moto = moto
        self._trail = trail
        self._clock = clock
        self.trust: TrustSight = trust_as_it_is
        self.association: AssociationSight = _as_it_is

    def handlers(self) -> dict[str, Handler]:
        """The operation served here."""
        return {"AssumeRoleForPodIdentity": self.assume}

    def assume(self, request: Request) -> dict[str, Any]:
        """Credentials of the role associated with the token's service account."""
        cluster = self._state.get(request)
        request.event |= {
            "resources": [
                {
                    "accountId": cluster.spec.account,
                    "type": "AWS::EKS::Cluster",
                    "ARN": cluster.spec.arn,
                }
            ],
            "readOnly": True,
        }
        subject = self._subject(cluster, str(request.params["token"]))
        found = cluster.association_for(subject.namespace, subject.service_account)
        association = self.association(cluster, found) if found else None
        if association is None:
            raise ApiError(
                "ResourceNotFoundException",
                f"No pod identity association found for service account {subject.namespace}/{subject.service_account}",
            )
        credentials = self._credentials(request, cluster, association, subject)
        return _output(association, subject, credentials)

    def _subject(self, cluster: Cluster, text: str) -> Subject:
        try:
            token = tokens.read(text)
            tokens.check_signature(token, cluster.plane.jwks())
        except tokens.BadTokenError as broken:
            raise _invalid(str(broken)) from broken
        if token.issuer != cluster.spec.issuer:
            raise _invalid("token was not issued by the cluster")
        if token.expired(self._clock()):
            raise ApiError("ExpiredTokenException", "Service account token has expired")
        if token.early(self._clock()):
            raise _invalid("token is not valid yet")
        if POD_SERVICE not in token.audiences:
            raise _invalid(f"token is not meant for {POD_SERVICE}")
        return self._bound(cluster, token)

    def _bound(self, cluster: Cluster, token: tokens.Token) -> Subject:
        claims = token.claims.get("kubernetes.io") or {}
        account, pod = claims.get("serviceaccount") or {}, claims.get("pod") or {}
        subject = Subject(
            namespace=str(claims.get("namespace", "")),
            service_account=str(account.get("name", "")),
            pod=str(pod.get("name", "")),
            pod_uid=str(pod.get("uid", "")),
        )
        if not subject.namespace or not subject.service_account:
            raise _invalid("token names no service account")
        if not subject.pod:
            raise _invalid("token is not bound to a pod")
        living = cluster.plane.pod(subject.namespace, subject.pod)
        if living is None or living.get("metadata", {}).get("uid", subject.pod_uid) != subject.pod_uid:
            raise _invalid("the pod that the token is bound to does not exist")
        return subject

    def _credentials(
        self, request: Request, cluster: Cluster, association: Association, subject: Subject
    ) -> Credentials:
        tags = {} if association.disable_session_tags else session_tags(cluster, subject)
        name = f"eks-{cluster.spec.name[:10]}-{subject.pod[:10]}-{uuid.uuid4()}"
        source = {
            "aws:SourceAccount": cluster.spec.account,
            "aws:SourceArn": association.arn,
            "sts:RoleSessionName": name,
        }
        with self._moto.lock("iam"):
            role = self._role(association.role_arn)
            context = tag_context(tags, source)
            refused = role is None or self._assumption.refused_to_other(
                role, POD_PRINCIPAL, "sts:AssumeRole", tags, context
            )
        if refused:
            self._tell(request, {"roleArn": association.role_arn, "roleSessionName": name}, tags, None)
            raise ApiError("AccessDeniedException", _UNAUTHORIZED)
        policies = (association.policy,) if association.policy and not association.target_role_arn else ()
        wish = SessionWish(role, name, _SIX_HOURS, tags, frozenset(tags), policies)
        primary = self._callers.open_session(wish)
        asked = {"roleArn": association.role_arn, "roleSessionName": name, "durationSeconds": _SIX_HOURS}
        self._tell(request, asked, tags, primary)
        if association.target_role_arn is None:
            return primary
        return self._target(request, association, primary.caller, tags)

    def _role(self, arn: str) -> Any:
        """The role, with the trust policy that EKS Auth knows."""
        role = self._iam.role(arn)
        document = self.trust(role) if role is not None else None
        if role is None or document == role.assume_role_policy_document:
            return role
        seen = copy(role)
        seen.assume_role_policy_document = document or {"Statement": []}
        return seen

    def _target(
        self, request: Request, association: Association, primary: Caller, tags: Mapping[str, str]
    ) -> Credentials:
        """The second hop: the primary role's session assumes the target role."""
        arn, name = str(association.target_role_arn), primary.username
        external = association.external_id if association.disable_session_tags else None
        context = tag_context(tags, {"sts:ExternalId": external, "sts:RoleSessionName": name})
        with self._moto.lock("iam"):
            role = self._iam.role(arn)
            refused = role is None or self._assumption.refused_to_caller(role, primary, tags, context)
        asked = {"roleArn": arn, "roleSessionName": name, "durationSeconds": _ONE_HOUR}
        asked |= {"externalId": external} if external else {}
        if refused:
            self._tell(request, asked, tags, None, primary)
            raise ApiError("AccessDeniedException", _UNAUTHORIZED)
        policies = (association.policy,) if association.policy else ()
        wish = SessionWish(role, name, _ONE_HOUR, tags, frozenset(tags), policies, chained=True)
        credentials = self._callers.open_session(wish)
        self._tell(request, asked, tags, credentials, primary)
        return credentials

    def _tell(
        self,
        request: Request,
        asked: Mapping[str, Any],
        tags: Mapping[str, str],
        made: Credentials | None,
        by: Caller | None = None,
    ) -> None:
        """Writes the STS event that CloudTrail shows for the exchange, in the role's account."""
        arn = str(asked["roleArn"])
        parameters = dict(asked)
        if tags:
            parameters["tags"] = [{"key": key, "value": value} for key, value in tags.items()]
            parameters["transitiveTagKeys"] = list(tags)
        event: dict[str, Any] = {
            "eventVersion": "1.11",
            "userIdentity": identity_of(by) if by else {"type": "AWSService", "invokedBy": POD_SERVICE},
            "eventTime": _stamp(self._clock()),
            "eventSource": "sts.amazonaws.com",
            "eventName": "AssumeRole",
            "awsRegion": request.region,
            "sourceIPAddress": POD_SERVICE,
            "userAgent": POD_SERVICE,
            "requestParameters": parameters,
            "responseElements": _elements(made) if made else None,
            "requestID": str(uuid.uuid4()),
            "eventID": str(uuid.uuid4()),
            "readOnly": True,
            "resources": role_resource(arn),
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": arn.split(":")[4],
            "eventCategory": "Management",
        }
        if made is None:
            event |= {"errorCode": "AccessDenied", "errorMessage": "Not authorized to perform sts:AssumeRole"}
        self._record(request, event, by)

    def _record(self, request: Request, event: dict[str, Any], by: Caller | None) -> None:
        """Adds the event to the trail of the account that called, and of the role's account if that is another."""
        account = str(event["recipientAccountId"])
        if by is None or by.account == account:
            self._trail.add(account, request.region, event)
            return
        own = event | {"recipientAccountId": by.account}
        self._trail.add(by.account, request.region, own)
        if "errorCode" not in event:
            self._trail.add(account, request.region, copy_for(own, account))


def session_tags(cluster: Cluster, subject: Subject) -> dict[str, str]:
    """The six tags EKS puts on the session."""
    return {
        "eks-cluster-arn": cluster.spec.arn,
        "eks-cluster-name": cluster.spec.name,
        "kubernetes-namespace": subject.namespace,
        "kubernetes-service-account": subject.service_account,
        "kubernetes-pod-name": subject.pod,
        "kubernetes-pod-uid": subject.pod_uid,
    }


def _stamp(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _elements(made: Credentials) -> dict[str, Any]:
    caller = made.caller
    return {
        "credentials": {
            "accessKeyId": made.access_key,
            "sessionToken": "HIDDEN",
            "expiration": _stamp(made.expires),
        },
        "assumedRoleUser": {"assumedRoleId": caller.user_id, "arn": caller.arn},
        "packedPolicySize": 55 if caller.session and caller.session.tags else 6,
    }


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidTokenException", f"Service account token is invalid: {message}")


def _output(association: Association, subject: Subject, credentials: Credentials) -> dict[str, Any]:
    return {
        "subject": {"namespace": subject.namespace, "serviceAccount": subject.service_account},
        "audience": POD_SERVICE,
        "podIdentityAssociation": {
            "associationArn": association.arn,
            "associationId": association.id,
        },
        "assumedRoleUser": {
            "arn": credentials.caller.arn,
            "assumeRoleId": credentials.caller.user_id,
        },
        "credentials": {
            "sessionToken": credentials.token,
            "secretAccessKey": credentials.secret,
            "accessKeyId": credentials.access_key,
            "expiration": credentials.expires,
        },
    }
