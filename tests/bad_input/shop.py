"""A small folder of valid files, a way to break one of them, and `migrate` run over it in this process."""

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from migrator.entry import main
from migrator.model.exits import Exit
from migrator.model.ids import ServiceId
from migrator.model.journal import Direction, Outcome, Run, Status, StepRecord
from migrator.model.plan import Plan
from migrator.store.database import Database
from migrator.store.plan_document import document_of
from migrator.store.plan_file import PlanFiles
from migrator.store.sqlite import SqliteJournal
from tests.fakes.samples import BLOCK, INFO, ORDERS, WARNING, sample_plan

CART = ServiceId("prod", "shop", "cart")
SHELF = ServiceId("prod", "books", "shelf")
FLEET = """\
version: 1
defaults:
  region: eu-west-1
  account: "111122223333"
accounts:
  - {id: "111122223333", profile: shop}
clusters:
  - alias: prod
    name: shop-prod
  - alias: tools
    region: us-east-1
    kubeconfig: {context: tools, file: kubeconfig}
excludes: ["*/kube-system/*"]
policy: {agent: install}
waits: {poll: 2, gate_probes: 5}
state: {sqlite: state.db}
plans: plans
"""
WORLD = """\
version: 1
accounts:
  - id: "111122223333"
    roles:
      - {name: orders, trust: {irsa: [{cluster: prod, namespace: shop, serviceAccount: orders}]}}
clusters:
  - alias: prod
    name: shop-prod
    region: eu-west-1
    nodes: [{name: a, count: 1}]
    namespaces:
      - name: shop
        serviceAccounts: [{name: orders, role: orders}]
        workloads: [{name: orders-api, serviceAccount: orders, replicas: 2}]
"""
_VARIABLES = ("FLEET", "PLANS", "OUTPUT", "LOG_FORMAT", "VERBOSE", "QUIET", "DEBUG")


@dataclass(frozen=True)
class Shop:
    """The folder: a fleet file, three plans, a journal with two runs, a world."""

    folder: Path

    @property
    def fleet(self) -> Path:
        """The fleet file."""
        return self.folder / "fleet.yaml"

    @property
    def state(self) -> Path:
        """The journal."""
        return self.folder / "state.db"

    @property
    def world(self) -> Path:
        """A world file."""
        return self.folder / "world.yaml"

    def plan(self, service: ServiceId = CART) -> Path:
        """A plan file."""
        return PlanFiles(self.folder / "plans").path(service)

    def snapshot(self) -> dict[str, object]:
        """Every path of the folder with its bytes, or with what else it is.

        A reader of the journal may leave SQLite's empty side files; they hold nothing.
        """
        paths = (path for path in self.folder.rglob("*") if not _side_file(path))
        return {str(path.relative_to(self.folder)): _content(path) for path in paths}


def _side_file(path: Path) -> bool:
    return path.name.endswith("-shm") or (path.name.endswith("-wal") and not path.stat().st_size)


def _content(path: Path) -> object:
    if path.is_symlink():
        return path.readlink()
    return path.read_bytes() if path.is_file() else path.stat().st_mode


Breaking = Callable[[Shop], None]


def intact(_shop: Shop) -> None:
    """Breaks nothing."""


@dataclass(frozen=True)
class Case:
    """One way to break something: how, what is run then, and what is said of it.

    `says` are parts of the one line on stderr; `variables` are added to the environment.
    """

    command: tuple[str, ...]
    says: tuple[str, ...]
    breaking: Breaking = intact
    code: Exit = Exit.USAGE
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


class Network:
    """Stands where the network was: every try to go out is refused and remembered."""

    def __init__(self) -> None:
        self.tried: list[object] = []

    def refuse(self, *address: object, **_options: object) -> None:
        """Refuses a connection, or the look-up of a name."""
        self.tried.append(address[-2:])
        raise ConnectionRefusedError(111, "Connection refused")


def opened(folder: Path, patch: pytest.MonkeyPatch) -> tuple[Shop, Network]:
    """A fresh shop, the working directory in it, an environment without settings, and a network that leads nowhere."""
    network = Network()
    patch.setattr("socket.socket.connect", network.refuse)
    patch.setattr("socket.getaddrinfo", network.refuse)
    patch.setenv("AWS_CONFIG_FILE", str(folder / "no-aws-config"))
    patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in _VARIABLES:
        patch.delenv(f"MIGRATE_{name}", raising=False)
    patch.chdir(folder)
    return furnished(folder), network


def furnished(folder: Path) -> Shop:
    """Writes the files of a shop into the folder."""
    shop = Shop(folder)
    shop.fleet.write_text(FLEET, encoding="utf-8")
    shop.world.write_text(WORLD, encoding="utf-8")
    files = PlanFiles(folder / "plans")
    plans = sample_plan(findings=(INFO, WARNING)), sample_plan(CART), sample_plan(SHELF, findings=(BLOCK,))
    for plan in plans:
        files.write(plan)
    files.publish_schema()
    _remember(shop.state, plans[0], plans[1])
    return shop


def _remember(path: Path, moved: Plan, begun: Plan) -> None:
    """Two runs: one that ended well, one that was cut off."""
    database = Database(path)
    journal = SqliteJournal(database)
    for plan, count in ((moved, 6), (begun, 2)):
        run = f"run-{plan.service.name}"
        journal.begin(
            Run(
                id=run,
                service=plan.service,
                direction=Direction.FORWARD,
                outcome=Outcome.OPEN,
                plan=document_of(plan),
                actor="ann",
                host="desk",
                started="2026-01-01T10:00:00.000000+00:00",
            )
        )
        for number, step in enumerate(plan.forward[:count]):
            at = f"2026-01-01T10:00:0{number + 1}.000000+00:00"
            journal.record(StepRecord(run=run, step=step.id, status=Status.DONE, at=at, image={}, result={}))
    journal.end(f"run-{ORDERS.name}", Outcome.DONE, "", "2026-01-01T10:01:00.000000+00:00")
    database.close()


def migrate(patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str], *arguments: str) -> Ended:
    """Runs the whole program in this process; an exception that leaves it fails the test, as a traceback would."""
    patch.setattr("sys.argv", ["migrate", *arguments])
    capture.readouterr()
    code = main()
    out, err = capture.readouterr()
    return Ended(code, out, err)


def swapped(old: str, new: str, file: Callable[[Shop], Path] = lambda shop: shop.fleet, count: int = -1) -> Breaking:
    """Replaces a text that must be there."""

    def breaking(shop: Shop) -> None:
        path = file(shop)
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, count), encoding="utf-8", newline="")

    return breaking


def overwritten(content: bytes | str, file: Callable[[Shop], Path] = lambda shop: shop.fleet) -> Breaking:
    """The whole file is something else."""

    def breaking(shop: Shop) -> None:
        path = file(shop)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    return breaking


def edited(change: Callable[[bytes], bytes], file: Callable[[Shop], Path] = lambda shop: shop.fleet) -> Breaking:
    """The file's bytes are changed."""
    return lambda shop: overwritten(change(file(shop).read_bytes()), file)(shop)


def folder_instead(file: Callable[[Shop], Path] = lambda shop: shop.fleet) -> Breaking:
    """A folder stands where the file belongs."""

    def breaking(shop: Shop) -> None:
        file(shop).unlink()
        file(shop).mkdir()

    return breaking


def loop_instead(file: Callable[[Shop], Path] = lambda shop: shop.fleet) -> Breaking:
    """A symbolic link that leads to itself."""

    def breaking(shop: Shop) -> None:
        file(shop).unlink()
        file(shop).symlink_to(file(shop).name)

    return breaking


def gone(file: Callable[[Shop], Path] = lambda shop: shop.fleet) -> Breaking:
    """The file is not there."""
    return lambda shop: file(shop).unlink()


def sql(statement: str, *values: object) -> Breaking:
    """The journal is changed behind the program's back."""

    def breaking(shop: Shop) -> None:
        connection = sqlite3.connect(shop.state)
        with connection:
            connection.execute(statement, values)
        connection.close()

    return breaking


def said(err: str) -> str:
    """The one line on stderr, whether it is text or JSON."""
    lines = err.splitlines()
    assert len(lines) == 1, err
    if lines[0].startswith("{"):
        return f"migrate: {json.loads(lines[0])['message']}"
    return lines[0]
