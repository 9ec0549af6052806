"""Time that moves only by sleeping, tokens that are numbers, and the little language of scripted answers."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from migrator.adapters.retry import Retry
from migrator.model.errors import EnvironmentFault, MigrateError
from tests.contract.adapters.scripted import Asked, Said


@dataclass
class Time:
    """A clock that moves only when somebody sleeps."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    @property
    def retry(self) -> Retry:
        return Retry(sleep=self.sleep, monotonic=lambda: self.now)


@dataclass
class Tokens:
    """An `Auth` whose token is its number."""

    number: int = 1

    def header(self) -> str:
        return f"Bearer {self.number}"

    def renew(self, refused: str) -> None:
        if refused == self.header():
            self.number += 1

    def complaint(self, *, worked: bool) -> MigrateError:
        return EnvironmentFault(f"not let in, worked before: {worked}")


def status(code: int, reason: str, message: str = "said so", **headers: str) -> Said:
    """A Kubernetes `Status`."""
    body = json.dumps({"kind": "Status", "status": "Failure", "reason": reason, "message": message, "code": code})
    return Said(code, body.encode(), {name.replace("_", "-"): value for name, value in headers.items()})


def in_turn(*answers: Said) -> Callable[[Asked], Said]:
    """Each answer once, the last one for ever."""
    left = list(answers)
    return lambda _asked: left.pop(0) if len(left) > 1 else left[0]
