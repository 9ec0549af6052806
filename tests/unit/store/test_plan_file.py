"""Plan files: written once, kept, read back; and refused, naming file, line and field, when they are not as sealed."""

import copy
import errno
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from migrator.documents.emit import emit
from migrator.documents.errors import DocumentError
from migrator.documents.yaml_file import dotted
from migrator.model.errors import StoreFault
from migrator.model.facts import AgentState
from migrator.model.ids import ServiceId
from migrator.model.plan import Acceptance, Check, Edit, Plan, Verdict
from migrator.store.plan_document import document_of, plan_of
from migrator.store.plan_edit import load_edit
from migrator.store.plan_file import PlanFiles, load_plan, schema_text, to_text
from migrator.store.plan_names import escaped, path_of, service_at
from migrator.store.seal import PROTECTED, leaves
from tests.fakes.folders import shut
from tests.fakes.planning import SAMPLE, SERVICE, World, pod, workload

RICH = World().but(agent_state=AgentState(), live=[pod(None)], made_by=[workload(host_network=True)])
PLAN: Plan = RICH.plans()[0]
TEXT = to_text(PLAN)
ROOT = Path(__file__).parents[3]


@pytest.fixture
def files(tmp_path: Path) -> PlanFiles:
    return PlanFiles(tmp_path / "plans")


def edited(files: PlanFiles, old: str, new: str) -> Path:
    """The plan written, and then `old` replaced by `new` in the file."""
    files.write(PLAN)
    path = files.path(SERVICE)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def refusal(files: PlanFiles) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        files.read(SERVICE)
    assert re.match(r"\S+orders-api\.yaml(:\d+)?: ", str(caught.value))
    return caught.value


def test_written_and_read_back(files: PlanFiles) -> None:
    assert files.write(PLAN)
    assert files.read(SERVICE) == PLAN
    assert files.path(SERVICE) == files.folder / "prod" / "orders" / "orders-api.yaml"
    assert files.services() == (SERVICE,)
    assert list(files.all()) == [PLAN]


def test_the_same_plan_touches_nothing(files: PlanFiles) -> None:
    files.write(PLAN)
    os.utime(files.path(SERVICE), (1, 1))

    assert not files.would_change(PLAN)
    assert not files.write(PLAN)
    assert files.path(SERVICE).stat().st_mtime == 1
    assert [path.name for path in files.path(SERVICE).parent.iterdir()] == ["orders-api.yaml"]


def test_the_same_world_gives_the_same_bytes() -> None:
    assert to_text(RICH.plans()[0]) == TEXT


def test_a_dry_run_writes_nothing(files: PlanFiles) -> None:
    assert files.would_change(PLAN)
    assert not files.folder.exists()


def test_what_a_person_wrote_survives_planning_again(files: PlanFiles) -> None:
    edited(files, "hold: false", "hold: true   # until Monday")
    edit = Edit(hold=True)
    moved = replace(PLAN, facts={**PLAN.facts, "others_trusted": ["x"]})

    assert files.edit_of(SERVICE) == edit
    assert files.write(moved)
    assert files.read(SERVICE) == replace(moved, edit=edit)
    assert not files.write(moved)


def test_every_editable_field_is_kept(files: PlanFiles) -> None:
    edit = Edit(
        hold=True,
        wave=3,
        verify=Check(command=("sh", "-c", "test -f /ok"), container="main"),
        accept=(Acceptance(code="bare-pods", reason="made anew by hand"),),
    )
    files.write(replace(PLAN, edit=edit))

    assert files.read(SERVICE).edit == edit
    assert files.edit_of(SERVICE) == edit


def test_accepting_changes_the_verdict_without_breaking_the_seal(files: PlanFiles) -> None:
    accept = "accept:\n    - {code: bare-pods, reason: by hand}\n    - {code: host-network, reason: tried}"
    edited(files, "accept: []", accept)

    assert PLAN.verdict is Verdict.BLOCKED
    assert files.read(SERVICE).verdict is Verdict.READY


@pytest.mark.parametrize(
    ("old", "new", "field", "problem"),
    [
        ("  hold: false", "  hold: 1", "edit.hold", "1 is not true or false"),
        ("  hold: false", "  hodl: false", "edit.hodl", 'unknown field; did you mean "hold"?'),
        ("  wave: null", '  wave: "2"', "edit.wave", '"2" is not a whole number or null'),
        ("accept: []", "accept: [{code: windows, reason: x}]", "edit.accept[0].code", "cannot be accepted"),
        ("accept: []", "accept: [{code: bare-pod, reason: x}]", "edit.accept[0].code", 'did you mean "bare-pods"?'),
        ("accept: []", "accept: [{code: agent-absent, reason: x}]", "edit.accept[0].code", "needs no acceptance"),
        ("accept: []", 'accept: [{code: bare-pods, reason: ""}]', "edit.accept[0].reason", "too short"),
        ("verify: null", "verify: {command: []}", "edit.verify.command", "too few entries"),
        ("format: 1", "format: 2", "format", '2 is newer than 1, the newest this "migrate" reads'),
        ("format: 1", "format: 0", "format", "0 is not 1"),
        ("verdict: blocked", "verdict: ready", "verdict", "was changed after planning"),
        ("replicas: 2", "replicas: 3", "facts.workloads[0].replicas", "was changed after planning"),
        ("replicas: 2", "replica: 2", "facts.workloads[0].replica", "unknown field"),
        ("daemonset: false", "daemonset: 0", "facts.agent.daemonset", "0 is not true or false"),
        ("      agent: absent", "      agent: ready", "forward[0].before.agent", "was changed after planning"),
        ("      agent: absent", "      agent: absent\n      x: y", "forward[0].before.x", "was changed after planning"),
        ("          - sts:TagSession\n", "", "forward[1].after.statement", "a field of it was changed"),
        ("\n  digest: ", "\n  digest: x", "seal.digest", "does not match"),
        ("forward:", "forwards:", "forwards", 'did you mean "forward"?'),
        ("service: prod/", "service: prodd/", "service", "was changed after planning"),
        ("service: prod/orders/orders-api", "service: orders-api", "service", "does not match"),
    ],
)
def test_each_wrong_field_is_named(files: PlanFiles, old: str, new: str, field: str, problem: str) -> None:
    edited(files, old, new)
    error = refusal(files)

    assert error.field == field
    assert problem in error.problem
    assert error.line is not None


def test_a_touched_seal_is_told(files: PlanFiles) -> None:
    digest = document_of(PLAN)["seal"]["digest"]
    edited(files, f"digest: {digest}", f'digest: "{"0" * 64}"') if digest[0].isalpha() else edited(
        files, f'digest: "{digest}"', f'digest: "{"0" * 64}"'
    )

    assert refusal(files).field == "seal.digest"


def test_another_services_plan_is_refused(files: PlanFiles) -> None:
    files.write(PLAN)
    other = ServiceId("prod", "orders", "other")
    files.path(SERVICE).rename(files.path(other))

    with pytest.raises(
        DocumentError, match=r"other\.yaml:4: service: .*does not belong here but in .*orders-api\.yaml"
    ):
        files.read(other)


def test_a_plan_that_is_not_there(files: PlanFiles) -> None:
    assert files.edit_of(SERVICE) is None
    with pytest.raises(DocumentError, match='there is no plan of "prod/orders/orders-api"; run "migrate plan" first'):
        files.read(SERVICE)


def test_the_edit_is_read_although_the_rest_is_broken(files: PlanFiles) -> None:
    path = edited(files, "  hold: false", "  hold: true")
    path.write_text(path.read_text(encoding="utf-8").replace("facts:", "facts: [", 1), encoding="utf-8")

    assert files.edit_of(SERVICE) == Edit(hold=True)
    assert files.write(PLAN)
    assert files.read(SERVICE).edit.hold


def test_an_unreadable_edit_is_never_overwritten(files: PlanFiles) -> None:
    path = edited(files, "  hold: false", "  hold: maybe")
    before = path.read_bytes()
    line = before.decode().splitlines().index("  hold: maybe") + 1

    with pytest.raises(DocumentError, match=rf"orders-api\.yaml:{line}: edit\.hold: "):
        files.write(replace(PLAN, facts={**PLAN.facts, "others_trusted": ["x"]}))
    assert path.read_bytes() == before


def test_an_edit_in_another_style_is_read(files: PlanFiles) -> None:
    files.write(PLAN)
    data = yaml.safe_load(files.path(SERVICE).read_text(encoding="utf-8"))
    data["edit"]["wave"] = 2
    files.path(SERVICE).write_text(yaml.safe_dump(data, default_flow_style=True), encoding="utf-8")

    assert files.read(SERVICE).edit == Edit(wave=2)
    assert files.edit_of(SERVICE) == Edit(wave=2)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "plans").write_text("a file", encoding="utf-8")

    with pytest.raises((StoreFault, DocumentError), match="plans"):
        PlanFiles(tmp_path / "plans").write(PLAN)


@pytest.mark.parametrize(
    "name", ["..", ".", "../../etc", ".hidden", "a/b", "", "ü", "a\\b", "a\x00b", "con:", "x" * 253]
)
def test_names_never_become_paths(tmp_path: Path, name: str) -> None:
    service = ServiceId("prod", name, name)
    path = path_of(tmp_path, service)

    assert len(path.relative_to(tmp_path).parts) == 3
    assert path.resolve().is_relative_to(tmp_path.resolve() / "prod")
    assert all(not part.startswith(".") and len(part.encode()) <= 255 for part in path.relative_to(tmp_path).parts)
    assert service_at(tmp_path, path) in {service, None}


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), st.text(max_size=30))
def test_different_names_have_different_paths(one: str, other: str) -> None:
    assert (escaped(one) == escaped(other)) == (one == other)


def test_a_name_too_long_for_a_path_is_found_again(files: PlanFiles) -> None:
    service = ServiceId("prod", "orders", "x" * 253)
    files.write(replace(PLAN, service=service))

    assert files.read(service).service == service
    assert files.services() == (service,)


@pytest.mark.parametrize("parts", [("prod",), ("prod", "orders")])
def test_a_folder_that_may_not_be_read_is_named(
    files: PlanFiles, monkeypatch: pytest.MonkeyPatch, parts: tuple[str, ...]
) -> None:
    other = ServiceId("test", "orders", "orders-api")
    for service in (SERVICE, other):
        files.write(replace(PLAN, service=service))
    shut(monkeypatch, files.folder.joinpath(*parts))

    assert files.services() == (other,)
    (said,) = files.strays()
    assert str(said) == f"{files.folder.joinpath(*parts)}: cannot be read: Permission denied; make it readable"
    assert list(files.hidden([SERVICE, other])) == [SERVICE]


def test_the_whole_folder_may_not_be_read(files: PlanFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    files.write(PLAN)
    shut(monkeypatch, files.folder)

    with pytest.raises(DocumentError, match="plans: cannot be read: Permission denied; make it readable"):
        files.services()


def test_a_closed_folder_that_migrate_never_writes_hides_no_plan(
    files: PlanFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.write(PLAN)
    (files.folder / "lost+found").mkdir()
    shut(monkeypatch, files.folder / "lost+found")

    assert (files.services(), files.strays()) == ((SERVICE,), ())


def test_a_file_below_a_closed_folder_is_not_said_to_be_missing(
    files: PlanFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: Path) -> bool:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    assert not files.stands(SERVICE)
    monkeypatch.setattr(Path, "is_file", refused)
    with pytest.raises(DocumentError, match=r"orders-api\.yaml: cannot be read: Permission denied"):
        files.stands(SERVICE)


@pytest.mark.parametrize("name", [".#orders-api.yaml", ".hidden.yaml", ".yaml"])
def test_names_that_begin_with_a_dot_are_passed_by(files: PlanFiles, name: str) -> None:
    files.write(PLAN)
    (files.path(SERVICE).parent / name).symlink_to("ann@desk.4711")
    (files.folder / ".git" / "orders").mkdir(parents=True)
    (files.folder / ".git" / "orders" / "x.yaml").touch()

    assert (files.services(), files.strays()) == ((SERVICE,), ())


@pytest.mark.parametrize("name", ["ü ö", "a b", "orders-api~", "x%2", "%41", "orders-api (copy)"])
def test_a_file_that_is_nobodys_plan_is_named_as_it_is_called(files: PlanFiles, name: str) -> None:
    files.write(PLAN)
    path = files.path(SERVICE).with_name(f"{name}.yaml")
    path.write_text(to_text(PLAN), encoding="utf-8")

    assert files.services() == (SERVICE,)
    assert [str(one) for one in files.strays()] == [f"{path}: is no name that migrate writes; move it away"]


def test_a_strange_name_is_told_on_one_line(files: PlanFiles) -> None:
    files.write(PLAN)
    files.path(SERVICE).with_name("a\n\x1b[2Jb\udcff.yaml").touch()

    (said,) = files.strays()
    assert str(said).endswith(r"/a\n\x1b[2Jb\udcff.yaml: is no name that migrate writes; move it away")


def test_a_plan_under_a_shortened_name_that_is_not_its_own_is_named(files: PlanFiles) -> None:
    files.write(PLAN)
    files.path(SERVICE).rename(files.path(SERVICE).with_name(f"x~{'0' * 16}.yaml"))

    assert files.services() == ()
    (said,) = files.strays()
    assert '"prod/orders/orders-api" does not belong here but in' in said.problem


LEAVES = [path for path, _ in leaves({part: document_of(PLAN)[part] for part in PROTECTED})]


@settings(max_examples=60, derandomize=True)  # four digits may collide once in 65536
@given(st.sampled_from(LEAVES), st.one_of(st.text(max_size=5), st.integers(), st.none(), st.booleans()))
def test_a_change_of_any_protected_leaf_names_it(
    tmp_path_factory: pytest.TempPathFactory, path: Any, value: Any
) -> None:
    data = copy.deepcopy(document_of(PLAN))
    place: Any = data
    for part in path[:-1]:
        place = place[part]
    if place[path[-1]] == value and type(place[path[-1]]) is type(value):
        return
    place[path[-1]] = value
    file = tmp_path_factory.mktemp("plan") / "plan.yaml"
    file.write_text(emit(data), encoding="utf-8")

    with pytest.raises(DocumentError) as caught:
        load_plan(file)
    assert caught.value.field == dotted(path)


@given(
    st.builds(
        Edit,
        hold=st.booleans(),
        wave=st.none() | st.integers(0, 99),
        verify=st.none() | st.builds(Check, command=st.lists(st.text(max_size=5), min_size=1).map(tuple)),
        accept=st.lists(
            st.builds(Acceptance, code=st.sampled_from(["bare-pods", "proxy"]), reason=st.text(min_size=1))
        ).map(tuple),
    )
)
def test_any_edit_is_written_and_read_back(edit: Edit) -> None:
    plan = plan_of(document_of(replace(PLAN, edit=edit)))

    assert plan.edit == edit
    assert plan_of(yaml.load(to_text(plan), yaml.CSafeLoader)) == plan


def test_the_published_schema_is_the_one_in_force(files: PlanFiles) -> None:
    assert (ROOT / "plans" / "plan.schema.json").read_bytes() == schema_text()
    assert files.publish_schema()
    assert not files.publish_schema()


def test_the_sample_is_a_plan_as_it_is_written_now() -> None:
    (plan,) = SAMPLE.plans()
    path = PlanFiles(ROOT / "plans").path(plan.service)

    assert path.read_text(encoding="utf-8") == to_text(plan)
    assert load_plan(path) == plan
    assert plan.verdict is Verdict.ATTENTION


def test_the_readmes_example_is_a_readable_edit(tmp_path: Path) -> None:
    readme = (ROOT / "plans" / "README.md").read_text(encoding="utf-8")
    example = re.search(r"```yaml\n(.*?)```", readme, re.DOTALL)
    assert example is not None
    (tmp_path / "plan.yaml").write_text(example[1], encoding="utf-8")

    assert load_edit(tmp_path / "plan.yaml").accept[0].code == "proxy"
    assert len(readme.splitlines()) < 60


def with_container(name: str, *, bare: bool = False) -> Plan:
    world = World().but(agent_state=AgentState(), live=[pod(None)] if bare else [], made_by=[workload()])
    return replace(world.plans()[0], edit=Edit(verify=Check(command=("true",), container=name)))


def test_a_container_that_no_workload_has_is_refused(files: PlanFiles) -> None:
    plan = with_container("sidecar")
    names = plan.facts["workloads"][0]["containers"]
    files.write(plan)

    error = refusal(files)
    assert (error.field, error.problem) == (
        "edit.verify.container",
        f'no workload of the service has a container "sidecar"; there are "{names[0]}"',
    )


def test_a_container_that_there_is_or_may_be_is_taken(files: PlanFiles) -> None:
    known = with_container("x").facts["workloads"][0]["containers"][0]
    for plan in (with_container(known), with_container(""), with_container("sidecar", bare=True)):
        files.write(replace(plan, edit=plan.edit))
        files.path(SERVICE).write_text(to_text(plan), encoding="utf-8")
        assert files.read(SERVICE).edit == plan.edit
