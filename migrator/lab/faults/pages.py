"""What can be read and switched over HTTP while the fleet runs, at `/_lab/...` of the AWS endpoint."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from migrator.documents.errors import DocumentError
from migrator.documents.yaml_file import Document
from migrator.lab.aws.wire import HttpAnswer, HttpRequest
from migrator.lab.faults.board import TakenError
from migrator.lab.faults.credentials import Housing, credentials_of
from migrator.lab.faults.model import Fault
from migrator.lab.faults.play import FaultPlay
from migrator.lab.podrecord import PodRecords

_SENT = Path("request")
Read = Callable[[Document], tuple[Fault, ...]]
Page = Callable[[HttpRequest], HttpAnswer]


class Pages:
    """The pages of one practice fleet; `read` checks faults that are sent against its world."""

    def __init__(self, play: FaultPlay, pods: PodRecords, clusters: Mapping[str, Housing], read: Read) -> None:
        self._play = play
        self._pods = pods
        self._clusters = clusters
        self._read = read

    def all(self) -> dict[str, Page]:
        """Every page by its path."""
        return {
            "/_lab/faults": self._faults,
            "/_lab/kube-calls": self._kube_calls,
            "/_lab/pods": lambda _http: _json(self._pods.as_json()),
            "/_lab/credentials": self._credentials,
        }

    def _faults(self, http: HttpRequest) -> HttpAnswer:
        """GET shows, POST adds, PUT puts these in place of all others, DELETE takes off (`?name=`, or all)."""
        try:
            if http.method == "GET":
                return _json(self._play.shown())
            if http.method == "DELETE":
                return _json({"removed": self._play.board.remove(self._named(http))})
            if http.method in ("POST", "PUT"):
                return self._sent(http)
        except (DocumentError, TakenError, ValueError) as error:
            return _json({"error": str(error)}, 400)
        return _json({"error": f"{http.method} is not known here"}, 405)

    def _sent(self, http: HttpRequest) -> HttpAnswer:
        faults = self._read(Document(_SENT, json.loads(http.body), {}))
        board = self._play.board
        if http.method == "PUT":
            board.remove([one.fault.name for one in board.all()])
        return _json({"added": board.add(faults)})

    def _named(self, http: HttpRequest) -> list[str]:
        names = [value for key, value in http.query_pairs() if key == "name"]
        return names or [one.fault.name for one in self._play.board.all()]

    def _kube_calls(self, http: HttpRequest) -> HttpAnswer:
        after = dict(http.query_pairs()).get("after", "0")
        return _json(self._play.kube_calls.all(int(after) if after.isdigit() else 0))

    def _credentials(self, http: HttpRequest) -> HttpAnswer:
        asked = dict(http.query_pairs())
        return _json(credentials_of(self._clusters, asked.get("namespace"), asked.get("service_account")))


def _json(document: Any, status: int = 200) -> HttpAnswer:
    return HttpAnswer(status, {"content-type": "application/json"}, json.dumps(document).encode())
