"""Faults of calls: refused, cut off, slow, with expired credentials; and the moments at which other faults begin."""

import time

from migrator.lab.aws.errors import ApiError
from migrator.lab.aws.errors import ConnectionClosedError as AwsClosedError
from migrator.lab.faults.board import Active, Board
from migrator.lab.faults.errors import aws_error, kube_error
from migrator.lab.faults.matching import AwsCall, KubeCall, fits_aws, fits_kube
from migrator.lab.faults.model import AwsCalls, Fault, KubeCalls
from migrator.lab.kubeapi import errors as kube
from migrator.lab.kubeapi.hooks import ConnectionClosedError as KubeClosedError

Call = AwsCall | KubeCall


class CallFaults:
    """Decides about every call, of AWS and of every cluster."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def before(self, call: Call) -> None:
        """To be called before a call is carried out; what it raises is the answer.

        Raises:
            ApiError: of AWS or of Kubernetes: the call is refused.
            ConnectionClosedError: of AWS or of Kubernetes: the connection is to be closed.
        """
        self._moments(call, "before")
        self._dawdle(call, "before")
        for one in self._struck("expire", call):
            self._board.took(one, f"credentials expired: {call.text}")
            raise _expired(call)
        for one in self._struck("fail", call):
            self._board.took(one, f"{one.fault.given['with']}: {call.text}")
            raise _refused(one, call)
        self._cut(call, "before")

    def after(self, call: Call) -> None:
        """To be called when a call has been carried out, before its answer is sent.

        Raises:
            ConnectionClosedError: of AWS or of Kubernetes: the connection is to be closed.
        """
        self._moments(call, "after")
        self._dawdle(call, "after")
        self._cut(call, "after")

    def _moments(self, call: Call, side: str) -> None:
        for one in self._board.all():
            moment = one.fault.when
            if moment is None or one.since is not None or moment.side != side:
                continue
            if _fits(one.fault, moment.aws, moment.kube, call) and one.waits.take():
                self._board.trigger(one)

    def _struck(self, kind: str, call: Call) -> list[Active]:
        """The first fault of the kind that takes this call, if one does."""
        for one in self._board.on(kind):
            if _fits(one.fault, one.fault.aws, one.fault.kube, call) and one.turns.take():
                return [one]
        return []

    def _dawdle(self, call: Call, side: str) -> None:
        for one in self._board.on("slow"):
            if one.fault.given.get("side", "before") != side:
                continue
            if _fits(one.fault, one.fault.aws, one.fault.kube, call) and one.turns.take():
                self._board.took(one, f"{one.fault.given['seconds']} s late: {call.text}")
                time.sleep(one.fault.given["seconds"])

    def _cut(self, call: Call, side: str) -> None:
        for one in self._board.on("drop"):
            if one.fault.given.get("side", "before") != side:
                continue
            if _fits(one.fault, one.fault.aws, one.fault.kube, call) and one.turns.take():
                self._board.took(one, f"connection closed {side} {call.text}")
                raise AwsClosedError if isinstance(call, AwsCall) else KubeClosedError


def _fits(fault: Fault, aws: AwsCalls | None, calls: KubeCalls | None, call: Call) -> bool:
    if isinstance(call, AwsCall):
        return aws is not None and fits_aws(fault, aws, call)
    return calls is not None and fits_kube(fault, calls, call)


def _expired(call: Call) -> Exception:
    if isinstance(call, AwsCall):
        return ApiError("ExpiredKey", "The security token included in the request is expired", 403)
    return kube.unauthorized()


def _refused(one: Active, call: Call) -> Exception:
    given = one.fault.given
    if isinstance(call, AwsCall):
        return aws_error(given["with"], call.request.service, given.get("code"), given.get("message"))
    return kube_error(given["with"], given.get("retryAfter", 1), given.get("message"), call.asked)
