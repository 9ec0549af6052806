"""What can be said of the image without making it."""

import re
import tomllib
from pathlib import PurePosixPath

import pytest

from tests.deploy import context
from tests.deploy.dockerfile import Instruction, Stage, parse
from tests.deploy.image import DOCKERFILE, IGNORED, ROOT

STAGES = parse(DOCKERFILE.read_text(encoding="utf-8"))
RULES = context.rules_of(IGNORED.read_text(encoding="utf-8"))
LOCKS = ("deploy/requirements.lock", "deploy/build.lock")
PINNED = re.compile(r"^([a-z0-9-]+)==(\S+) \\\n((?: +--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE)


def pinned(name: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Version and hashes by package."""
    found = PINNED.findall((ROOT / name).read_text(encoding="utf-8"))
    return {package: (version, frozenset(re.findall(r"sha256:\w+", hashes))) for package, version, hashes in found}


def of(stage: Stage, word: str) -> list[Instruction]:
    return [one for one in stage.instructions if one.word == word]


def test_both_stages_begin_from_one_pinned_tag() -> None:
    assert [stage.base for stage in STAGES] == [STAGES[0].base] * 2
    assert re.fullmatch(r"python:3\.\d+-slim-[a-z]+", STAGES[0].base)


def test_it_is_nobody_and_starts_the_program_without_a_shell() -> None:
    final = STAGES[-1]

    assert [one.text for one in of(final, "USER")] == ["65532:65532"]
    assert [one.text for one in of(final, "ENTRYPOINT")] == ['["migrate"]']
    assert not of(final, "RUN")


def test_no_step_knows_an_architecture() -> None:
    text = DOCKERFILE.read_text(encoding="utf-8")
    steps = "".join(one.text for stage in STAGES for one in stage.instructions)

    assert not re.search(r"amd64|arm64|x86_64|aarch64|TARGET|--platform", steps)
    assert "FROM --platform" not in text


@pytest.mark.parametrize("lock", LOCKS)
def test_what_is_installed_is_locked_with_hashes(lock: str) -> None:
    installs = [one.text for one in of(STAGES[0], "RUN") if "pip" in one.text and "install" in one.text]
    steps = [text for text in installs if lock in text]

    assert len(steps) == 1
    assert "--require-hashes" in steps[0]
    assert "--only-binary :all:" in steps[0]
    assert all(any(name in text for name in LOCKS) or "--no-index" in text for text in installs)


def test_the_image_is_made_of_what_is_tested() -> None:
    whole, image, build = (pinned(name) for name in ("requirements.lock", *LOCKS))

    assert image
    assert build
    assert image.items() <= whole.items(), "run scripts/lock"
    assert build.items() <= whole.items(), "run scripts/lock"


def test_every_dependency_is_in_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {re.split(r"[<>=\[]", one)[0] for one in project["dependencies"]}

    assert needed - set(pinned("deploy/requirements.lock")) == set(), "run scripts/lock"


def test_the_extras_are_not_in_it() -> None:
    assert not set(pinned("deploy/requirements.lock")) & {"moto", "flask", "cryptography", "jsonpatch", "pytest"}


SENT = {
    "migrator/cli/app.py": True,
    "migrator/store/fleet.schema.json": True,
    "deploy/requirements.lock": True,
    "pyproject.toml": True,
    "migrator/cli/__pycache__/app.cpython-313.pyc": False,
    "tests/conftest.py": False,
    "deploy/Dockerfile": False,
    "state.db": False,
    "fleet.yaml": False,
    "requirements.lock": False,
    ".git/config": False,
}


@pytest.mark.parametrize(("path", "expected"), SENT.items(), ids=SENT)
def test_nothing_but_the_program_is_sent_to_the_builder(path: str, *, expected: bool) -> None:
    assert context.is_sent(PurePosixPath(path), RULES) is expected


@pytest.mark.parametrize("text", ["FROM a\nADD b c\n", "RUN x\n", "FROM a\nCOPY --link=true b c\n"])
def test_what_the_steps_by_hand_do_not_know_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not known here|before the first FROM"):
        parse(text)
