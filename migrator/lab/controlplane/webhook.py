"""EKS's own webhook as a program, and a switch before it that plays its lapses."""

import json
import ssl
from collections.abc import Sequence
from pathlib import Path

import urllib3

from migrator.lab.certs import ServerCert, server_context
from migrator.lab.controlplane.apiserver import answers
from migrator.lab.controlplane.children import Child
from migrator.lab.controlplane.ports import free_port, on_free_ports
from migrator.lab.controlplane.settings import Settings
from migrator.lab.listener import Exchange, Listener
from migrator.lab.webhook.review import answer
from migrator.lab.webhook.server import Lapses
from migrator.lab.webhook.settings import Flags
from migrator.lab.webhook.sources import AssociationFile

_READY_SECONDS = 30.0


class WebhookProgram:
    """The program, with the flags that EKS gives it; without an association file it knows IRSA only.

    It has no flag for the address it listens on: both its ports are open on every interface of the machine.
    """

    def __init__(self, program: Path, settings: Settings, flags: Flags, associations: Path | None) -> None:
        self._program, self._settings = program, settings
        self._flags, self._associations = flags, associations
        self._tls = ssl.create_default_context(cafile=str(settings.ca))
        self._child: Child | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """Where it is asked."""
        return f"https://127.0.0.1:{self._port}/mutate"

    def start(self) -> None:
        """Starts it, and returns when it has read the ServiceAccounts and answers.

        Raises:
            LabError: it does not start.
        """
        on_free_ports(self._start, self.stop)

    def stop(self) -> None:
        """Stops it."""
        if self._child is not None:
            self._child.stop()
        self._child = None

    def _start(self) -> None:
        self._port = free_port()
        self._child = Child(self._command(), self._settings.log(self._program.name))
        self._child.start()
        self._child.wait_until(lambda: answers(f"https://127.0.0.1:{self._port}/healthz", self._tls), _READY_SECONDS)

    def _command(self) -> list[str]:
        flags = self._flags
        optional = [
            f"--aws-default-region={flags.region}" if flags.region else "",
            f"--watch-container-credentials-config={self._associations}" if self._associations else "",
            "--compose-role-arn" if flags.compose_role_arn else "",  # whose account it asks the instance metadata for
        ]
        return [
            str(self._program),
            "--in-cluster=false",
            f"--kubeconfig={self._settings.kubeconfig('webhook')}",
            f"--port={self._port}",
            f"--metrics-port={free_port()}",
            f"--tls-cert={self._settings.certificate}",
            f"--tls-key={self._settings.key}",
            f"--sts-regional-endpoint={str(flags.sts_regional_endpoint).lower()}",
            f"--token-expiration={flags.token_expiration}",
            *(flag for flag in optional if flag),
        ]


class RealWebhook:
    """The program behind a switch: what it answers goes through byte for byte, but for the lapses that faults declare.

    Attributes:
        lapses: what the webhook gets wrong.
    """

    def __init__(
        self, program: Path, settings: Settings, flags: Flags, associations: Sequence[Path], cert: ServerCert
    ) -> None:
        self.lapses = Lapses()
        self._program = WebhookProgram(program, settings, flags, associations[0])
        self._without = WebhookProgram(program, settings, flags, None)
        self._associations = AssociationFile(associations[0])
        self._listener = Listener(self._respond, server_context(cert))
        self._http = urllib3.PoolManager(ca_certs=str(settings.ca), retries=False, maxsize=8)
        self.url = self._listener.url + "/mutate"

    def start(self) -> None:
        """Starts the programs and the switch.

        Raises:
            LabError: the program does not start.
        """
        self._program.start()
        self._without.start()  # now: it needs a while to read the ServiceAccounts, and says nothing of that
        self._listener.start()

    def stop(self) -> None:
        """Stops them."""
        self._listener.stop()
        self._program.stop()
        self._without.stop()

    def _respond(self, exchange: Exchange) -> None:
        body = exchange.read_body()
        if self.lapses.silent():
            exchange.refuse(503, "the webhook is off")
            return
        overlooked = self._overlooked(body)
        if overlooked == "nothing":
            reviewed = answer(body, lambda _review: None)
            exchange.reply(200, json.dumps(reviewed))
            return
        kind = exchange.headers.get("Content-Type", "")
        asked = self._without if overlooked else self._program
        told = self._http.request("POST", asked.url, body=body, headers={"Content-Type": kind})
        exchange.reply(told.status, told.data, told.headers.get("Content-Type", ""))

    def _overlooked(self, body: bytes) -> str:
        """What a pod whose association is overlooked gets; empty for all others."""
        review = json.loads(body)["request"]
        namespace, pod = review.get("namespace", ""), review["object"]
        if not self._associations.has(namespace, pod["spec"].get("serviceAccountName") or ""):
            return ""
        return self.lapses.overlooks(namespace, pod, bool(review.get("dryRun")))
