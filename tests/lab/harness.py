"""A practice fleet as a process of its own, and `migrate` as processes against it: no more than a user has."""

import json
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jsonschema import Draft202012Validator

from migrator.lab.kubeclient import KubeClient
from migrator.lab.record import Lab, read_record
from migrator.model.exits import Exit
from migrator.render.contract import schema
from tests.lab.asker import Asker
from tests.lab.invariants import Invariant, Waiver
from tests.lab.seen import aws_client
from tests.lab.witness import Witness
from tests.lab.zygote import Started, fleets, zygote

LIMIT = 120
ROOT = Path(__file__).parents[2]
RUNNING: "list[Fleet]" = []  # what the checker looks at after each test


@dataclass
class Notes:
    """What a test says of its fleet for the checker: kills, what it broke on purpose, what of others must be kept."""

    killed: bool = False
    waivers: list[Waiver] = field(default_factory=list)
    kept: dict[str, Callable[[], bool]] = field(default_factory=dict)
    aws: dict[tuple[str, str, str], Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Ran:
    """A finished command."""

    exit: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """Its JSON output; the result of a command is what its schema says."""
        found = json.loads(self.out)
        if isinstance(found, dict) and "command" in found:
            _of(found["command"]).validate(found)
        return found

    def ok(self) -> "Ran":
        """Itself, if it ended well."""
        return self.ended(Exit.DONE)

    def ended(self, code: Exit) -> "Ran":
        """Itself, if it ended with that code and without a traceback."""
        assert self.exit == code, f"exit {self.exit}, expected {int(code)}\n{self.out}\n{self.err}"
        assert "Traceback" not in self.err, self.err
        return self


@cache
def _of(command: str) -> Draft202012Validator:
    return Draft202012Validator(schema(command))


@dataclass(frozen=True)
class Fleet:
    """One running practice fleet, its files in `folder`."""

    lab: Lab
    folder: Path
    clients: Mapping[str, KubeClient]
    witnesses: Mapping[str, Witness]
    notes: Notes = field(default_factory=Notes)

    @cached_property
    def asker(self) -> Asker:
        """Who asks the fleet's pods for their credentials while it runs."""
        return Asker(lambda query: list(self.lab_page(f"credentials{query}")))

    @property
    def environment(self) -> dict[str, str]:
        """What a user exports."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return {**kept, **self.lab.env, "PYTHONWARNINGS": "error::ResourceWarning"}

    def migrate(self, *arguments: str, stdin: str | None = None, extra: Mapping[str, str] | None = None) -> Ran:
        """Runs `migrate` to its end."""
        ended = zygote().run(arguments, {**self.environment, **(extra or {})}, self.folder, stdin, LIMIT)
        return Ran(ended.code, ended.out, ended.err)

    def start(self, *arguments: str, extra: Mapping[str, str] | None = None) -> Started:
        """Starts `migrate` with its log as JSON lines on stderr; whoever starts one may kill it."""
        self.notes.killed = True
        ours, theirs = os.pipe()
        with open(os.devnull, "r+") as nothing:  # noqa: PTH123  a device
            streams = [nothing.fileno(), nothing.fileno(), theirs]
            environment = {**self.environment, **(extra or {})}
            started = zygote().start([*arguments, "--log-format", "json"], environment, self.folder, streams)
        os.close(theirs)
        started.stderr = os.fdopen(ours, buffering=1)
        return started

    def calls(self) -> list[dict[str, Any]]:
        """The AWS front's call log."""
        with urllib.request.urlopen(f"{self.lab.aws_endpoint}/_lab/calls", timeout=10) as answer:  # noqa: S310
            found: list[dict[str, Any]] = json.load(answer)
            return found

    def kube_calls(self) -> list[dict[str, Any]]:
        """What was asked of the API servers, but for the fleet's own parts."""
        found: list[dict[str, Any]] = self.lab_page("kube-calls")
        return found

    def lab_page(self, page: str, method: str = "GET", body: Any = None) -> Any:
        """What `/_lab/PAGE` of the fleet answers: faults, pods, credentials, kube-calls."""
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(f"{self.lab.aws_endpoint}/_lab/{page}", data=data, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as refusal:
            raise AssertionError(f"{method} {page}: {refusal.read().decode()}") from refusal

    @contextmanager
    def faults(self, *entries: Mapping[str, Any]) -> Iterator[list[str]]:
        """These faults, declared as in a world file, are there for the block; yields their names."""
        names: list[str] = self.lab_page("faults", "POST", {"faults": list(entries)})["added"]
        try:
            yield names
        finally:
            self.lab_page("faults?" + "&".join(f"name={quote(name)}" for name in names), "DELETE")

    def played(self, *names: str) -> list[dict[str, Any]]:
        """What the faults of these names have done so far, those that are gone included."""
        log: list[dict[str, Any]] = self.lab_page("faults")["log"]
        return [entry for entry in log if entry["fault"] in names]

    def kube(self, alias: str) -> KubeClient:
        """An administrator's client of a cluster."""
        return self.clients[alias]

    def aws(self, service: str, account: str = "111111111111", region: str = "eu-west-1") -> Any:
        """An administrator's boto3 client."""
        key = (service, account, region)
        if key not in self.notes.aws:
            self.notes.aws[key] = aws_client(self.lab.aws_endpoint, account, service, region)
        return self.notes.aws[key]

    @property
    def state(self) -> Path:
        """The state file."""
        return Path(self.environment["MIGRATE_FLEET"]).parent / "state.db"

    def waive(self, invariant: Invariant, service: str, reason: str) -> None:
        """From here on the test itself has broken the invariant for that service (`*`: for all)."""
        assert reason
        self.notes.waivers.append(Waiver(invariant, service, reason))

    def keeps(self, what: str, check: Callable[[], bool]) -> None:
        """Declares an edit of somebody else's: `check` says, after every test, whether it is still as he left it."""
        self.notes.kept[what] = check

    def plan_file(self, service: str) -> Path:
        """The plan file of a service."""
        return Path(self.environment["MIGRATE_PLANS"]) / f"{service}.yaml"


def command(arguments: Sequence[str]) -> list[str]:
    """`migrate` with these arguments, by this interpreter."""
    return [sys.executable, "-m", "migrator", *arguments]


@contextmanager
def fleet(world: Path, folder: Path, plane: str = "practice") -> Iterator[Fleet]:
    """A fleet on control planes of ours or on `real` ones, for the block, and not a moment longer than this process.

    Everything that happens in it is watched, and after each test the invariants are checked.
    """
    with unwatched(world, folder, plane) as running, ExitStack() as stack:
        for witness in running.witnesses.values():
            stack.callback(witness.stop)
            witness.start()
        running.asker.start()
        stack.callback(running.asker.stop)
        RUNNING.append(running)
        stack.callback(RUNNING.remove, running)
        yield running


@contextmanager
def unwatched(world: Path, folder: Path, plane: str = "practice") -> Iterator[Fleet]:
    """A fleet that nobody watches: for what is too large to ask every pod."""
    with leashed(world, folder / "lab", plane) as lab, ExitStack() as stack:
        clients = {one.alias: stack.enter_context(KubeClient(one.url, one.ca_pem, one.token)) for one in lab.clusters}
        witnesses = {alias: Witness(alias, kube) for alias, kube in clients.items()}
        yield Fleet(lab, folder, clients, witnesses)


@contextmanager
def leashed(world: Path, directory: Path, plane: str = "practice") -> Iterator[Lab]:
    """The fleet's process; it ends when its stdin does, so that even a killed test run leaves none behind."""
    said, tells = os.pipe()
    held, leash = os.pipe()
    with (directory.parent / "lab.err").open("w+") as errors, os.fdopen(said) as up, os.fdopen(leash, "wb") as holding:
        with os.fdopen(held) as stdin, os.fdopen(tells, "w") as stdout:
            streams = [stdin.fileno(), stdout.fileno(), errors.fileno()]
            process = fleets().start([str(world), str(directory), plane], os.environ, ROOT, streams)
        try:
            if not up.readline():
                errors.seek(0)
                raise AssertionError(f"the practice fleet did not start: {errors.read()}")
            yield read_record(directory)
        finally:
            holding.close()
            ended = process.wait(LIMIT)
            errors.seek(0)
            assert ended == 0, f"the practice fleet did not stop well: {errors.read()}"


def kill_at(process: Started, step: str, status: str) -> bool:
    """SIGKILL as soon as the log says so; False when the run ended before."""
    assert process.stderr is not None
    for line in process.stderr:
        told = json.loads(line)
        if (told.get("code"), told.get("step"), told.get("status")) == ("StepMoved", step, status):
            process.kill()
            break
    process.stderr.close()
    return process.wait(LIMIT) == -signal.SIGKILL


def wait_for(what: str, check: Callable[[], Any], limit: float = 30.0) -> Any:
    """Polls until `check` answers something true."""
    until = time.monotonic() + limit
    while time.monotonic() < until:
        found = check()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {limit:.0f} s: {what}")
