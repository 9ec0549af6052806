"""What the wiring hands to the adapters: one meter for all calls, and a rate where a command has one."""

from pathlib import Path

import pytest

from migrator.cli.options import Common, Form, LogFormat
from migrator.cli.wiring import Wiring

FLEET = "version: 1\nclusters:\n  - {alias: prod, region: eu-west-1, account: '111111111111'}\n"


@pytest.fixture
def common(tmp_path: Path) -> Common:
    (tmp_path / "fleet.yaml").write_text(FLEET)
    return Common(
        fleet=tmp_path / "fleet.yaml",
        plans=None,
        output=Form.TABLE,
        log_format=LogFormat.CONSOLE,
        verbose=False,
        quiet=False,
        debug=False,
    )


def test_calls_are_counted_and_not_held_back(common: Common) -> None:
    wiring = Wiring(common)

    assert wiring.sessions.meter is wiring.meter
    assert wiring.sessions._calls._rate is None


def test_a_rate_is_taken_from_the_fleet_file(common: Common) -> None:
    wiring = Wiring(common, api_rate=lambda fleet: 2.0 * len(fleet.clusters))
    rate = wiring.sessions._calls._rate

    assert rate is not None
    assert [rate.take("a") for _ in range(2)] == [0.0, 0.0]
    assert 0 < rate.take("a") <= 0.5
