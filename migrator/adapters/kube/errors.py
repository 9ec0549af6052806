"""The one place where the API server's refusals, and failures to reach it, become ours."""

import re
import socket
import ssl
from dataclasses import dataclass, replace

import msgspec
import urllib3
from urllib3 import exceptions as u3

from migrator.adapters.kube.decoders import decoder
from migrator.adapters.kube.paths import Access, access_of
from migrator.model.errors import EnvironmentFault, MigrateError, NotPermitted, Rejected

RETRIED = frozenset({429, 500, 502, 503, 504})
CONFLICT = "conflict"
_BUDGET = "DisruptionBudget"

_UNAUTHORISED = re.compile(r"cannot (?P<verb>[\w*]+) (?:resource|path) ")
_NO_REASON = re.compile(r"is forbidden: *(?:RBAC: .*)?\Z", re.DOTALL)
_UPGRADED = "/exec"
_TEST_FAILED = "the server rejected our request due to an error in our request"  # all it says of a failed `test`


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Which cluster, at which endpoint."""

    cluster: str
    endpoint: str


class _Cause(msgspec.Struct, frozen=True):
    """One of several causes of a refusal."""

    reason: str = ""
    message: str = ""


class _Details(msgspec.Struct, frozen=True):
    """What a `Status` adds to its message."""

    causes: list[_Cause] | None = None


class _Status(msgspec.Struct, frozen=True):
    """The few fields of a `Status` that tell what went wrong."""

    reason: str = ""
    message: str = ""
    details: _Details | None = None

    @property
    def budget(self) -> str:
        """What a PodDisruptionBudget says of an eviction, which names it; empty when none refused."""
        causes = self.details.causes or () if self.details is not None else ()
        return next((cause.message for cause in causes if cause.reason == _BUDGET), "")


class Refusal(Exception):
    """An answer that is not a success. `pause` is the server's Retry-After in seconds, 0 when it named none."""

    def __init__(self, method: str, path: str, status: int, body: bytes, pause: float = 0.0) -> None:
        self.method = method
        self.path = path
        self.status = status
        self.pause = pause
        said = _said(body)
        self.reason, self.message, self.budget = said.reason, said.message, said.budget
        super().__init__(f"{status} {self.reason}: {self.message}")

    @property
    def unauthorised(self) -> bool:
        """Whether RBAC refused; admission answers 403 as well, and that is no matter of permissions."""
        return self.status == 403 and (_UNAUTHORISED.search(self.message) is not None or self._second_look)

    @property
    def needed(self) -> Access:
        """What was asked for; when that is not permitted, with the verb that was missing."""
        asked = access_of(self.method, self.path)
        named = _UNAUTHORISED.search(self.message)
        if named is not None:
            return replace(asked, verb=named["verb"])
        return replace(asked, verb="create") if self._second_look else asked

    @property
    def _second_look(self) -> bool:
        """Since Kubernetes 1.35 a websocket wants `create` beside `get`; that refusal names neither verb nor who."""
        return self.path.endswith(_UPGRADED) and _NO_REASON.search(self.message) is not None

    @property
    def conflict(self) -> bool:
        """Whether somebody changed the object first: a stale version, or a failed `test` of a JSON patch."""
        if self.status == 409:
            return self.reason != "AlreadyExists"
        return self.status == 422 and self.method == "PATCH" and self.message.startswith(_TEST_FAILED)


def held_by_budget(error: Refusal) -> bool:
    """Whether a PodDisruptionBudget refused an eviction: with 429, as a busy server does too; several with 500."""
    if error.status == 429:
        return bool(error.budget) or "disruption budget" in error.message
    return error.status == 500 and "more than one PodDisruptionBudget" in error.message


def throttled(error: Refusal) -> bool:
    """Whether the server had too much to do; a disruption budget says so with the same status, and means the pods."""
    return error.status == 429 and not held_by_budget(error)


def refusal(method: str, path: str, response: urllib3.BaseHTTPResponse) -> Refusal:
    """The refusal that a response is."""
    asked = response.headers.get("Retry-After", "")
    pause = float(asked) if asked.isdigit() else 0.0
    return Refusal(method, path, response.status, response.data, pause)


def transient(error: BaseException) -> bool:
    """Whether another try may help: too many requests, a failing server, lost connections; never a bad certificate."""
    if isinstance(error, Refusal):
        return error.status in RETRIED
    return isinstance(error, u3.HTTPError | OSError) and not _certificate(error)


def pause_of(error: BaseException) -> float:
    """How long the server asks us to wait, seconds."""
    return error.pause if isinstance(error, Refusal) else 0.0


def mapped(error: Exception, *, where: Where, doing: str) -> MigrateError:
    """Ours for theirs; the caller raises it from `error`. A 401 is the connection's own affair."""
    doing = f'cluster "{where.cluster}": {doing}'
    if isinstance(error, Refusal):
        return _refused(error, doing)
    if _certificate(error):
        return EnvironmentFault(
            f'the server at "{where.endpoint}" shows a certificate that is not of this cluster: {_cause(error)}',
            doing=doing,
            remedy="check the endpoint, and that nothing stands in between",
        )
    if isinstance(error, u3.NameResolutionError) or isinstance(_root(error), socket.gaierror):
        return EnvironmentFault(
            f'the name of its endpoint "{where.endpoint}" does not resolve',
            doing=doing,
            remedy="check the name service; a private endpoint resolves inside its VPC only",
        )
    return EnvironmentFault(
        f'its endpoint "{where.endpoint}" could not be reached: {_cause(error)}',
        doing=doing,
        remedy="check the network (VPN, public access ranges), then run the same command again",
    )


def _refused(error: Refusal, doing: str) -> MigrateError:
    if error.unauthorised:
        remedy = f"add to the operator's role: {error.needed.rule}"
        said = error.message.rstrip(": ")
        return NotPermitted(f"{error.needed} is not permitted: {said}", doing=doing, remedy=remedy)
    if error.status in RETRIED:
        text = f"the API server went on answering {error.status}: {error.message}"
        return EnvironmentFault(text, doing=doing, remedy="run the same command again later")
    reason = CONFLICT if error.conflict else error.reason or str(error.status)
    return Rejected(error.message, reason=reason, doing=doing)


def _said(body: bytes) -> _Status:
    try:
        return decoder(_Status).decode(body)
    except msgspec.DecodeError:
        return _Status(message=" ".join(body[:200].decode("utf-8", "replace").split()))


def _certificate(error: BaseException) -> bool:
    return isinstance(error, u3.SSLError | ssl.SSLCertVerificationError) and "CERTIFICATE" in str(error).upper()


def _root(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def _cause(error: BaseException) -> str:
    """The last sentence of urllib3's chain, without its object addresses."""
    text = str(error)
    return re.sub(r"<[^>]*object at 0x[0-9a-f]+>:? ?|\w+Pool\([^)]*\): ", "", text) or type(error).__name__
