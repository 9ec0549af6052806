"""IAM as one planning sees it: roles in bulk, with what they may do and how large their trust policies may get."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from migrator.adapters.aws.iam import IamRoles
from migrator.adapters.aws.iam_permissions import IamPermissions
from migrator.adapters.aws.quotas import TrustQuotas
from migrator.adapters.aws.sessions import AwsSessions
from migrator.model.facts import Role
from migrator.model.permissions import Permissions

_THREADS = 8


class PlanningRoles(IamRoles):
    """The port `Roles`, made anew for every planning: permissions and quotas are read once. Thread-safe.

    `expected` are ARNs of roles that its clusters will ask for, together.
    """

    def __init__(self, sessions: AwsSessions, expected: Iterable[str] = ()) -> None:
        super().__init__(sessions)
        self._permissions = IamPermissions(sessions, expected)
        self._quotas = TrustQuotas(sessions)

    def permissions(self, roles: Iterable[Role]) -> Mapping[str, Permissions]:
        """What the roles may do, by ARN; what is refused of it stands in each one's `unread`.

        Raises:
            CredentialsExpired: nothing more can be read until they are renewed.
        """
        wanted: dict[str, list[Role]] = {}
        for role in sorted(roles, key=lambda role: role.arn):
            wanted.setdefault(role.account, []).append(role)
        with ThreadPoolExecutor(max_workers=min(_THREADS, len(wanted) or 1)) as pool:
            parts = pool.map(self._permissions.of_account, wanted, wanted.values())
        return {arn: permissions for part in parts for arn, permissions in part.items()}

    def trust_quota(self, role: Role) -> int:
        """How many characters the role's account lets a trust policy have; asked once per account.

        Raises:
            NotPermitted: the operator may not look.
            EnvironmentFault: Service Quotas does not answer.
        """
        return self._quotas.of_account(role.account, role.arn.split(":")[1])
