"""Joins the faults with the parts of a practice fleet in which they are played."""

import threading
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from migrator.lab.aws.front import AwsFront
from migrator.lab.aws.wire import HttpAnswer, Request
from migrator.lab.faults.board import Active, Board
from migrator.lab.faults.calls import CallFaults
from migrator.lab.faults.edits import Edits
from migrator.lab.faults.hands import AwsHands, KubeHands
from migrator.lab.faults.kubecalls import KubeCallLog
from migrator.lab.faults.lateness import LateAssociations, LateTrust
from migrator.lab.faults.matching import AwsCall, KubeCall, aws_call, kube_who
from migrator.lab.faults.model import Fault, Json
from migrator.lab.faults.pods import PodFaults, SickAddons
from migrator.lab.faults.putback import PutBack
from migrator.lab.identities import Identities
from migrator.lab.kubeapi.hooks import Asked, ConnectionClosedError
from migrator.lab.kubeclient import KubeClient, resource_path
from migrator.lab.nodes import NodeAgent
from migrator.lab.planes import Api, Webhook
from migrator.lab.world.index import Index
from migrator.lab.world.model import Cluster

_CALL = "call"


class Patient(Protocol):
    """What faults need of a running cluster."""

    spec: Cluster
    obeys: bool
    api: Api
    kube: KubeClient
    identities: Identities
    nodes: NodeAgent
    webhook: Webhook | None

    def register_webhook(self, wanted: bool) -> None:
        """Has the webhook registered, or not."""
        ...


class FaultPlay:
    """The faults of one practice fleet; it begins when the world is up, so that the world itself is made without any.

    Attributes:
        board: which faults there are.
        kube_calls: what was asked of the API servers.
    """

    def __init__(self, index: Index, front: AwsFront) -> None:
        self.board = Board()
        self.kube_calls = KubeCallLog()
        self._front = front
        self._aliases: dict[tuple[str, str, str], str] = {}
        self._hands: dict[str, KubeHands] = {}
        self._clusters: dict[str, Patient] = {}
        aws = AwsHands(front.endpoint, index.home_region)
        self._calls = CallFaults(self.board)
        self._put_back = PutBack(self.board, aws, self._hands)
        self._edits = Edits(self.board, index, aws, self._hands)
        self._trust = LateTrust(self.board, front.senses.roles.history)
        self._associations = LateAssociations(self.board, self._alias)
        self._registered = threading.Lock()

    def begin(self, clusters: Mapping[str, Patient]) -> None:
        """Joins the faults to what they are played in."""
        self._clusters = dict(clusters)
        self.board.agenda.start()
        self._join_aws()
        for alias, cluster in clusters.items():
            self._join(alias, cluster)
        self.board.begin_with("edit", self._edits.begin)
        self.board.begin_with("crashLoop", self._spare)
        self.board.listen(self._look_again)

    def stop(self) -> None:
        """Plays nothing any more."""
        self.board.agenda.stop()

    def unplayable(self, faults: Iterable[Fault]) -> Fault | None:
        """The first that has an API server refuse or drop calls that does not obey; None if all can be played."""
        deaf = [alias for alias, cluster in self._clusters.items() if not cluster.obeys]
        for fault in faults:
            if fault.kube is not None and any(fault.on_cluster(alias) for alias in deaf):
                return fault
        return None

    def _join_aws(self) -> None:
        senses = self._front.senses
        senses.roles.history.forget()
        senses.roles.sight = self._trust.in_iam
        senses.checks.trust = self._trust.at_association
        senses.auth.trust = self._trust.at_credentials
        senses.auth.association = self._associations.at_credentials
        addons = SickAddons(self.board, self._alias)
        senses.addons.health, senses.addons.fate = addons.said_of, addons.fails
        self._front.hooks.append(self._before_aws)
        self._front.after_hooks.append(self._after_aws)

    def _join(self, alias: str, cluster: Patient) -> None:
        spec = cluster.spec
        self._aliases[spec.account, spec.region, spec.name] = alias
        self._hands[alias] = KubeHands(cluster.kube)
        self._edits.clusters[alias] = spec
        pods = PodFaults(self.board, alias)
        cluster.identities.lateness = self._associations.of_webhooks(alias)
        cluster.nodes.lifecycle.trouble = pods.trouble
        if cluster.webhook is not None:
            cluster.webhook.lapses.silent = pods.webhook_is_silent
            cluster.webhook.lapses.overlooks = pods.overlooked
        hooks = cluster.api.hooks
        hooks.before = lambda asked: self._before_kube(alias, spec.account, asked)
        hooks.after = lambda asked, status: self._after_kube(alias, spec.account, asked, status)

    def _alias(self, account: str, region: str, name: str) -> str | None:
        return self._aliases.get((account, region, name))

    def _before_aws(self, request: Request) -> None:
        call = aws_call(request, self._front.association_of, self._alias)
        request.notes[_CALL] = call  # an association that is being deleted can be named only now
        self._calls.before(call)
        self._trust.before(request)
        self._put_back.before_aws(call)

    def _after_aws(self, request: Request, _answer: HttpAnswer) -> None:
        call: AwsCall | None = request.notes.get(_CALL)
        if call is None:
            return  # it came before the faults did
        self._put_back.after_aws(call)
        self._calls.after(call)

    def _before_kube(self, alias: str, account: str, asked: Asked) -> None:
        if kube_who(asked) == "own":
            return
        call = KubeCall(alias, account, asked)
        try:
            self._calls.before(call)
        except ConnectionClosedError:
            self.kube_calls.add(call, 0, lost=True)
            raise
        except Exception as refusal:
            self.kube_calls.add(call, int(getattr(refusal, "code", 500)))
            raise
        self._put_back.before_kube(call)

    def _after_kube(self, alias: str, account: str, asked: Asked, status: int) -> None:
        if kube_who(asked) == "own":
            return
        call = KubeCall(alias, account, asked)
        number = self.kube_calls.add(call, status)
        if status >= 400:
            return
        self._put_back.after_kube(call)
        try:
            self._calls.after(call)
        except ConnectionClosedError:
            self.kube_calls.lose(number)
            raise

    def _spare(self, one: Active) -> None:
        """The pods there are when a crash loop begins go on as they are."""
        for alias, cluster in self._clusters.items():
            pods = cluster.kube.list(resource_path("v1", "pods"))["items"]
            one.memory["spared", alias] = frozenset(pod["metadata"]["uid"] for pod in pods)

    def _look_again(self) -> None:
        """What is on is another set now: everything that goes by it rather than asks is told."""
        gone = [one for one in self.board.on("webhookOff") if one.fault.given.get("how") == "unregistered"]
        for alias, cluster in self._clusters.items():
            with self._registered:
                cluster.register_webhook(not any(one.fault.on_cluster(alias) for one in gone))
            cluster.identities.look_again()
            cluster.nodes.look_again()

    def shown(self) -> Json:
        """Every fault, and the log of what they did."""
        found: dict[str, Any] = {"faults": self.board.shown(), "log": self.board.log()}
        return found
