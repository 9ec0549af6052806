"""Every AWS client of a run: one per account, region and service, each reached as the fleet file says.

botocore's own retries are off, so that they never multiply with ours.
"""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from botocore.config import Config
from botocore.exceptions import UnknownRegionError
from botocore.session import Session

from migrator import __version__
from migrator.adapters.aws.accounts import AccountSession, CallerIdentity
from migrator.adapters.aws.calls import AwsCalls
from migrator.adapters.aws.errors import FOREIGN, mapped, transient
from migrator.adapters.fence import Fence
from migrator.adapters.rate import Rate
from migrator.adapters.retry import Retry
from migrator.model.fleet import Fleet, FleetCluster
from migrator.model.meter import Meter

if TYPE_CHECKING:
    from botocore.credentials import Credentials
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_eks import EKSClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_sts import STSClient

T = TypeVar("T")

_HOME = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}  # where a partition's IAM is kept


class AwsSessions:
    """The accounts of a fleet; thread-safe.

    Before a client other than STS is handed out, the account reached was proven once to be the account meant. Every
    call is counted in `meter`; with `rate`, an account's calls wait for their turn. `fence` is asked before changes.
    """

    def __init__(
        self,
        fleet: Fleet,
        *,
        retry: Retry | None = None,
        meter: Meter | None = None,
        rate: Rate | None = None,
        fence: Fence | None = None,
    ) -> None:
        self.fleet = fleet
        self.retry = retry or Retry()
        self.meter = meter or Meter()
        self.fence = fence or Fence()
        self._calls = AwsCalls(self.meter, rate, self.fence)
        self._base = Session()
        self._making = threading.Lock()
        self._guard = threading.Lock()
        self._accounts: dict[str, AccountSession] = {}
        self._config = Config(
            retries={"total_max_attempts": 1, "mode": "standard"},
            connect_timeout=5,
            read_timeout=30,
            max_pool_connections=8,
            user_agent_extra=f"irsa-migrator/{__version__}",
        )

    def eks(self, account: str, region: str) -> "EKSClient":
        """EKS of that account and region."""
        self.identity(account, region)
        return cast("EKSClient", self._client(account, region, "eks"))

    def iam(self, account: str, partition: str = "") -> "IAMClient":
        """IAM of that account; of the region only the partition counts, and by it botocore knows where to sign for."""
        region = self.region_of(account, partition)
        self.identity(account, region)
        return cast("IAMClient", self._client(account, region, "iam"))

    def cloudformation(self, account: str, region: str) -> Any:
        """CloudFormation of that account and region."""
        return self.regional(account, region, "cloudformation")

    def service_quotas(self, account: str, partition: str) -> Any:
        """Service Quotas of that account, where IAM's stand: in the region that IAM itself is kept in."""
        region = _HOME.get(partition, _HOME["aws"])
        self.identity(account, region)
        return self._client(account, region, "service-quotas")

    def ec2(self, account: str, region: str) -> Any:
        """EC2 of that account and region."""
        return self.regional(account, region, "ec2")

    def regional(self, account: str, region: str, service: str) -> Any:
        """Any service's client in that account and region."""
        self.identity(account, region)
        return self._client(account, region, service)

    def dynamodb(self, account: str, region: str) -> "DynamoDBClient":
        """DynamoDB of that account and region."""
        self.identity(account, region)
        return cast("DynamoDBClient", self._client(account, region, "dynamodb"))

    def sts(self, account: str, region: str) -> "STSClient":
        """STS of that account and region, with the endpoint that its profile names."""
        return cast("STSClient", self._client(account, region, "sts"))

    def credentials(self, account: str, region: str) -> "Credentials":
        """The account's credentials, for signing; they renew themselves."""
        self.identity(account, region)
        found = self._account(account).credentials(region)
        return cast("Credentials", found)

    def identity(self, account: str, region: str = "", *, afresh: bool = False) -> CallerIdentity:
        """Who we are in that account.

        Args:
            account: its twelve digits.
            region: where to ask; any of the fleet's if left out.
            afresh: ask again instead of remembering.

        Raises:
            EnvironmentFault: the account cannot be reached, or is another than the one meant.
            CredentialsExpired: they ran out.
        """
        reached = self._account(account)
        if afresh:
            reached.forget()
        where = region or self.region_of(account)
        return self.run(lambda: reached.identity(where), doing=f'reaching account "{account}"', service="sts")

    def region_of(self, account: str, partition: str = "") -> str:
        """A region to reach that account in: of those that have answered if any has, of its own clusters if it has any.

        Only regions of `partition` count; unless given, of the partition that the account's role is in.
        """
        wanted = partition or self.fleet.account(account).role.partition("arn:")[2].partition(":")[0]
        answered = [self._account(account).proven, self._answered()]

        def worse(cluster: FleetCluster) -> tuple[bool, ...]:
            return (*(cluster.region not in regions for regions in answered), cluster.account != account)

        every = (cluster.region for cluster in sorted(self.fleet.clusters, key=worse))
        fitting = (region for region in every if wanted in ("", self.partition_of(region)))
        return next(fitting, _HOME.get(wanted, _HOME["aws"]))

    def _answered(self) -> frozenset[str]:
        with self._guard:
            return frozenset().union(*(reached.proven for reached in self._accounts.values()))

    def partition_of(self, region: str) -> str:
        """The partition that a region belongs to, by botocore's table of them; `aws` for one that it cannot place."""
        try:
            return str(self._base.get_partition_for_region(region))
        except UnknownRegionError:
            return "aws"

    def run(self, call: Callable[[], T], *, doing: str, service: str) -> T:
        """What `call` gives, tried again by the policy; it must be safe to repeat.

        Raises:
            MigrateError: ours for botocore's, with `doing` and the service's name in it.
        """
        try:
            return self.retry.run(call, transient=transient, again=self._calls.again)
        except FOREIGN as error:
            raise mapped(error, doing=doing, service=service) from error

    def _client(self, account: str, region: str, service: str) -> object:
        reached = self._account(account)
        return self.run(lambda: reached.client(region, service), doing=f'reaching account "{account}"', service=service)

    def _account(self, account: str) -> AccountSession:
        with self._guard:
            if account not in self._accounts:
                entry = self.fleet.account(account)
                self._accounts[account] = AccountSession(entry, self._base, self._config, self._making, self._calls)
            return self._accounts[account]
