"""Both stores, DynamoDB's behind the practice fleet's AWS front, which every test may disturb."""

import itertools
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from migrator.lab.aws.errors import ApiError, ConnectionClosedError
from migrator.lab.aws.front import AwsFront
from migrator.lab.aws.wire import Request
from migrator.model.fleet import SqliteState
from tests.contract.store.stores import ACCOUNT, OTHER, Side, environment, made, sessions


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsFront]:
    front = AwsFront([ACCOUNT, OTHER])
    front.start()
    sessions.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(front.endpoint, tmp_path_factory.mktemp("aws")).items():
            patch.setenv(name, value)
        yield front
    sessions.cache_clear()
    front.stop()


@pytest.fixture(scope="module")
def table(front: AwsFront) -> Callable[..., Side]:
    """`table(length)`: a new DynamoDB store."""
    numbers, stem = itertools.count(1), uuid.uuid4().hex[:6]
    return lambda length=60.0: made(f"store-{stem}-{next(numbers)}", length)


@pytest.fixture(params=["sqlite", "dynamodb"])
def side(request: pytest.FixtureRequest, tmp_path: Path) -> Side:
    """One kind of store and then the other."""
    if request.param == "sqlite":
        return Side(SqliteState(tmp_path / "state.db"))
    make: Callable[..., Side] = request.getfixturevalue("table")
    return make()


class Trouble:
    """What befalls the next calls of an operation, or of any."""

    def __init__(self) -> None:
        self.struck: list[str] = []
        self._before: list[tuple[str, Exception]] = []
        self._after: list[str] = []

    def refuse(self, operation: str, code: str, status: int = 400, times: int = 1) -> None:
        """They are refused."""
        self._before += [(operation, ApiError(code, "said so", status)) for _ in range(times)]

    def drop(self, operation: str, side: str, times: int = 1) -> None:
        """The connection is lost before the server has acted, or after."""
        if side == "before":
            self._before += [(operation, ConnectionClosedError()) for _ in range(times)]
        else:
            self._after += [operation] * times

    def before(self, request: Request) -> None:
        for one in list(self._before):
            if request.service == "dynamodb" and one[0] in {request.action, "*"}:
                self._before.remove(one)
                self.struck.append(request.action)
                raise one[1]

    def after(self, request: Request, _answer: object) -> None:
        if request.service == "dynamodb" and request.action in self._after:
            self._after.remove(request.action)
            self.struck.append(request.action)
            raise ConnectionClosedError


@pytest.fixture
def trouble(front: AwsFront) -> Iterator[Trouble]:
    trouble = Trouble()
    front.hooks.append(trouble.before)
    front.after_hooks.append(trouble.after)
    yield trouble
    front.hooks.remove(trouble.before)
    front.after_hooks.remove(trouble.after)
