"""A fleet file that is sound by itself and does not fit the world: one sentence, and the cloud is only read."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from migrator.model.exits import Exit
from tests.bad_input.shop import said
from tests.lab.harness import Fleet, fleet
from tests.lab.scenes import CLUSTER, service, write

Change = Callable[[str, Path], str]


@pytest.fixture(scope="module", name="lab")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("live")
    with fleet(write(folder, [service("orders")]), folder) as lab:
        yield lab


def other(old: str, new: str) -> Change:
    """Another text in the fleet file."""

    def change(text: str, _folder: Path) -> str:
        assert old in text
        return text.replace(old, new)

    return change


def context(name: str, content: str | None) -> Change:
    """The cluster reached by a kubeconfig with this content."""

    def change(text: str, folder: Path) -> str:
        if content is not None:
            (folder / "kubeconfig").write_text(content, encoding="utf-8")
        field = f'    kubeconfig: {{context: {name}, file: "{folder / "kubeconfig"}"}}\n'
        return text.replace(f"    name: {CLUSTER}\n", f"    name: {CLUSTER}\n{field}")

    return change


ELSEWHERE = """\
{"apiVersion": "v1", "kind": "Config", "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
 "users": [{"name": "u", "user": {"token": "t"}}],
 "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]}
"""

FLEETS: dict[str, tuple[Change, tuple[str, ...]]] = {
    "[cluster] EKS does not know": (other(f"name: {CLUSTER}", "name: mian"), ('"mian"',)),
    "[account] of somebody else": (other('"111111111111"', '"222222222222"'), ("111111111111", "222222222222")),
    "[profile] not configured": (other("profile: ", "profile: no-"), ("no-lab-111111111111",)),
    "[region] without this cluster": (other("eu-west-1", "eu-west-3"), ("eu-west-3",)),
    "[kubeconfig] missing": (context("c", None), ('context "c"', "kubeconfig", "cannot be used")),
    "[kubeconfig] empty": (context("c", ""), ('context "c"', "cannot be used")),
    "[kubeconfig] no YAML": (context("c", "clusters: ["), ('context "c"', "cannot be used")),
    "[kubeconfig] a list": (context("c", "[]"), ('context "c"', "cannot be used")),
    "[kubeconfig] without that context": (context("d", ELSEWHERE), ('context "d"', "cannot be used")),
    "[kubeconfig] of another cluster": (context("c", ELSEWHERE), ('context "c" leads to "https://127.0.0.1:1"',)),
}


@pytest.mark.parametrize(("change", "says"), FLEETS.values(), ids=FLEETS.keys())
def test_the_cluster_is_left_out_with_its_reason(
    lab: Fleet, tmp_path: Path, change: Change, says: tuple[str, ...]
) -> None:
    text = change(Path(lab.environment["MIGRATE_FLEET"]).read_text(encoding="utf-8"), tmp_path)
    (tmp_path / "fleet.yaml").write_text(text, encoding="utf-8")
    known = len(lab.calls())

    ended = lab.migrate("plan", "--fleet", str(tmp_path / "fleet.yaml"), "--plans", str(tmp_path / "plans"))

    assert ended.exit == Exit.ERROR, ended
    sentence = said(ended.err)
    assert [part for part in says if part not in sentence] == [], sentence
    assert "unexpected error" not in sentence
    made = {call["operation"] for call in lab.calls()[known:] if call["mutating"]}
    assert made == set()
    assert sorted(path.name for path in tmp_path.rglob("*.yaml")) == ["fleet.yaml"]
