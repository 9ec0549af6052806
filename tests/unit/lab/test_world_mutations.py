"""Whatever is done to a world file: it loads, or is refused in one sentence that names the file and the field."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrator.documents.errors import DocumentError
from migrator.documents.yaml_file import parse
from migrator.lab.world.load import load_world, world_file
from migrator.lab.world.model import World

_WORLDS = {name: parse(Path(name), world_file(name).read_text("utf-8")).data for name in ("exercise", "fleet")}
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 10**13),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(["prod", "shop", "111111111111", "${issuer:nowhere}", "a:b:c", "*", "..", "/", "eks.5"]),
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
_REFUSAL = re.compile(r"^world\.yaml(:\d+)?: \S")


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [path, *(place for key in keys for place in _places(value[key], (*path, key)))]


_PLACES = {name: _places(world)[1:] for name, world in _WORLDS.items()}


@st.composite
def _mutated(draw: st.DrawFn) -> Any:
    name = draw(st.sampled_from(sorted(_WORLDS)))
    world = copy.deepcopy(_WORLDS[name])
    for _ in range(draw(st.integers(1, 3))):
        _mutate(draw, world, draw(st.sampled_from(_PLACES[name])))
    return world


def _mutate(draw: st.DrawFn, world: Any, path: tuple[Any, ...]) -> None:
    holder = world
    try:
        for part in path[:-1]:
            holder = holder[part]
        old = holder[path[-1]]
    except (KeyError, IndexError, TypeError):
        return  # an earlier mutation took this place away
    match draw(st.sampled_from(["replace", "delete", "twice", "rename", "null"])):
        case "replace":
            holder[path[-1]] = draw(_VALUES)
        case "delete":
            del holder[path[-1]]
        case "twice" if isinstance(holder, list):
            holder.append(copy.deepcopy(old))
        case "rename" if isinstance(holder, dict):
            holder[draw(st.text(max_size=8))] = holder.pop(path[-1])
        case _:
            holder[path[-1]] = None


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("worlds")


@settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(world=_mutated())
def test_mutated_world_loads_or_is_refused_with_its_field(
    folder: Path, monkeypatch_module: pytest.MonkeyPatch, world: Any
) -> None:
    monkeypatch_module.chdir(folder)
    path = Path("world.yaml")
    path.write_text(json.dumps(world), encoding="utf-8")

    loaded = _outcome(path)

    if isinstance(loaded, World):
        json.dumps([made.document for cluster in loaded.clusters for made in cluster.objects])
    else:
        assert _REFUSAL.match(loaded), loaded
        assert "\n" not in loaded


def _outcome(path: Path) -> World | str:
    try:
        return load_world(path)
    except DocumentError as refusal:
        return str(refusal)


@settings(max_examples=150)
@given(text=st.text(max_size=200))
def test_any_text_loads_or_is_refused(folder: Path, monkeypatch_module: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch_module.chdir(folder)
    path = Path("world.yaml")
    path.write_bytes(text.encode("utf-8", "surrogatepass"))

    with pytest.raises(DocumentError) as caught:
        load_world(path)
    assert _REFUSAL.match(str(caught.value))


@pytest.fixture(scope="module")
def monkeypatch_module() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        yield patch
