"""The admission gate before a real API server with EKS's own webhook, and the file that the webhook goes by."""

import ssl
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from migrator.adapters.kube.auth import Auth
from migrator.adapters.kube.connection import KubeConnection
from migrator.adapters.kube.errors import Where
from migrator.adapters.kube.gate import Gate
from migrator.adapters.kube.reads import KubeReads
from migrator.adapters.retry import Retry
from migrator.lab.controlplane import programs
from migrator.lab.controlplane.settings import WEBHOOK
from migrator.lab.controlplane.webhook import WebhookProgram
from migrator.lab.identities import Identities
from migrator.lab.kubeclient import path_of, resource_path
from migrator.lab.webhook.server import registration
from migrator.lab.webhook.settings import ROLE_ARN, Flags
from migrator.model import identity
from migrator.model.facts import Pod, Probe
from tests.contract.kube.sides import Bearer
from tests.controlplane.plane import Plane, open_plane
from tests.controlplane.relay import Relay, relayed
from tests.fakes.kube import add_namespace

Json = dict[str, Any]
ROLE = "arn:aws:iam::111122223333:role/web"
NAME = "web"
UNKNOWN = "unknown"
EKS = Flags(region="eu-west-1", sts_regional_endpoint=True)  # as EKS sets them
_PATIENCE = 20.0
_PAUSE = 0.05
_FOR_GOOD = 5  # as many answers in a row as the gate's step asks for


@dataclass(frozen=True)
class Gatehouse:
    """What stands; `relay` is how our adapters get to the API server, past the plain client of the administrator."""

    plane: Plane
    webhook: WebhookProgram
    identities: Identities
    connection: KubeConnection
    relay: Relay

    @property
    def file(self) -> Path:
        """The associations, as EKS tells its webhook of them."""
        return self.identities.paths[0]

    def write(self, text: str) -> None:
        """Writes it as EKS does, all at once: one written in place is empty for a moment, which clears the set."""
        fresh = self.file.with_suffix(".fresh")
        fresh.write_text(text)
        fresh.replace(self.file)

    def register(self) -> None:
        """Registers the webhook as EKS does."""
        self.plane.kube.create_object(registration(self.webhook.url, self.plane.api.ca_pem))

    def unregister(self) -> None:
        """Takes the registration away."""
        self.plane.kube.delete(path_of(registration("", "")))

    @contextmanager
    def webhook_killed(self) -> Iterator[None]:
        """Nobody listens where it is registered for the block; then it is started again there."""
        child = self.webhook._child
        assert child is not None
        child.kill()
        try:
            yield
        finally:
            child.start()

    @contextmanager
    def associated(self, *services: "Service") -> Iterator[None]:
        """The file names these, and nobody else, for the block."""
        self.identities.changed(frozenset(service.pair for service in services))
        try:
            yield
        finally:
            self.identities.changed(frozenset())


@dataclass
class Service:
    """A ServiceAccount `web` in a namespace of its own; `answers` are all that its gate has said."""

    house: Gatehouse
    namespace: str
    name: str = NAME
    answers: list[Probe] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reads = KubeReads(lambda: self.house.connection)
        self._gate = Gate(self.reads)

    @property
    def pair(self) -> tuple[str, str]:
        """As the file names it."""
        return self.namespace, self.name

    def ask(self) -> Probe:
        """The gate's answer."""
        self.answers.append(self._gate.probe(self.namespace, self.name))
        return self.answers[-1]

    def says(self) -> str:
        """The identity of the pod that the gate answers with, or `UNKNOWN`."""
        return said(self.ask())

    def turns(self, expected: str) -> list[str]:
        """Asks until that is the answer, and then on, since it must stay; what was said, repeats left out."""
        heard = [self.says()]
        until = time.monotonic() + _PATIENCE
        while heard[-1] != expected:
            assert time.monotonic() < until, f"expected {expected}, heard {heard}; {self.answers[-1].refusal}"
            time.sleep(_PAUSE)
            heard += [answer for answer in (self.says(),) if answer != heard[-1]]
        self.stays(expected)
        return heard

    def stays(self, expected: str) -> None:
        """Asks as often as the gate's step does."""
        assert [self.says() for _ in range(_FOR_GOOD)] == [expected] * _FOR_GOOD

    def annotate(self, role: str | None = ROLE) -> None:
        """Puts the annotation on, or takes it out."""
        path = resource_path("v1", "serviceaccounts", self.namespace, self.name)
        self.house.plane.kube.patch(path, {"metadata": {"annotations": {ROLE_ARN: role}}})

    def runs(self, **template: Any) -> None:
        """Gives it a Deployment of that pod template; it is scaled to zero, so that no controller adds pods to ours."""
        labels = {"app": self.name}
        metadata = {**template.get("metadata", {}), "labels": {**labels, **template.get("labels", {})}}
        spec = {"serviceAccountName": self.name, "containers": [container("main")], **template.get("spec", {})}
        body = {"replicas": 0, "selector": {"matchLabels": labels}, "template": {"metadata": metadata, "spec": spec}}
        meta = {"name": self.name, "namespace": self.namespace}
        self.house.plane.kube.create_object(
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": body}
        )

    def created(self) -> Pod:
        """A pod of its Deployment's template, made in earnest, and taken away again."""
        kube = self.house.plane.kube
        template = kube.get(resource_path("apps/v1", "deployments", self.namespace, self.name))["spec"]["template"]
        meta = {"name": "real", "namespace": self.namespace, "labels": template["metadata"]["labels"]}
        document = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": template["spec"]}
        kube.create_object(document)
        (pod,) = self.reads.pods(self.namespace, self.name)
        kube.delete(path_of(document), {"gracePeriodSeconds": 0})
        return pod

    def gets(self) -> str:
        """The identity of such a pod."""
        return str(identity.of_pod(self.created()))


def container(name: str, **fields: Any) -> Json:
    """A container of a pod template."""
    return {"name": name, "image": "registry.example/app:1", **fields}


def said(probe: Probe) -> str:
    """What an answer of the gate comes to."""
    return UNKNOWN if probe.pod is None else str(identity.of_pod(probe.pod))


def given(pod: Pod) -> Mapping[str, Any]:
    """What the webhook may have given a pod; the API server's own mounts have random names."""
    return {
        "identities": identity.by_container(pod),
        "containers": [
            (one.name, one.env, sorted(name for name in one.mounts if not name.startswith("kube-api-access-")))
            for one in pod.spec.containers
        ],
        "audiences": {name: who for name, who in pod.spec.token_audiences.items() if "api-access" not in name},
        "labels": dict(pod.labels),
    }


@contextmanager
def open_gatehouse(folder: Path) -> Iterator[Gatehouse]:
    """All of it for the block; nothing is associated."""
    with ExitStack() as stack:
        plane = stack.enter_context(open_plane(folder / "plane"))
        settings = plane.api.settings
        settings.write_kubeconfig("webhook", plane.api.url, plane.authority, plane.api.tokens[WEBHOOK.name])
        identities = Identities(folder / "identities" / "associations.json")
        stack.callback(identities.stop)
        identities.start()
        program = programs.find(programs.WEBHOOK)
        assert program is not None
        webhook = WebhookProgram(program, settings, EKS, identities.paths[0])
        stack.callback(webhook.stop)
        webhook.start()
        relay = stack.enter_context(relayed(urlsplit(plane.api.url).port or 0))
        connection = _by(relay, plane)
        stack.callback(connection.close)
        house = Gatehouse(plane, webhook, identities, connection, relay)
        house.register()
        yield house


def _by(relay: Relay, plane: Plane) -> KubeConnection:
    """Our adapters' connection, through the relay."""
    where = Where(cluster="real", endpoint=f"https://127.0.0.1:{relay.port}")
    context = ssl.create_default_context(cadata=plane.api.ca_pem)
    auth: Auth = Bearer(plane.api.admin_token)
    return KubeConnection(where=where, context=context, auth=auth, retry=Retry(first=0.01))


def add_service(house: Gatehouse, *, annotated: bool = False, account: bool = True) -> Service:
    """A service without workloads."""
    service = Service(house, add_namespace(house.plane.kube, f"gate-{uuid.uuid4().hex[:8]}"))
    annotations = {ROLE_ARN: ROLE} if annotated else {}
    meta = {"name": service.name, "namespace": service.namespace, "annotations": annotations}
    if account:
        house.plane.kube.create_object({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta})
    return service


def wait_until(what: str, check: Callable[[], bool]) -> None:
    """Looks until it is so."""
    until = time.monotonic() + _PATIENCE
    while not check():
        assert time.monotonic() < until, what
        time.sleep(_PAUSE)
