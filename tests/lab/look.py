"""Collects what the invariants judge: from the AWS front and the API servers as they are, and from the state file."""

from pathlib import Path

from tests.lab.harness import Fleet
from tests.lab.invariants import violations
from tests.lab.seen import Kept, Link, Seen, broken_plans, links, read_store, trusts
from tests.lab.witness import ACCOUNTS, ROLE_KEY


def check(fleet: Fleet) -> None:
    """Asserts every invariant, but for what the test waived."""
    wrong = violations(look(fleet), fleet.notes.waivers)
    assert not wrong, "\n".join(map(str, wrong))


def look(fleet: Fleet) -> Seen:
    """Everything, as it is now."""
    for witness in fleet.witnesses.values():
        witness.caught_up()
    stored = read_store(fleet.state)
    fleet.asker.round()
    found = [pod for witness in fleet.witnesses.values() for pod in list(witness.pods.values())]
    return Seen(
        clusters={one.alias: one.name for one in fleet.lab.clusters},
        services=stored.services,
        trusts=_trusts(fleet, [service.role for service in stored.services]),
        links=_links(fleet),
        accounts=_accounts(fleet),
        pods=found,
        annotated=[one for witness in fleet.witnesses.values() for one in list(witness.annotated)],
        stamped=[one for witness in fleet.witnesses.values() for one in list(witness.stamped)],
        calls=fleet.calls(),
        lock_rows=stored.lock_rows,
        locks_held=stored.locks_held,
        killed=fleet.notes.killed,
        broken_plans=broken_plans(Path(fleet.environment["MIGRATE_PLANS"])),
        unanswered=list(fleet.asker.refused),
        kept=[Kept(what=what, so=so()) for what, so in fleet.notes.kept.items()],
    )


def _trusts(fleet: Fleet, roles: list[str]) -> dict[str, object]:
    accounts = {one.account for one in fleet.lab.clusters} | {role.split(":")[4] for role in roles}
    found: dict[str, object] = {}
    for account in sorted(accounts):
        found |= trusts(fleet.aws("iam", account))
    return found


def _links(fleet: Fleet) -> list[Link]:
    return [
        link
        for one in fleet.lab.clusters
        for link in links(fleet.aws("eks", one.account, one.region), one.alias, one.name)
    ]


def _accounts(fleet: Fleet) -> dict[tuple[str, str, str], str | None]:
    return {
        (alias, item["metadata"]["namespace"], item["metadata"]["name"]): (
            item["metadata"].get("annotations") or {}
        ).get(ROLE_KEY)
        for alias, kube in fleet.clients.items()
        for item in kube.list(ACCOUNTS)["items"]
    }
