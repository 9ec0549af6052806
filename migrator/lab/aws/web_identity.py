"""AssumeRoleWithWebIdentity: IRSA's way in, by a service account token and the account's OIDC provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrator.lab.aws import tokens
from migrator.lab.aws.callers import Callers, SessionWish
from migrator.lab.aws.errors import ApiError
from migrator.lab.aws.policy import Principal, context_of
from migrator.lab.aws.sts import answered, duration, role_resource, session_policies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrator.lab.aws.assume import Assumption
    from migrator.lab.aws.eks_state import EksState
    from migrator.lab.aws.iam_store import IamStore
    from migrator.lab.aws.moto_backend import MotoBackend
    from migrator.lab.aws.pipeline import Handler
    from migrator.lab.aws.ports import Clock
    from migrator.lab.aws.wire import Request


class WebIdentity:
    """Verifies the token, the provider and the trust, in AWS's order."""

    def __init__(
        self,
        *,
        iam: IamStore,
        callers: Callers,
        assumption: Assumption,
        eks: EksState,
        moto: MotoBackend,
        clock: Clock,
    ) -> None:
        self._iam = iam
        self._callers = callers
        self._assumption = assumption
        self._eks = eks
        self._moto = moto
        self._clock = clock

    def handlers(self) -> dict[str, Handler]:
        """The operation served here."""
        return {"AssumeRoleWithWebIdentity": self.assume}

    def assume(self, request: Request) -> dict[str, Any]:
        """Credentials for a service account whose token the role's trust names."""
        params = request.params
        arn = str(params["RoleArn"])
        parts = arn.split(":", 5)
        if len(parts) != 6 or not parts[4]:
            raise ApiError("ValidationError", f"{arn} is invalid", 400)
        token = self._token(request, str(params["WebIdentityToken"]))
        self._describe(request, token, arn, parts[4])
        with self._moto.lock("iam"):
            provider = self._provider(parts[4], parts[1], token)
            self._check_token(token, provider)
            role = self._trusting_role(arn, provider, token, str(params["RoleSessionName"]))
        wish = SessionWish(
            role=role,
            name=str(params["RoleSessionName"]),
            seconds=duration(role, params, chained=False),
            policies=session_policies(self._iam, role, params),
            federated=str(provider.arn),
        )
        output = answered(self._callers.open_session(wish), request)
        extra = {"provider": str(provider.arn), "audience": token.audiences[0]}
        request.event["responseElements"] |= {"subjectFromWebIdentityToken": token.subject, **extra}
        return output | {
            "SubjectFromWebIdentityToken": token.subject,
            "Provider": str(provider.arn),
            "Audience": token.audiences[0],
        }

    def _token(self, request: Request, text: str) -> tokens.Token:
        try:
            token = tokens.read(text)
        except tokens.BadTokenError as broken:
            raise _invalid(f"The ID Token provided is not a valid JWT. ({broken})") from broken
        cluster = self._eks.by_issuer(token.issuer)
        if cluster is not None:
            request.region = cluster.spec.region  # an unsigned call names no Region: the pod's own is meant
        return token

    def _describe(self, request: Request, token: tokens.Token, arn: str, account: str) -> None:
        """Fills in the event's parts that only this operation knows, failures included."""
        audience = token.audiences[0] if token.audiences else ""
        request.event |= {
            "userIdentity": {
                "type": "WebIdentityUser",
                "principalId": f"{token.issuer.removeprefix('https://')}:{audience}:{token.subject}",
                "userName": token.subject,
                "identityProvider": token.issuer.removeprefix("https://"),
            },
            "resources": role_resource(arn),
            "recipientAccountId": account,
        }

    def _provider(self, account: str, partition: str, token: tokens.Token) -> Any:
        provider = self._iam.provider(account, partition, token.issuer)
        if provider is None:
            raise _invalid(f"No OpenIDConnect provider found in your account for {token.issuer}")
        return provider

    def _check_token(self, token: tokens.Token, provider: Any) -> None:
        cluster = self._eks.by_issuer(token.issuer)
        if cluster is None:
            raise _invalid("Couldn't retrieve verification key from your identity provider, please try again")
        try:
            tokens.check_signature(token, cluster.plane.jwks())
        except tokens.BadTokenError as broken:
            raise _invalid(f"The web identity token that was passed could not be validated: {broken}") from broken
        if token.expired(self._clock()):
            raise ApiError("ExpiredTokenException", "Token expired: the web identity token has expired", 400)
        if not set(token.audiences) & set(provider.client_id_list):
            raise _invalid("Incorrect token audience")

    def _trusting_role(self, arn: str, provider: Any, token: tokens.Token, session: str) -> Any:
        role = self._iam.role(arn)
        context = self._context(provider, token, session)
        principal = Principal("Federated", frozenset({str(provider.arn)}))
        action = "sts:AssumeRoleWithWebIdentity"
        if role is None or self._assumption.refused_to_other(role, principal, action, {}, context):
            raise ApiError("AccessDenied", f"Not authorized to perform {action}", 403)
        return role

    def _context(self, provider: Any, token: tokens.Token, session: str) -> Mapping[str, tuple[str, ...]]:
        issuer = str(provider.url)
        return context_of(
            {
                f"{issuer}:sub": token.subject,
                f"{issuer}:aud": token.audiences,
                f"{issuer}:iss": token.issuer,
                "aws:FederatedProvider": str(provider.arn),
                "sts:RoleSessionName": session,
                "aws:SourceIp": "127.0.0.1",
                "aws:SecureTransport": "true",
            }
        )


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidIdentityToken", message, 400)
