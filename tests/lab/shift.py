"""Workers of one fleet, and what befalls them: killed, stopped for a while, started anew, until all is done."""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import TimeoutExpired

from migrator.model.exits import Exit
from tests.lab.harness import Fleet
from tests.lab.zygote import Started, zygote


@dataclass
class Worker:
    """One place of the shift, and whoever holds it now."""

    number: int
    folder: Path
    process: Started | None = None
    starts: int = 0
    exits: list[int] = field(default_factory=list)

    def start(self, fleet: Fleet, arguments: list[str]) -> None:
        """A new process in this place; what it writes is kept in a file."""
        self.starts += 1
        log = self.folder / f"worker-{self.number}-{self.starts}.log"
        with open(os.devnull, "r+") as nothing, log.open("w") as told:  # noqa: PTH123 - a device
            streams = [nothing.fileno(), told.fileno(), told.fileno()]
            self.process = zygote().start(arguments, fleet.environment, fleet.folder, streams)

    def over(self) -> bool:
        """Whether its process has ended."""
        if self.process is None:
            return True
        try:
            self.exits.append(self.process.wait(0))
        except TimeoutExpired:
            return False
        self.process = None
        return True


@dataclass
class Shift:
    """So many workers at once; what befalls them is drawn from the seed."""

    fleet: Fleet
    folder: Path
    count: int
    kills: int
    pauses: int
    paused_for: float
    seed: int
    fates: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.draw = random.Random(self.seed)  # noqa: S311 - a test's, to be repeated
        self.workers = [Worker(number, self.folder) for number in range(self.count)]
        self._waking: list[threading.Timer] = []

    def work(self, every: float, limit: float) -> None:
        """Until every worker has ended by itself, with nothing left to do; others take the places of those killed."""
        until = time.monotonic() + limit
        for worker in self.workers:
            worker.start(self.fleet, ["batch", "--worker", "--log-format", "json"])
        while True:
            assert time.monotonic() < until, f"not over within {limit:.0f} s: {self.fates}"
            time.sleep(self.draw.uniform(0.2, 1.8) * every)
            self._replace()
            alive = [worker for worker in self.workers if worker.process is not None]
            if not alive:
                break
            self._befall(self.draw.choice(alive))
        for timer in self._waking:
            timer.join()

    def said(self, words: str) -> int:
        """On how many lines of their logs the workers say so."""
        return sum(line.count(words) for log in self.folder.glob("*.log") for line in log.read_text().splitlines())

    def _replace(self) -> None:
        """A place that was killed is taken anew; one that ended by itself stays empty: nothing is left to do."""
        for worker in self.workers:
            if worker.process is not None and worker.over():
                self.fates[f"exit {worker.exits[-1]}"] += 1
                if worker.exits[-1] not in ENDED:
                    worker.start(self.fleet, ["batch", "--worker", "--log-format", "json"])

    def _befall(self, worker: Worker) -> None:
        process = worker.process
        assert process is not None
        if self.fates["paused"] < self.pauses and self.draw.random() < 0.2:
            self.fates["paused"] += 1
            process.send_signal(signal.SIGSTOP)
            timer = threading.Timer(self.paused_for, lambda: process.send_signal(signal.SIGCONT))
            timer.start()
            self._waking.append(timer)
        elif self.fates["killed"] < self.kills:
            self.fates["killed"] += 1
            process.kill()


ENDED = frozenset({Exit.DONE, Exit.UNFINISHED, Exit.BLOCKED, Exit.ROLLED_BACK, Exit.ERROR, Exit.DRIFT})


def until(check: Callable[[], bool], limit: float) -> None:
    """Until it holds."""
    end = time.monotonic() + limit
    while not check():
        assert time.monotonic() < end
        time.sleep(0.5)
