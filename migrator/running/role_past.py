"""All that the journal knows of a role's trust policy: who still has a share in it, and how it was before ours came."""

from collections import defaultdict

from migrator.model.ids import ServiceId
from migrator.model.journal import OVER, Direction, StepRecord
from migrator.model.plan import PlannedStep, StepKind
from migrator.model.ports import Journal
from migrator.model.trust import Subject, subject_from
from migrator.running.ledger import ledger
from migrator.steps.step import RolePast

_EVER = ""


def role_past(journal: Journal, service: ServiceId, step: PlannedStep) -> RolePast:
    """What it knows of the role that the trust step is about, `service` itself left out of the users.

    Whoever began to walk there has a share; it is gone once his way back is through with the trust policy.
    """
    records = [record for record in journal.recent(StepKind.TRUST, _EVER) if _about(record, step)]
    runs = {record.run: journal.run(record.run) for record in records}
    services = {run.service for run in runs.values() if run is not None} - {service}
    users: dict[Subject, set[ServiceId]] = defaultdict(set)
    for other in services:
        image = ledger(journal, other).ours.get(StepKind.TRUST, {}).get("image") or {}
        if image.get("role") == step.on["role"] and not _gone_back(journal, other):
            users[subject_from(image["subject"]).share].add(other)
    images = dict.fromkeys(record.image["trust"] for record in records if record.image["there"])
    return RolePast(users={share: frozenset(some) for share, some in users.items()}, images=tuple(images))


def _about(record: StepRecord, step: PlannedStep) -> bool:
    return record.image is not None and record.image.get("role") == step.on["role"]


def _gone_back(journal: Journal, service: ServiceId) -> bool:
    """Whether a way back that is still open has taken its share out."""
    run = journal.open_run(service)
    if run is None or run.direction is Direction.FORWARD:
        return False
    record = journal.records(run.id).get(StepKind.TRUST)
    return record is not None and record.status in OVER
