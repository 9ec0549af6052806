"""The docs and the code tell the same story."""

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from migrator.lab.controlplane import programs
from migrator.model import errors
from migrator.model.exits import Exit
from migrator.render.error_pages import ERRORS

ROOT = Path(__file__).resolve().parents[3]
_NAME = re.compile(r"^[A-Za-z0-9._-]+")


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_docs", ROOT / "scripts" / "generate_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["cli.md", "output.md", "exit-codes.md", "findings.md"])
def test_generated_pages_are_up_to_date(name: str) -> None:
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == generator().page(name), "run scripts/docs"


def dependencies() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    listed = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    return {match[0] for match in map(_NAME.match, listed) if match}


def test_every_dependency_has_its_line() -> None:
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| ([A-Za-z0-9./_-]+) \| .+ \| .+ \|$", text, re.MULTILINE)

    modules = {program.source for program in programs.ALL}
    assert sorted(set(told) - {"package", "module", "---"}) == sorted(dependencies() | modules)


def test_every_layer_is_in_the_picture() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    folders = [path.parent.name for path in (ROOT / "migrator").glob("*/__init__.py")]

    assert [folder for folder in folders if f"\n  {folder}/ " not in text] == []


def kinds_of(error: type[errors.MigrateError]) -> set[type[errors.MigrateError]]:
    return {error}.union(*(kinds_of(one) for one in error.__subclasses__() if one.__module__ == errors.__name__))


@pytest.mark.parametrize("kind", sorted(kinds_of(errors.MigrateError), key=str))
def test_every_error_has_its_page(kind: type[errors.MigrateError]) -> None:
    page = ERRORS[kind.code]

    assert page.exit is (Exit.INTERRUPTED if kind is errors.Interrupted else kind.exit)
