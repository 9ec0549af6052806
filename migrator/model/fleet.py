"""The fleet as its file declares it: which clusters, how their accounts are reached, policy, waits, batch runs."""

from dataclasses import dataclass, field
from pathlib import Path

from migrator.model.batch import BatchPolicy
from migrator.model.plan import Order
from migrator.model.trust.subject import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """How one account is reached: a profile of the AWS configuration, a role to assume, or both."""

    id: str
    profile: str = ""
    role: str = ""
    external_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeconfigAccess:
    """Kube access through a kubeconfig context, instead of a token signed with STS."""

    context: str
    file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetCluster:
    """One cluster of the fleet file."""

    alias: str
    name: str
    region: str
    account: str
    kubeconfig: KubeconfigAccess | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What holds for every service unless its plan says otherwise."""

    order: Order = Order.ANNOTATION_FIRST
    restart: str = "rollout"
    agent: str = "install"  # or "require"
    trust_conditions: Scope = Scope.SERVICE
    cross_account: str = "plan"  # roles of other accounts: or "block"
    cross_account_condition: str = "tags"  # what their trust asks for: or "external-id", with session tags off
    source_role_path: str = "/"
    resource_policies: str = "read"  # those of buckets and the like: or "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """How long the executor looks before it goes on, and before it gives up; seconds."""

    poll: float = 2.0
    agent: float = 600.0
    addon: float = 900.0
    trust: float = 120.0
    trust_settle: float = 5.0
    gate: float = 180.0
    gate_probes: int = 5
    reconcile: float = 15.0
    rollout: float = 900.0
    verify: float = 300.0
    settle: float = 20.0
    check: float = 30.0
    log_lines: int = 1000  # read from the end of a container's log; 0: none is read


@dataclass(frozen=True, slots=True)
class SqliteState:
    """The journal in a file: one machine writes to it."""

    path: Path

    def __str__(self) -> str:
        return f'the state file "{self.path}"'


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoState:
    """The journal in a DynamoDB table: any number of machines share it."""

    table: str
    region: str
    account: str
    lease: float = 60.0  # seconds for which a lock holds after its last renewal

    def __str__(self) -> str:
        return f'the table "{self.table}" of account "{self.account}" in {self.region}'


State = SqliteState | DynamoState


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """The whole file; paths are absolute."""

    file: Path
    state: State
    plans: Path
    clusters: tuple[FleetCluster, ...]
    accounts: tuple[Account, ...] = ()
    excludes: tuple[str, ...] = ()
    policy: Policy = field(default_factory=Policy)
    waits: Waits = field(default_factory=Waits)
    batch: BatchPolicy = field(default_factory=BatchPolicy)

    def cluster(self, alias: str) -> FleetCluster | None:
        """The cluster of that alias."""
        return next((cluster for cluster in self.clusters if cluster.alias == alias), None)

    def account(self, account_id: str) -> Account:
        """How the account is reached; one that the file does not name is reached with the environment's credentials."""
        found = (account for account in self.accounts if account.id == account_id)
        return next(found, Account(id=account_id))
