"""The `aws` command of a container: a real call over the wire to the AWS front, with the pod's own identity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jmespath  # type: ignore[import-untyped]  # has no stubs
from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError, DataNotFoundError
from jmespath.exceptions import JMESPathError  # type: ignore[import-untyped]  # has no stubs

from migrator.lab.nodes import awsoutput, awsparams
from migrator.lab.nodes.awsparams import UsageError
from migrator.lab.nodes.credentials import CredentialsFailedError, NoCredentialsFoundError, resolve

if TYPE_CHECKING:
    from botocore.model import OperationModel

    from migrator.lab.nodes.botoclients import Clients, Keys
    from migrator.lab.nodes.credentials import Agents
    from migrator.lab.nodes.process import Process

_MODELS = {"s3api": "s3"}
_WITHOUT_REGION = frozenset({"iam", "sts"})
_PUBLIC = frozenset({"AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"})


class _FinishedError(Exception):
    """Ends the command with an exit code, once its text is printed."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class AwsCli:
    """Runs `aws SERVICE OPERATION --option value ...`; exit codes and texts are those of version 2."""

    def __init__(self, clients: Clients, agents: Agents) -> None:
        self._clients, self._agents = clients, agents

    def __call__(self, process: Process, words: list[str]) -> int:
        """Run one command line."""
        if words[:1] == ["--version"]:
            process.print("aws-cli/2.31.0 Python/3.13 practice-fleet")
            return 0
        try:
            text = self._run(process, words)
        except _FinishedError as finished:
            process.complain(f"\n{finished}")
            return finished.code
        except UsageError as error:
            process.complain(f"\naws: error: {error}")
            return 252
        if text:
            process.print(text)
        return 0

    def _run(self, process: Process, words: list[str]) -> str:
        options = awsparams.read(words)
        if len(options.positional) < 2:
            raise UsageError("the following arguments are required: service and operation")
        service = _MODELS.get(options.positional[0], options.positional[0])
        operation = self._operation(service, *options.positional[:2])
        given = awsparams.parameters(operation, options.own)
        lacking = awsparams.missing(operation, given)
        if lacking:
            raise UsageError(f"the following arguments are required: {', '.join(lacking)}")
        region = _region(process, service, options.globals)
        query = _compiled(options.globals.get("--query"))
        form = options.globals.get("--output") or process.env.get("AWS_DEFAULT_OUTPUT") or "json"
        answer = self._answer(process, service, region, operation, (given, options))
        if query is not None:
            answer = query.search(answer)
        try:
            return awsoutput.rendered(answer, form)
        except ValueError as error:
            raise UsageError(str(error)) from error

    def _operation(self, service: str, named: str, operation: str) -> OperationModel:
        try:
            model = self._clients.model(service)
        except (DataNotFoundError, BotoCoreError):
            raise UsageError(f"argument command: Invalid choice: {named!r}") from None
        names = {xform_name(name, "-"): name for name in model.operation_names}
        if operation not in names:
            raise UsageError(f"argument operation: Invalid choice: {operation!r}")
        return model.operation_model(names[operation])

    def _answer(
        self,
        process: Process,
        service: str,
        region: str,
        operation: OperationModel,
        call: tuple[dict[str, Any], awsparams.Options],
    ) -> Any:
        """Make the call and give its answer, all pages of it unless told otherwise."""
        given, options = call
        try:
            unsigned = operation.name in _PUBLIC or "--no-sign-request" in options.flags
            keys = None if unsigned else self._keys(process, region)
            name = xform_name(operation.name)
            with self._clients.kept(service, region, keys) as client:
                if client.can_paginate(name) and "--no-paginate" not in options.flags:
                    answer = client.get_paginator(name).paginate(**given).build_full_result()
                else:
                    answer = getattr(client, name)(**given)
        except ClientError as error:
            raise _FinishedError(254, str(error)) from error
        except BotoCoreError as error:
            raise _FinishedError(255, str(error)) from error
        answer.pop("ResponseMetadata", None)
        return _body_written(process, answer, options.positional[2:])

    def _keys(self, process: Process, region: str) -> Keys:
        try:
            return resolve(process, self._clients, self._agents, region)
        except NoCredentialsFoundError:
            raise _FinishedError(
                253,
                'Unable to locate credentials. You can configure credentials by running "aws configure".',
            ) from None
        except CredentialsFailedError as error:
            raise _FinishedError(255, str(error)) from error


def _region(process: Process, service: str, given: dict[str, str]) -> str:
    region = given.get("--region") or process.env.get("AWS_REGION") or process.env.get("AWS_DEFAULT_REGION")
    if region:
        return region
    if service in _WITHOUT_REGION:
        return "us-east-1"
    raise _FinishedError(
        253, 'You must specify a region. You can also configure your region by running "aws configure".'
    )


def _compiled(query: str | None) -> Any:
    if query is None:
        return None
    try:
        return jmespath.compile(query)
    except JMESPathError as error:
        raise UsageError(f"Bad value for --query {query}: {error}") from error


def _body_written(process: Process, answer: Any, targets: list[str]) -> Any:
    """A streamed body goes to standard output if that was named, and nowhere otherwise."""
    for name, value in list(answer.items()):
        if hasattr(value, "iter_chunks"):
            content = value.read()
            del answer[name]
            if targets[:1] in (["/dev/stdout"], ["-"]):
                process.out(content)
    return answer
