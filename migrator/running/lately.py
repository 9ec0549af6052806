"""What this tool changed in a role's trust policy a moment ago, whoever of its runners it was.

IAM's reads may be stale. The journal's are not: a document that lacks what was just put in, or still has what was just
taken out, is an old one, and nothing may be built on it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from migrator.model.journal import Status
from migrator.model.plan import TRUST_EDITS, PlannedStep
from migrator.model.ports.running import Clock, Journal
from migrator.model.trust import Subject, ours, subject_from

_NOBODY = '{"Statement":[]}'


def lately(journal: Journal, clock: Clock, step: PlannedStep | None, seconds: float) -> Mapping[Subject, bool]:
    """Whose share in the step's role was put in (True) or taken out (False) within so many seconds.

    Longer ago is not asked for: by then a share that is missing was taken out by somebody, and that stays. A service
    whose own trust step is under way is left out: nobody knows how far it came.
    """
    if step is None or step.kind not in TRUST_EDITS:
        return {}
    since = datetime.fromisoformat(clock.now()) - timedelta(seconds=seconds)
    found: dict[Subject, tuple[Subject, bool]] = {}  # by share: the last word on one that serves several counts
    moment = since.isoformat(timespec="microseconds")
    recent = (record for kind in TRUST_EDITS for record in journal.recent(kind, moment))
    for record in sorted(recent, key=lambda record: record.at):
        image = record.image or {}
        if image.get("role") == step.on["role"]:
            subject = subject_from(image["subject"])
            found.pop(subject.share, None)
            if record.status is Status.DONE:
                kept = subject.share in ours((record.result or {}).get("trust", _NOBODY))  # it serves others as well
                found[subject.share] = subject, image["there"] or kept
    return dict(found.values())
