"""Our API server and a real one, side by side and both without controllers: nothing moves unless it is asked for."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from migrator.lab.certs import Authority
from migrator.lab.controlplane.apiserver import RealApiServer
from migrator.lab.controlplane.plane import programs_at_hand
from migrator.lab.controlplane.programs import API_SERVER
from migrator.lab.kubeapi import ApiServer
from migrator.lab.kubeapi.gc import Collector
from migrator.lab.kubeapi.storage import Event, KindKey
from tests.controlplane import etcd
from tests.controlplane.asking import Ask, Json, Server, get, post
from tests.controlplane.plane import ISSUER, nobody

VERSION = ".".join(API_SERVER.version.removeprefix("v").split(".")[:2])
_PAUSE = 0.05
_ACCOUNT = "/api/v1/namespaces/{ns}/serviceaccounts"

Answers = tuple[Sequence[Json], Sequence[Json]]
"""Ours and theirs."""


@dataclass(frozen=True)
class Pair:
    """Both."""

    ours: Server
    theirs: Server
    own: ApiServer
    real: RealApiServer
    authority: Authority

    def ask(self, asks: Sequence[Ask], namespace: str, earlier: Answers = ((), ())) -> Answers:
        """The answers of both to the same requests, which are put to both at the same time."""
        with ThreadPoolExecutor(2) as pool:
            ours = pool.submit(self.ours.ask_all, asks, namespace, earlier[0])
            theirs = pool.submit(self.theirs.ask_all, asks, namespace, earlier[1])
            answers = ours.result(), theirs.result()
            cut_off = [number for number, pair in enumerate(zip(*answers, strict=True)) if _uneven(*pair)]
            for number in cut_off:
                again = asks[number - len(earlier[0])].patient()
                for server, given in zip((self.ours, self.theirs), answers, strict=True):
                    given[number] = server.ask(again, namespace, given)
            return answers

    def age(self) -> None:
        """Has both forget the past: the real one compacts its store, and begins anew without what it remembered."""
        self.own.forget_history()
        etcd.compact(self.real)
        server = self.real._server
        assert server is not None
        before = server._process
        server.kill()
        while server._process is before or not self.real._ready():
            time.sleep(_PAUSE)

    def add_namespace(self, name: str) -> None:
        """A namespace of this name on both; the real server has nobody who would give it its ServiceAccount."""
        for server in (self.ours, self.theirs):
            made = server.ask(post("/api/v1/namespaces", {"metadata": {"name": name}}), name)
            assert made["status"] == 201, made
        made = self.theirs.ask(post(_ACCOUNT, {"metadata": {"name": "default"}}), name)
        assert made["status"] == 201, made
        while self.ours.ask(get(f"{_ACCOUNT}/default"), name)["status"] != 200:
            pass


def _uneven(ours: Json, theirs: Json) -> bool:
    """Whether one stream has more events than the other: on a busy machine a watch may end before all is said."""
    return len(ours.get("events", ())) != len(theirs.get("events", ()))


class _Idle(Collector):
    """Collects nothing: on the real side that is a controller's work."""

    def handle(self, kind: KindKey, event: Event) -> None:
        pass


@contextmanager
def open_pair(folder: Path) -> Iterator[Pair]:
    """Both, for the block."""
    authority = Authority("pair")
    real = RealApiServer(ISSUER, programs_at_hand().servers, folder, authority, nobody)
    own = ApiServer("pair", ISSUER, authority=authority, version=VERSION)
    own.cluster._collector = _Idle(own.cluster)
    with ExitStack() as stack:
        for server in (own, real):
            stack.callback(server.stop)
            server.start()
        ours = Server(own.url, own.ca_pem, own.admin_token)
        theirs = Server(real.url, real.ca_pem, real.admin_token)
        yield Pair(ours, theirs, own, real, authority)
