"""The one place every request passes: recognise, route, validate, hooks, authorise, handle, serialise, log.

Hooks run after validation and before anything is done, `after` when it has been done: what one raises is the call's
answer. Faults plug in there.
"""

from __future__ import annotations

import json
import logging
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from migrator.lab.aws import wire_in, wire_out
from migrator.lab.aws.actions import UNCHECKED, actions_of, resources_of
from migrator.lab.aws.errors import ApiError, ConnectionClosedError, not_served, unknown_route
from migrator.lab.aws.models import SERVED, service_model
from migrator.lab.aws.routing import form, match_action, match_rest, match_target
from migrator.lab.aws.signatures import Scope, read_scope, verify
from migrator.lab.aws.trail import Trail, copy_for, event_of, is_management
from migrator.lab.aws.validate import check
from migrator.lab.aws.wire import HttpAnswer, HttpRequest, Request

if TYPE_CHECKING:
    from migrator.lab.aws.authorise import Gate
    from migrator.lab.aws.callers import Callers
    from migrator.lab.aws.calls import Call, CallLog
    from migrator.lab.aws.ports import Clock

Handler = Callable[[Request], Mapping[str, Any] | HttpAnswer]
Hook = Callable[[Request], None]
AfterHook = Callable[[Request, HttpAnswer], None]
_LOG = logging.getLogger(__name__)
_UNSIGNED = {"AssumeRoleWithWebIdentity"}
_KEY_CODES = {
    "query": {"InvalidKey": "InvalidClientTokenId", "ExpiredKey": "ExpiredToken"},
    "ec2": {"InvalidKey": "AuthFailure", "ExpiredKey": "RequestExpired"},
    "rest-xml": {"InvalidKey": "InvalidAccessKeyId", "ExpiredKey": "ExpiredToken"},
    "json": {"InvalidKey": "UnrecognizedClientException", "ExpiredKey": "ExpiredTokenException"},
    "rest-json": {"InvalidKey": "UnrecognizedClientException", "ExpiredKey": "ExpiredTokenException"},
}


@dataclass
class Pipeline:
    """The stages and what they need.

    Attributes:
        handlers: own operations, by service and operation name.
        fallbacks: per service, what answers every other operation it has (moto).
        hooks: run in order on every request that is well formed and signed.
        after: run in order on every request that was carried out, with the answer it is to get.
    """

    callers: Callers
    gate: Gate
    log: CallLog
    trail: Trail
    clock: Clock
    handlers: dict[str, dict[str, Handler]] = field(default_factory=dict)
    fallbacks: dict[str, Handler] = field(default_factory=dict)
    hooks: list[Hook] = field(default_factory=list)
    after: list[AfterHook] = field(default_factory=list)

    def answer(self, http: HttpRequest) -> HttpAnswer:
        """Answers one request, whatever happens, and writes it down.

        Raises:
            ConnectionClosedError: a hook wants no answer to be sent.
        """
        request = Request(http, str(uuid.uuid4()), self.clock())
        error_code = message = ""
        try:
            answer = self._pass(request)
            if answer.status >= 400:
                error_code, message = error_in(answer)
        except ApiError as problem:
            error_code, message = problem.code, problem.message
            answer = self._refusal(request, problem)
        except ConnectionClosedError:
            self.log.lose(self._write_down(request, 0, "ConnectionClosed", ""))
            raise
        except Exception as fault:  # noqa: BLE001 - a client must get an answer, and the log a line
            _LOG.exception("%s:%s failed inside the practice fleet", request.service, request.action)
            broken = ApiError("InternalFailure", f"the practice fleet failed: {fault!r}", 500)
            error_code, message = broken.code, broken.message
            answer = self._refusal(request, broken)
        call = self._write_down(request, answer.status, error_code, message)
        if answer.status < 400:
            self._followed(request, answer, call)
        return answer

    def _followed(self, request: Request, answer: HttpAnswer, call: Call) -> None:
        try:
            for hook in self.after:
                hook(request, answer)
        except ConnectionClosedError:
            self.log.lose(call)
            raise

    def _pass(self, request: Request) -> HttpAnswer:
        self._recognise(request)
        self._route(request)
        self._validate(request)
        for hook in self.hooks:
            hook(request)
        self._authorise(request)
        handler = self.handlers.get(request.service, {}).get(request.action) or self.fallbacks.get(request.service)
        if handler is None or request.operation is None:
            raise not_served(request.service, request.action)
        output = handler(request)
        if isinstance(output, HttpAnswer):
            return output
        return wire_out.answer(request.operation, output, request.id)

    def _recognise(self, request: Request) -> None:
        scope = read_scope(request.http)
        if scope is None:
            self._recognise_unsigned(request)
            return
        request.service, request.region = scope.service, scope.region
        request.action = _action_hint(request.http)
        request.caller = self.callers.identify(scope.access_key, scope.token, scope.region)
        self._check_signature(request, scope)

    def _check_signature(self, request: Request, scope: Scope) -> None:
        if not verify(request.http, scope, request.who.secret):
            codes = {"iam": "SignatureDoesNotMatch", "sts": "SignatureDoesNotMatch", "s3": "SignatureDoesNotMatch"}
            raise ApiError(
                codes.get(request.service, "InvalidSignatureException"),
                "The request signature we calculated does not match the signature you provided. "
                "Check your AWS Secret Access Key and signing method.",
                403,
            )

    def _recognise_unsigned(self, request: Request) -> None:
        action = form(request.http).get("Action", "") if request.http.path == "/" else ""
        if action in _UNSIGNED:
            request.service, request.action = "sts", action
            return
        request.action = _action_hint(request.http)
        raise ApiError("MissingAuthenticationToken", "Missing Authentication Token", 403)

    def _route(self, request: Request) -> None:
        http, service = request.http, request.service
        model = service_model(service) if service in SERVED else None
        if model is None:
            raise not_served(service, request.action or f"{http.method} {http.path}")
        if model.protocol in ("rest-json", "rest-xml"):
            found = match_rest(model, http)
            if found is not None:
                request.operation, request.path_params = found
        else:
            request.operation = (match_action if model.protocol in ("query", "ec2") else match_target)(model, http)
        if request.operation is None:
            raise unknown_route(service, http.method, request.action or http.path)
        request.action = request.operation.name

    def _validate(self, request: Request) -> None:
        operation = request.operation
        if operation is None or not self._served(request):
            raise not_served(request.service, request.action)
        protocol = operation.service_model.protocol
        if protocol == "rest-json":
            request.params = wire_in.parse_rest_json(operation, request.http, request.path_params)
        elif protocol == "json":
            request.params = wire_in.parse_json(operation, request.http)
        elif protocol == "query":
            request.params = wire_in.parse_query(operation, request.http)
        elif protocol == "ec2":
            request.params = wire_in.parse_ec2(operation, request.http)
        else:
            request.params = dict(request.path_params)
            return  # S3's input is mostly headers and streams: moto reads and checks it
        check(operation, request.params)

    def _served(self, request: Request) -> bool:
        return request.service in self.fallbacks or request.action in self.handlers.get(request.service, {})

    def _authorise(self, request: Request) -> None:
        if request.caller is None or (request.service, request.action) in UNCHECKED:
            return
        for action in actions_of(request):
            for resource in resources_of(request):
                self.gate.require(request.caller, action, resource, service=request.service)

    def _refusal(self, request: Request, problem: ApiError) -> HttpAnswer:
        protocol = _protocol(request)
        codes = _KEY_CODES.get(protocol, _KEY_CODES["json"])
        problem.code = codes.get(problem.code, problem.code)
        return wire_out.error(protocol, request.operation, problem, request.id)

    def _write_down(self, request: Request, status: int, error_code: str, message: str) -> Call:
        call = self.log.add(request, status, error_code)
        owner = request.event.get("recipientAccountId") or request.account
        if owner and status != 501 and request.operation and is_management(request.service, request.action):
            document = event_of(request, error_code, message)
            self.trail.add(owner, request.region, document)
            if not error_code:
                self._share(request.region, document)
        return call

    def _share(self, region: str, document: Mapping[str, Any]) -> None:
        """Gives the event to the other accounts whose resources it names, as CloudTrail does for roles."""
        for resource in document.get("resources", ()):
            account = str(resource.get("accountId", ""))
            if account and account != document["recipientAccountId"]:
                self.trail.add(account, region, copy_for(document, account))


def _protocol(request: Request) -> str:
    """The protocol to answer in, as far as the request lets it be known."""
    model = service_model(request.service) if request.service in SERVED else None
    if model is not None:
        return str(model.protocol)
    if request.service == "ec2":
        return "ec2"
    headers = request.http.headers
    if "x-amz-target" in headers or headers.get("content-type", "").startswith("application/json"):
        return "json"
    return "query" if "Action" in form(request.http) else "rest-json"


def _action_hint(http: HttpRequest) -> str:
    """What the request calls itself, before the model is asked."""
    target = http.headers.get("x-amz-target", "").rpartition(".")[2]
    if target:
        return target
    if http.path == "/" and http.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return form(http).get("Action", "")
    return dict(http.query_pairs()).get("Action", "")


def error_in(answer: HttpAnswer) -> tuple[str, str]:
    """Code and message of an error answer made elsewhere (moto)."""
    text = answer.body.decode("utf-8", "replace")
    try:
        document = json.loads(text)
    except ValueError:
        code = re.search(r"<Code>(.*?)</Code>", text, re.DOTALL)
        message = re.search(r"<Message>(.*?)</Message>", text, re.DOTALL)
        return (code[1] if code else str(answer.status)), (message[1] if message else "")
    code_text = str(document.get("__type", answer.status)).rpartition("#")[2]
    return code_text, str(document.get("message") or document.get("Message") or "")
