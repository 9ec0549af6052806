"""IAM as it may behave: one role, late readers, other writers, killed runners; typed against `TrustPolicies`."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from migrator.model.errors import Rejected
from migrator.model.facts import Role
from migrator.model.trust import QUOTA, size
from tests.fakes.running import FakeClock
from tests.fakes.source_roles import NoSources

ACCOUNT = "111111111111"
ARN = f"arn:aws:iam::{ACCOUNT}:role/shared"
OTHERS = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}


class Killed(BaseException):
    """The process is gone at this very instant."""


@dataclass
class LateIam(NoSources):
    """Every document the role ever had, with its time; a reader shows any of them that is not older than `lag` allows.

    `choose(n)` picks one of n readers. Others mark each of their edits in the document's Id, so that it can be told
    whose edits a document knows. `shown` are the marks that the running process has read; `lost` are the edits that it
    wrote over, `ignored` those of them that it had been shown.
    """

    clock: FakeClock
    choose: Callable[[int], int] = lambda count: count - 1
    lag: float = 0.0
    versions: list[tuple[float, str]] = field(default_factory=list)
    shown: set[str] = field(default_factory=set)
    writes: int = 0
    lost: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    around_write: Callable[[str], None] = lambda _moment: None

    def __post_init__(self) -> None:
        document = {"Version": "2012-10-17", "Id": "0", "Statement": [OTHERS]}
        self.versions.append((-self.lag, json.dumps(document, separators=(",", ":"))))

    @property
    def truth(self) -> str:
        """The document as it is."""
        return self.versions[-1][1]

    def put(self, document: str) -> None:
        """It is so from now on, for who reads it in time."""
        self.versions.append((self.clock.time, document))

    def role(self, arn: str) -> Role | None:
        assert arn == ARN
        settled = max(n for n, (at, _) in enumerate(self.versions) if at <= self.clock.time - self.lag)
        document = self.versions[settled + self.choose(len(self.versions) - settled)][1]
        self.shown.add(mark(document))
        return Role(arn=ARN, name="shared", id="AROASHARED", account=ACCOUNT, trust=document)

    def write_trust(self, role: Role, document: str) -> None:
        self.around_write("before")
        live = self.role(role.arn)
        if live is None or live.trust != role.trust:
            raise Rejected("somebody changed the trust policy at the same time", reason="conflict")
        if size(document) > QUOTA:
            raise Rejected("the trust policy is larger than the account allows", reason="too-large")
        if mark(document) != mark(self.truth):
            self.lost.append(mark(self.truth))
            self.ignored += self.shown & {mark(self.truth)}
        self.writes += 1
        self.put(document)
        self.around_write("after")

    def edited(self) -> None:
        """Somebody else edits the document as it truly is: leaves a mark, and adds a statement or takes one out."""
        data = json.loads(self.truth)
        number = int(data["Id"]) + 1
        data["Id"] = str(number)
        theirs = [one for one in data["Statement"] if "Note" in one]
        if number % 3 == 0 and theirs:
            data["Statement"].remove(theirs[0])
        else:
            data["Statement"].insert(number % 2, {**OTHERS, "Note": number})
        self.put(json.dumps(data, separators=(",", ":")))


def mark(document: str) -> str:
    """Which edit of others the document knows."""
    return str(json.loads(document)["Id"])
