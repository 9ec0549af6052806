"""Rules about what the operator may do, and how much room the cluster has.

Sources: IAM's policy simulator, whose word is advice; the EKS user guide: 5,000 associations in a cluster, 1,000 in its
older editions, and no service quota to look it up by.
"""

from collections.abc import Iterator

from migrator.model.plan import Finding
from migrator.planning.case import Case
from migrator.planning.findings.catalogue import found

MANY = 1000  # associations


def judge(case: Case) -> Iterator[Finding]:
    """Findings about rights that its steps take and that are missing, and about the number of associations."""
    for lack in case.lacks:
        yield found("operator-lacks", lack.operator, lack.right.action, lack.right.resource)
    if case.aws.associations > MANY:
        count = str(case.aws.associations)
        yield found("association-quota", case.cluster.name, "associations", count, many=f"{MANY:,}")
