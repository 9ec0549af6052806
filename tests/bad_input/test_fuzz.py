"""Valid files, damaged at random: what is accepted means what it says, the rest is one sentence."""

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrator.documents.errors import DocumentError
from migrator.entry import main
from migrator.lab.world.load import load_world
from migrator.lab.world.model import World
from migrator.model.exits import Exit
from migrator.model.plan import Plan
from migrator.store.fleet_file import load_fleet
from migrator.store.plan_file import load_plan
from tests.bad_input.mutations import damaged, flipped
from tests.bad_input.shop import CART, Ended, Shop, opened, said

FEW = settings(
    max_examples=40,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
MANY = settings(FEW, max_examples=250, derandomize=False)


class Bench:
    """A shop whose files are damaged one after another, and put back each time.

    No dataclass: hypothesis prints the arguments of what it found, and fails itself over so long a text.
    """

    def __init__(self, shop: Shop, whole: dict[Path, bytes], sealed: Plan) -> None:
        self.shop = shop
        self.whole = whole
        self.sealed = sealed

    @contextlib.contextmanager
    def damaged(self, path: Path, content: bytes) -> Iterator[None]:
        """The file with this content for the block, which must leave everything as it is."""
        path.write_bytes(content)
        before = self.shop.snapshot()
        try:
            yield
            assert self.shop.snapshot() == before
        finally:
            for side in (f"{path}-wal", f"{path}-shm"):
                Path(side).unlink(missing_ok=True)
            path.write_bytes(self.whole[path])

    def migrate(self, *arguments: str) -> Ended:
        """Runs the program in this process."""
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            patch.setattr("sys.argv", ["migrate", *arguments])
            code = main()
        return Ended(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with pytest.MonkeyPatch.context() as patch:
        shop, network = opened(tmp_path_factory.mktemp("shop"), patch)
        files = (shop.fleet, shop.plan(), shop.state, shop.world)
        yield Bench(shop, {path: path.read_bytes() for path in files}, load_plan(shop.plan()))
        assert network.tried == []


def ended_well(ended: Ended, *codes: Exit) -> bool:
    """Whether it is done; when it is not, that it was said in one sentence and with one of these codes."""
    assert "Traceback" not in ended.out + ended.err
    if ended.code == Exit.DONE:
        return True
    assert ended.code in codes, ended
    if "unreadable: " in ended.out:  # a table that names the plan files, to a reader of stdout
        return False
    sentence = said(ended.err)
    assert sentence.startswith("migrate: "), sentence
    assert "unexpected error" not in sentence
    return False


def read_as_yaml(content: bytes) -> Any:
    """The data as another reader sees it. By libyaml: PyYAML's own scanner refuses tabs where YAML 1.2 allows them."""
    return yaml.load(content.decode("utf-8"), Loader=yaml.CSafeLoader)


def try_fleet(bench: Bench, content: bytes) -> None:
    path = bench.shop.fleet
    with bench.damaged(path, content):
        ended = bench.migrate("status")
        accepted = ended_well(ended, Exit.USAGE, Exit.ERROR)
        if accepted or "unreadable: " in ended.out:
            fleet, data = load_fleet(path), read_as_yaml(content)
            assert [one.alias for one in fleet.clusters] == [one["alias"] for one in data["clusters"]]
            wanted = {**data.get("defaults", {}), **data["clusters"][0]}
            assert (fleet.clusters[0].region, fleet.clusters[0].account) == (wanted["region"], wanted["account"])
            assert list(fleet.excludes) == data.get("excludes", [])


def try_plan(bench: Bench, content: bytes) -> None:
    path = bench.shop.plan()
    with bench.damaged(path, content):
        shown = ended_well(bench.migrate("show", str(CART)), Exit.USAGE)
        would = ended_well(bench.migrate("apply", "--service", str(CART), "--dry-run"), Exit.USAGE, Exit.BLOCKED)
        assert shown or not would
        if shown:
            plan, sealed = load_plan(path), bench.sealed
            assert (plan.service, plan.facts, plan.findings) == (sealed.service, sealed.facts, sealed.findings)
            assert {step.id: step for step in plan.forward} == {step.id: step for step in sealed.forward}
            assert plan.back == sealed.back
            assert plan.edit.hold is read_as_yaml(content)["edit"].get("hold", False)


COMMANDS = (
    ["status"],
    ["history", "prod/shop/orders", "--verbose"],
    ["rollback", "--service", "prod/shop/orders", "--dry-run"],
    ["apply", "--service", str(CART), "--dry-run"],
)


def try_state(bench: Bench, content: bytes, command: list[str]) -> None:
    with bench.damaged(bench.shop.state, content):
        ended_well(bench.migrate(*command), Exit.ERROR, Exit.USAGE, Exit.BLOCKED)


def try_world(bench: Bench, content: bytes) -> None:
    path = bench.shop.world
    with bench.damaged(path, content):
        loaded = world_of(path)
        if isinstance(loaded, str):
            assert loaded.startswith(f"{path}:")
            assert "\n" not in loaded
        else:
            clusters = read_as_yaml(content).get("clusters", [])
            assert [one.alias for one in loaded.clusters] == [one.get("alias", one.get("name")) for one in clusters]


def world_of(path: Path) -> World | str:
    """The world, or why there is none."""
    try:
        return load_world(path)
    except DocumentError as error:
        return str(error)


KINDS = {
    "fleet": lambda bench, data: try_fleet(bench, data.draw(damaged(bench.whole[bench.shop.fleet]))),
    "plan": lambda bench, data: try_plan(bench, data.draw(damaged(bench.whole[bench.shop.plan()]))),
    "world": lambda bench, data: try_world(bench, data.draw(damaged(bench.whole[bench.shop.world]))),
    "state": lambda bench, data: try_state(
        bench, data.draw(flipped(bench.whole[bench.shop.state])), data.draw(st.sampled_from(COMMANDS))
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@FEW
@given(data=st.data())
def test_a_damaged_file_is_read_as_it_stands_or_refused_in_one_sentence(
    bench: Bench, kind: str, data: st.DataObject
) -> None:
    KINDS[kind](bench, data)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", KINDS)
@MANY
@given(data=st.data())
def test_many_damaged_files(bench: Bench, kind: str, data: st.DataObject) -> None:
    KINDS[kind](bench, data)
