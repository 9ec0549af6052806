"""The loop under every controller of the lab: it outlives whatever one object does to it."""

import logging

import pytest

from migrator.lab.kubeclient import KubeError
from migrator.lab.workqueue import Task, WorkQueue

BAD, GOOD = Task("deployments", "shop", "bad"), Task("deployments", "shop", "good")


@pytest.mark.parametrize("error", [StopIteration(), KeyError("spec"), OSError("reset"), KubeError(409, "Conflict", "")])
def test_a_failure_is_done_again_and_stops_nobody_else(error: Exception) -> None:
    queue = WorkQueue()
    done: list[Task] = []

    def reconcile(task: Task) -> float | None:
        done.append(task)
        if done.count(BAD) == 2 and GOOD in done:
            queue.close()
        if task == BAD and done.count(BAD) == 1:
            raise error
        return None

    queue.add(BAD)
    queue.add(GOOD)
    queue.work_off(reconcile)
    assert done == [BAD, GOOD, BAD]


def test_only_a_bug_is_told_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    queue = WorkQueue()
    errors: list[Exception] = [KubeError(404, "NotFound", ""), OSError("reset"), StopIteration()]

    def reconcile(_task: Task) -> float | None:
        if errors:
            raise errors.pop(0)
        queue.close()
        return None

    queue.add(BAD)
    with caplog.at_level(logging.WARNING):
        queue.work_off(reconcile)
    assert [record.exc_info is not None for record in caplog.records] == [True]
