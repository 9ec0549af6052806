"""The picture of `migrate status --watch`: how old it is, counts, who is at work at which step, what wants a person."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

from migrator.model.ids import ServiceId
from migrator.model.journal import Direction, Holder, Outcome, Run, ServiceState, Standing, Status, StepRecord
from migrator.render.views import status as view
from migrator.render.views.status import Placed, Unreadable
from migrator.render.watch import Look, Watch, picture

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def at(seconds: float) -> str:
    return (NOON + timedelta(seconds=seconds)).isoformat(timespec="microseconds")


def placed(name: str, standing: Standing, *, step: str = "restart", when: float = -65, note: str = "") -> Placed:
    service = ServiceId("prod", "shop", name)
    run = Run(
        id="r1",
        service=service,
        direction=Direction.FORWARD,
        outcome=Outcome.OPEN,
        plan={},
        actor="ann as arn",
        host="desk",
        started=at(when - 60),
    )
    record = StepRecord(run="r1", step=step, status=Status.STARTED, at=at(when), note=note)
    return Placed(service=service, plan=None, state=ServiceState(standing=standing, run=run, steps=(record,)))


def holder(key: str, *, since: float = -120, doing: str = "apply, ops") -> Holder:
    return Holder(key=key, owner="0123abcd", host="desk", pid=7, since=at(since), doing=doing, expires=at(60))


def look(
    *services: Placed, holders: tuple[Holder, ...] = (), unreadable: tuple[Unreadable, ...] = (), **more: Any
) -> Look:
    return Look(document=view.document(services, holders, unreadable), at=NOON, **more)


def lines(seen: Look, *, after: float = 3.0, height: int = 30, every: float = 2.0) -> list[str]:
    found = picture(seen, NOON + timedelta(seconds=after), every=every, height=height)
    return [line.plain.rstrip() for line in found]


def test_a_fleet_at_work() -> None:
    seen = look(
        placed("cart", Standing.INTERRUPTED),
        placed("mail", Standing.STRANDED, when=-3600, note="annotation: put back\nby Argo"),
        placed("orders", Standing.ROLLED_BACK, when=-10),
        placed("search", Standing.MIGRATED),
        holders=(
            holder("service:prod/shop/cart"),
            holder("role:arn:aws:iam::1:role/cart", doing="trust of cart"),
            holder("batch", doing="batch"),
        ),
    )

    assert lines(seen) == [
        "migrate status  as of 12:00:00 UTC, 3 s ago; looks every 2 s, Ctrl-C ends",
        "4 services: 1 running, 1 migrated, 1 rolled-back, 1 stranded; last change 13 s ago",
        "",
        "at work: 3",
        "  prod/shop/cart                 restart started, 1 min 8 s  apply, ops on desk, pid 7",
        "  role:arn:aws:iam::1:role/cart  held, 2 min 3 s  trust of cart on desk, pid 7",
        "  batch                          held, 2 min 3 s  batch on desk, pid 7",
        "",
        "to look at: 2",
        "  prod/shop/mail    stranded     1 h 0 min  annotation: put back by Argo",
        "  prod/shop/orders  rolled-back  13 s",
    ]


def test_nobody_at_work_and_nothing_to_look_at() -> None:
    assert lines(look(placed("search", Standing.MIGRATED)))[1:] == [
        "1 service: 1 migrated; last change 1 min 8 s ago",
        "",
        "at work: nobody",
    ]


def test_an_empty_fleet() -> None:
    assert lines(look()) == [
        "migrate status  as of 12:00:00 UTC, 3 s ago; looks every 2 s, Ctrl-C ends",
        "0 services",
        "",
        "at work: nobody",
    ]


def test_a_holder_who_has_recorded_nothing_yet_is_looking() -> None:
    seen = look(placed("cart", Standing.FAILED, when=-900), holders=(holder("service:prod/shop/cart", since=-5),))

    assert "  prod/shop/cart  looking, 8 s  apply, ops on desk, pid 7" in lines(seen)


def test_old_data_says_so_and_why() -> None:
    seen = look(placed("cart", Standing.MIGRATED), problem='the state file "state.db"\nis locked')

    assert lines(seen, after=125)[0].startswith("migrate status  as of 12:00:00 UTC, 2 min 5 s ago")
    assert lines(seen)[2] == 'not read since: the state file "state.db" is locked'


def test_unreadable_plans_are_told() -> None:
    seen = look(unreadable=(Unreadable("a.yaml", "a.yaml:3: nonsense"), Unreadable("b.yaml", "x")))

    assert lines(seen)[2] == "2 plan files cannot be read: a.yaml:3: nonsense"


def test_a_clock_that_is_behind_makes_no_negative_age() -> None:
    assert "12:00:00 UTC, 0 s ago" in lines(look(placed("cart", Standing.FAILED, when=50)), after=-4)[0]


def test_what_does_not_fit_is_counted() -> None:
    names = [f"s{number:03}" for number in range(200)]
    seen = look(
        *(placed(name, Standing.RUNNING) for name in names),
        *(placed(f"f{name}", Standing.FAILED) for name in names),
        holders=tuple(holder(f"service:prod/shop/{name}") for name in names),
    )

    for height in range(1, 60):
        found = lines(seen, height=height)
        assert len(found) <= height
        assert found[0].startswith("migrate status")
    found = lines(seen, height=24)
    assert len(found) == 24
    assert [line for line in found if line.startswith("at work: 200")]
    assert [line for line in found if line.startswith("to look at: 200")]
    assert len([line for line in found if line.startswith("  and ")]) == 2


def test_secrets_are_hidden() -> None:
    seen = look(placed("cart", Standing.FAILED, note="said k8s-aws-v1.abcdef"))

    assert [line for line in lines(seen) if line.endswith("said [hidden]")]


def test_it_is_drawn_over_and_never_wider_than_the_terminal() -> None:
    out = io.StringIO()
    watch = Watch(out, every=2, now=lambda: NOON, size=(40, 8))
    with watch:
        for _ in range(3):
            watch.draw(look(placed("a-service-with-a-long-name", Standing.FAILED, note="x" * 200)))

    raw = out.getvalue()
    assert "\x1b[?1049h" not in raw
    assert "\x1b[2J" not in raw
    assert raw.count("to look at: 1") == 4  # and once more when it ends
    assert raw.endswith("\x1b[?25h")
