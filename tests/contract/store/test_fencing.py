"""Workers that are killed and stopped at random count together, each from where the last one came to.

Whoever holds a service reads how far its run is, and then goes on by himself, without looking again. Were a record ever
written by somebody who had lost the lease, a number would be there twice, or be missing.
"""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from migrator.lab.aws.front import AwsFront
from tests.contract.store.stores import Side

SERVICES, WORKERS, SEED = 3, 5, 7
WORK = """
    import random
    from migrator.model.errors import Locked
    from migrator.model.ids import ServiceId
    while True:
        service = ServiceId("prod", "shop", f"s{random.randrange(int(arguments[0]))}")
        try:
            with locks.held(f"service:{service}", doing="count"):
                open_run = journal.open_run(service) or run(f"{service.name}-{random.random()}", service)
                if journal.open_run(service) is None:
                    journal.begin(open_run)
                count = max((one.result for one in journal.records(open_run.id).values()), default=0)
                for _ in range(random.randrange(1, 6)):
                    count += 1
                    told = record(f"step {count}", run=open_run.id)
                    journal.record(replace(told, result=count, note=str(os.getpid())))
                    time.sleep(random.random() / 20)
                if count >= 12:
                    journal.end(open_run.id, Outcome.DONE, "", at(9))
        except Locked:
            time.sleep(0.05)
"""


@pytest.mark.parametrize("seconds", [8.0, pytest.param(40.0, marks=pytest.mark.slow)])
def test_killed_and_stopped_workers_never_write_past_their_lease(
    table: Callable[..., Side], front: AwsFront, seconds: float
) -> None:
    side, chance = table(2.0), random.Random(SEED)  # noqa: S311 - chance, not cryptography
    workers = [side.process(WORK, str(SERVICES)) for _ in range(WORKERS)]
    kills = stops = 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(chance.uniform(0.4, 1.2))
        victim = chance.randrange(WORKERS)
        if chance.random() < 0.35:
            workers[victim].kill()
            workers[victim].communicate()
            workers[victim] = side.process(WORK, str(SERVICES))
            kills += 1
        else:
            stop(workers[victim], chance.choice((0.3, 4.0)))
            stops += 1
    for one in workers:
        one.kill()
        one.communicate()

    taken_over, records = 0, 0
    with side.opened() as store:
        for service in store.journal.states():
            runs = store.journal.runs(service)
            assert all(walk.ended for walk in runs[:-1])
            lines = store.journal.history(service)
            for walk in runs:
                found = store.journal.records(walk.id).values()
                assert [record.result for record in found] == list(range(1, len(found) + 1))
                assert sum(line.run == walk.id and bool(line.step) for line in lines) == len(found)
                taken_over += len({record.note for record in found}) > 1
                records += len(found)
    refusals = {"TransactionCanceledException", "ConditionalCheckFailedException"}
    lost = [call for call in front.calls if call.error_code in refusals]
    sys.stdout.write(
        f"\n{kills} kills, {stops} stops, {records} records, {taken_over} runs by several workers,"
        f" {len(lost)} writes refused to who came too late\n"
    )
    assert kills >= seconds / 15
    assert taken_over >= seconds / 15
    assert lost


def stop(worker: "subprocess.Popen[str]", seconds: float) -> None:
    """SIGSTOP, and SIGCONT that much later; for longer than the lease, others go on meanwhile."""
    worker.send_signal(signal.SIGSTOP)
    time.sleep(seconds)
    with suppress(ProcessLookupError):
        worker.send_signal(signal.SIGCONT)
