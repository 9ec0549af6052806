"""All that the journal knows of a role's trust policy: who still has a share in it, and how it was before ours came."""

from collections import defaultdict

from migrator.model.ids import ServiceId
from migrator.model.journal import OVER, Direction, StepRecord
from migrator.model.plan import TRUST_EDITS, PlannedStep
from migrator.model.ports.running import Journal
from migrator.model.trust import Subject, subject_from
from migrator.running.ledger import ledger
from migrator.steps.step import RolePast

_EVER = ""


def role_past(journal: Journal, service: ServiceId, step: PlannedStep) -> RolePast:
    """What it knows of the role that the trust step is about, `service` itself left out of the users.

    Whoever began to walk there has a share; it is gone once his way back is through with the trust policy.
    """
    recorded = (record for kind in TRUST_EDITS for record in journal.recent(kind, _EVER))
    records = sorted((record for record in recorded if _about(record, step)), key=lambda record: record.at)
    runs = {record.run: journal.run(record.run) for record in records}
    services = {run.service for run in runs.values() if run is not None} - {service}
    users: dict[Subject, set[ServiceId]] = defaultdict(set)
    for other in services:
        ours = ledger(journal, other).ours
        image = next((ours[kind].get("image") or {} for kind in TRUST_EDITS if kind in ours), {})
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
    records = journal.records(run.id)
    return any(kind in records and records[kind].status in OVER for kind in TRUST_EDITS)
