"""Every finding there is, from `catalogue.toml`: what `explain`, the docs page and the plans are all made from.

A soft block may be taken on in a plan's `accept`, with a reason; a hard one may not, since the migration could not come
to a good end.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from migrator.model.plan import Finding, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One finding code; `says` is a template over the finding's object, field and value."""

    code: str
    family: str
    severity: Severity
    title: str
    says: str
    why: str
    remedy: str
    soft: bool = False

    @property
    def acceptable(self) -> bool:
        """Whether a person may take it on."""
        return self.severity is Severity.WARN or (self.severity is Severity.BLOCK and self.soft)


def found(code: str, subject: str, field: str = "", value: str = "", **words: object) -> Finding:
    """The finding of that code about `subject`, its sentence filled in.

    Args:
        code: a key of the catalogue.
        subject: the object it is about.
        field: where in the object.
        value: what stands there; never a secret.
        words: whatever else the sentence wants.
    """
    entry = CATALOGUE[code]
    says = entry.says.format(object=subject, field=field, value=value, **words)
    return Finding(code=code, severity=entry.severity, object=subject, field=field, value=value, says=says)


def _load() -> Mapping[str, Entry]:
    text = resources.files(__package__).joinpath("catalogue.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(text)
    return {code: Entry(code=code, severity=Severity(table.pop("severity")), **table) for code, table in tables.items()}


CATALOGUE: Mapping[str, Entry] = _load()
