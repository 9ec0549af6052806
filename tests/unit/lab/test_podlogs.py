"""What a container of the practice fleet is said to have written."""

from typing import Any

import pytest

from migrator.lab.podlogs import written

POD: dict[str, Any] = {
    "metadata": {"name": "web-1"},
    "status": {"startTime": "2026-01-01T00:00:00Z"},
    "spec": {
        "containers": [
            {"name": "app", "command": ["sh", "-c", "echo 'one; two'; echo \"three\" && echo four; sleep infinity"]},
            {"name": "quiet", "command": ["sleep", "infinity"]},
        ],
        "initContainers": [{"name": "setup", "command": ["sh"], "args": ["-c", "echo set up"]}],
    },
}


@pytest.mark.parametrize(
    ("container", "options", "expected"),
    [
        ("app", {}, "app of web-1 started\none; two\nthree\nfour\n"),
        ("quiet", {}, "quiet of web-1 started\n"),
        ("setup", {}, "setup of web-1 started\nset up\n"),
        ("app", {"tail": 2}, "three\nfour\n"),
        ("app", {"tail": 0}, ""),
        ("app", {"tail": 2, "limit": 5}, "three"),
        ("quiet", {"stamped": True}, "2026-01-01T00:00:00Z quiet of web-1 started\n"),
    ],
)
def test_what_it_has_written(container: str, options: dict[str, Any], expected: str) -> None:
    assert written(POD, container, **options) == expected
