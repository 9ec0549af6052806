"""Trust policies: whom they let in, and edits that touch our own statements only.

`document` reads and measures, `parties` and `conditions` tell who is meant, `match` whether a web identity or Pod
Identity gets in; `subject` is whom we let in, `own`, `boxes` and `hop` are how our statements say so, and `edits` puts
them in and takes them out.
"""

from migrator.model.trust.document import TrustUnreadable, same_policy
from migrator.model.trust.edits import (
    LARGEST,
    QUOTA,
    Merged,
    Removed,
    allows,
    denials,
    granted,
    merge,
    merge_all,
    others,
    ours,
    remove,
    size,
    standing,
    statement_for,
)
from migrator.model.trust.match import IrsaKind, IrsaMatch, allows_pod_identity, irsa_match
from migrator.model.trust.parties import Trusted, subjects
from migrator.model.trust.subject import Scope, Subject, subject_from

__all__ = [
    "LARGEST",
    "QUOTA",
    "IrsaKind",
    "IrsaMatch",
    "Merged",
    "Removed",
    "Scope",
    "Subject",
    "TrustUnreadable",
    "Trusted",
    "allows",
    "allows_pod_identity",
    "denials",
    "granted",
    "irsa_match",
    "merge",
    "merge_all",
    "others",
    "ours",
    "remove",
    "same_policy",
    "size",
    "standing",
    "statement_for",
    "subject_from",
    "subjects",
]
