"""What is proposed next: what the message itself names, else what fits the exit code; always something to be typed."""

import pytest

from migrator.model.exits import Exit
from migrator.render.next_steps import next_commands
from tests.fakes.samples import ORDERS

AGAIN = f"migrate apply --service {ORDERS}"
BACK = f"migrate rollback --service {ORDERS}"


@pytest.mark.parametrize(
    ("code", "message", "proposed"),
    [
        pytest.param(Exit.DONE, "migrated (2 pods)", (f"migrate verify --service {ORDERS}", BACK), id="[done]"),
        pytest.param(Exit.BLOCKED, f"a rollback was cut off; finish it first: {BACK}", (BACK,), id="[named in full]"),
        pytest.param(Exit.DRIFT, "nothing was changed; run migrate plan again", ("migrate plan",), id="[no service]"),
        pytest.param(
            Exit.BLOCKED, "look at it with migrate verify", (f"migrate verify --service {ORDERS}",), id="[filled]"
        ),
        pytest.param(Exit.DRIFT, f"x; {AGAIN} --from-drift, or: {BACK}.", (f"{AGAIN} --from-drift", BACK), id="[two]"),
        pytest.param(
            Exit.BLOCKED, "blocked by static-keys; see migrate show", (f"migrate show {ORDERS}",), id="[show]"
        ),
    ],
)
def test_after_apply(code: Exit, message: str, proposed: tuple[str, ...]) -> None:
    assert next_commands("apply", code, ORDERS, message) == proposed


@pytest.mark.parametrize("command", ["apply", "rollback"])
@pytest.mark.parametrize("code", [code for code in Exit if code is not Exit.USAGE])
def test_there_is_always_something_to_type(command: str, code: Exit) -> None:
    assert (command, code) == ("rollback", Exit.ROLLED_BACK) or next_commands(command, code, ORDERS, "")
