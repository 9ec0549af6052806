"""Hundreds of real SIGKILLs at random instants: every run that is taken up again ends like one that nobody killed.

Groups of like services go there and back at the same time, over and over. The first of each group is never killed:
what it looks like is what the others must look like. `SIGKILLS` and `SIGKILL_SEED` in the environment set how many and
which.
"""

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from migrator.model.ids import ServiceId
from tests.lab import harness, scenes
from tests.lab.harness import LIMIT, Fleet
from tests.lab.look import check
from tests.lab.portrait import Portrait, portrait, trust_of

WANTED = int(os.environ.get("SIGKILLS", "300"))
SEED = os.environ.get("SIGKILL_SEED", "20")
SPAN = {"apply": 3.5, "rollback": 4.5}  # about what an uninterrupted one takes after its first word
EARLY = 0.05  # share of kills before the first word: imports, opening of the store, looking at the plans
TWICE = 0.8  # chance that what was taken up again is killed as well


@dataclass(frozen=True)
class Group:
    """Services that go together: each of `commands` is one process, for these services; `copies` are letters."""

    name: str
    commands: Sequence[Sequence[str]]
    order: str = "annotation-first"
    shared_role: bool = False
    copies: str = "b"

    def services(self, copy: str) -> list[str]:
        """Names of one copy's services; copy `a` is the one nobody kills."""
        return [f"{self.name}{name}{copy}" for command in self.commands for name in command]

    def role(self, service: str, copy: str) -> str:
        return f"{self.name}{copy}" if self.shared_role else service


GROUPS = (
    Group("single", [["x"]], copies="bc"),
    Group("last", [["x"]], order="annotation-last", copies="bc"),
    Group("many", [["x", "y"]]),
    Group("pair", [["x"], ["y"]], shared_role=True),
)


@dataclass
class Figures:
    """What was killed where, by all threads together."""

    kills: Counter[str] = field(default_factory=Counter)
    over_before: int = 0
    walks: int = 0
    guard: threading.Lock = field(default_factory=threading.Lock)

    @property
    def count(self) -> int:
        return sum(self.kills.values())

    def told(self, seconds: float) -> str:
        """For people: the table that the gate shows."""
        lines = [
            f"{self.count} SIGKILLs in {self.walks} walks, seed {SEED}, {seconds:.0f} s;",
            f"{self.over_before} processes were over before their kill; where the others had come to:",
        ]
        lines += [f"  {count:4} {where}" for where, count in sorted(self.kills.items())]
        return "\n".join(lines)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("sigkill")
    services = [
        made
        for group in GROUPS
        for copy in f"a{group.copies}"
        for name in group.services(copy)
        for made in [shop(group, name, copy)]
    ]
    world = scenes.write(folder, services, addons=["eks-pod-identity-agent"])
    with harness.fleet(world, folder) as running:
        scenes.waits(running, settle=0.6, reconcile=0.6)
        running.migrate("plan").ok()
        for group in GROUPS:
            for name in [one for copy in f"a{group.copies}" for one in group.services(copy)]:
                scenes.edit(running, f"main/shop/{name}", order=group.order)
        yield running


def shop(group: Group, name: str, copy: str) -> scenes.Service:
    """A service with a Deployment, and in the group of many a StatefulSet beside it."""
    made = {**scenes.service(name), "role": {"name": group.role(name, copy)}}
    if group.name == "many":
        made["workloads"] = [
            {"name": f"{name}-web", "serviceAccount": name, "replicas": 2},
            {"name": f"{name}-db", "serviceAccount": name, "kind": "StatefulSet"},
        ]
    return made


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_killed_anywhere_any_number_of_times(fleet: Fleet) -> None:
    figures, began = Figures(), time.monotonic()
    with ThreadPoolExecutor(sum(len(group.copies) for group in GROUPS)) as pool:
        looks = dict(pool.map(lambda group: (group.name, reference(fleet, group)), GROUPS))
        rounds = [
            pool.submit(there_and_back, fleet, group, copy, looks[group.name], figures)
            for group in GROUPS
            for copy in group.copies
        ]
        problems = [problem for one in rounds for problem in one.result()]
    sys.stdout.write(f"\n{figures.told(time.monotonic() - began)}\n")
    assert not problems, "\n\n".join(problems)
    assert figures.count >= WANTED
    check(fleet)


def reference(fleet: Fleet, group: Group) -> dict[str, list[Any]]:
    """How the copy that nobody kills looks after going there, and after going back."""
    looks = {}
    for walks, command in enumerate(("apply", "rollback")):
        for names in group.commands:
            fleet.migrate(*arguments(command, [f"{group.name}{name}a" for name in names])).ok()
        looks[command] = look(fleet, group, "a", walks)
    return looks


def look(fleet: Fleet, group: Group, copy: str, walks: int) -> list[Any]:
    """All that is compared, after so many walks and one more."""
    names = group.services(copy)
    portraits: list[Portrait] = [portrait(fleet, ServiceId("main", "shop", name), walks) for name in names]
    roles = sorted({group.role(name, copy) for name in names})
    replaced = {f"{group.name}{word}{copy}": f"{group.name}{word}" for word in ("x", "y", "")}
    text = json.dumps([portraits, [trust_of(fleet, role, replaced) for role in roles]])
    for name, instead in replaced.items():
        text = text.replace(name, instead)
    found: list[Any] = json.loads(text)
    return found


def there_and_back(fleet: Fleet, group: Group, copy: str, looks: dict[str, list[Any]], figures: Figures) -> list[str]:
    """Rounds until there were kills enough, or something was wrong; says what was."""
    lots, walks = lots_of(f"{SEED}-{group.name}-{copy}"), 0
    while figures.count < WANTED:
        for command in ("apply", "rollback"):
            told = [problem for problem in walk_all(fleet, group, copy, command, lots, figures) if problem]
            now, wanted = look(fleet, group, copy, walks), looks[command]
            walks += 1
            if now != wanted:
                told.append(f"{group.name}{copy} after {command}:\n{json.dumps(now)}\nis not\n{json.dumps(wanted)}")
            if told:
                return told
    return []


def lots_of(seed: str) -> random.Random:
    """Lots that can be drawn again."""
    return random.Random(seed)  # noqa: S311 - instants, no secrets


def walk_all(  # noqa: PLR0917 - a walk is of one copy of one group in one direction
    fleet: Fleet, group: Group, copy: str, command: str, lots: random.Random, figures: Figures
) -> list[str]:
    """Every command of the group at the same time."""
    seeds = [f"{lots.random()}" for _ in group.commands]
    with ThreadPoolExecutor(len(group.commands)) as pool:
        walks = [
            pool.submit(
                walk,
                fleet,
                arguments(command, [f"{group.name}{name}{copy}" for name in names]),
                lots_of(seed),
                figures,
            )
            for names, seed in zip(group.commands, seeds, strict=True)
        ]
        return [one.result() for one in walks]


def arguments(command: str, names: Sequence[str]) -> list[str]:
    return [command, *(part for name in names for part in ("--service", f"main/shop/{name}")), "--yes"]


def walk(fleet: Fleet, command: list[str], lots: random.Random, figures: Figures) -> str:
    """Killed once or more, and then run to its end; the answer says what was wrong with that end."""
    left = SPAN[command[0]] * command.count("--service")
    where: list[str] = []
    while not where or lots.random() < TWICE:
        at = lots.uniform(0.0, max(left, 1.0))
        hit = killed(fleet, command, at, early=lots.random() < EARLY)
        with figures.guard:
            if hit:
                figures.kills[hit] += 1
            figures.over_before += not hit
        where.append(hit or "over before")
        left -= at
        if not hit:
            break
    figures.walks += 1
    ran = fleet.migrate(*command)
    return "" if ran.exit == 0 else f"{' '.join(command)}, killed at {where}: exit {ran.exit}\n{ran.out}{ran.err}"


def killed(fleet: Fleet, command: list[str], after: float, *, early: bool) -> str:
    """Kills the command so many seconds after its first word; says where that was, empty if it was over before."""
    process = fleet.start(*command)
    assert process.stderr is not None
    lines: list[str] = []
    spoke = threading.Event()

    def read() -> None:
        for line in process.stderr or ():
            lines.append(line)
            spoke.set()
        spoke.set()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        if early:
            process.wait(min(after, 1.0) / 2)
        else:
            spoke.wait(LIMIT)
            process.wait(after)
    except subprocess.TimeoutExpired:
        process.kill()
    code = process.wait(LIMIT)
    reader.join()
    process.stderr.close()
    return _where(command[0], lines) if code < 0 else ""


def _where(command: str, lines: Sequence[str]) -> str:
    """The last thing that was told before the end."""
    moved = [told for told in map(json.loads, lines) if told.get("code") == "StepMoved"]
    return f"{command}: {moved[-1]['step']} {moved[-1]['status']}" if moved else f"{command}: before the first step"
