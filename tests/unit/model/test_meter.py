"""Counting calls: each by its API, none lost between threads."""

from concurrent.futures import ThreadPoolExecutor

from migrator.model.meter import KUBERNETES, Api, Calls, Meter

IAM, PROD = Api("111111111111", "iam"), Api("prod", KUBERNETES)


def test_each_api_has_its_own_counts() -> None:
    meter = Meter()
    meter.called(PROD)
    meter.called(IAM)
    meter.throttled(IAM)
    meter.retried(IAM)
    meter.called(IAM)
    meter.held(IAM, 0.25)
    meter.held(IAM, 0.5)

    assert meter.counts() == {IAM: Calls(made=2, throttled=1, retried=1, held=0.75), PROD: Calls(made=1)}
    assert list(meter.counts()) == [IAM, PROD]


def test_no_call_is_lost_between_threads() -> None:
    meter = Meter()

    def calls() -> None:
        for _ in range(500):
            meter.called(PROD)

    with ThreadPoolExecutor(max_workers=8) as pool:
        for done in [pool.submit(calls) for _ in range(8)]:
            done.result()

    assert meter.counts()[PROD].made == 4000
