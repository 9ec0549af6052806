"""What the operator has to be allowed for the steps of a plan, there and back, as IAM names it, and what he lacks.

Whom he asks is told by the resource: a target role is in another account than the cluster, where he acts as somebody
else. Sources: the service authorization reference of EKS, which also names `eks.amazonaws.com` for what an add-on
passes on; the EKS user guide for what an association takes.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from migrator.model.aws_side import Lack, Operator, Right
from migrator.model.errors import EnvironmentFault
from migrator.model.facts import Cluster, Unread
from migrator.model.plan import PlannedStep, StepKind
from migrator.model.ports.planning import ClusterView
from migrator.model.trust.match import SERVICE
from migrator.planning.case import Case
from migrator.planning.drafts import drafts

Rights = frozenset[Right]

_EKS = "eks.amazonaws.com"
_EVERYTHING = "*"
_TRUST = ("iam:GetRole", "iam:UpdateAssumeRolePolicy")
_SOURCE = (
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:DeleteRolePolicy",
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListInstanceProfilesForRole",
    "iam:ListRolePolicies",
    "iam:PutRolePolicy",
    "iam:TagRole",
)
_ON_CLUSTER = ("eks:CreatePodIdentityAssociation", "eks:ListPodIdentityAssociations")
_ON_ASSOCIATION = ("eks:DeletePodIdentityAssociation", "eks:DescribePodIdentityAssociation", "eks:TagResource")
_ON_ADDON = ("eks:DescribeAddon", "eks:UpdateAddon")


def rights(case: Case) -> Rights:
    """Of the steps of its plan; none where there are no steps."""
    forward, _ = drafts(case)
    return frozenset(chain.from_iterable(_OF[step.kind](case, step) for step in forward if step.kind in _OF))


@dataclass(frozen=True, slots=True)
class Answers:
    """Of each account that was asked about: who acts there and what he lacks, or why that is not known."""

    home: str
    by_account: Mapping[str, Operator | Unread] = field(default_factory=dict)

    def lacks(self, needed: Rights) -> tuple[Lack, ...]:
        """Which of these whoever acts there surely lacks, in order."""
        found = ((right, self.by_account[_account(right, self.home)]) for right in sorted(needed))
        return tuple(
            Lack(operator=who.arn, right=right)
            for right, who in found
            if isinstance(who, Operator) and right in who.missing
        )

    def unread(self, needed: Rights) -> tuple[Unread, ...]:
        """Why nothing is known of some of these."""
        found = [self.by_account[account] for account in sorted({_account(right, self.home) for right in needed})]
        return tuple(one for one in found if isinstance(one, Unread))


def asked(needed: Iterable[Rights], cluster: Cluster, view: ClusterView) -> Answers:
    """What whoever acts in each of the accounts lacks of all of these; each account is asked about once."""
    by_account: dict[str, set[Right]] = defaultdict(set)
    for right in chain.from_iterable(needed):
        by_account[_account(right, cluster.account)].add(right)
    found = {account: _answer(account, sorted(of), cluster, view) for account, of in sorted(by_account.items())}
    return Answers(cluster.account, found)


def _answer(account: str, of: Sequence[Right], cluster: Cluster, view: ClusterView) -> Operator | Unread:
    """Nothing here is worth to leave the cluster out for."""
    try:
        return view.operator(account, of)
    except EnvironmentFault as error:
        where = f"on cluster {cluster.name}" if account == cluster.account else f"in account {account}"
        return Unread(what=f"what the operator may do {where}", why=error.message)


def _account(right: Right, home: str) -> str:
    return home if right.resource == _EVERYTHING else right.resource.split(":")[4]


def _each(actions: Iterable[str], resource: str) -> Iterator[Right]:
    return (Right(action=action, resource=resource) for action in actions)


def _of_agent(case: Case, step: PlannedStep) -> Iterator[Right]:
    wanted = step.before["agent"] == "absent" and case.policy.agent == "install"
    return _each(("eks:CreateAddon",) if wanted else (), case.cluster.arn)


def _of_trust(_case: Case, step: PlannedStep) -> Iterator[Right]:
    return _each(_TRUST, step.on["role"])


def _of_source(_case: Case, step: PlannedStep) -> Iterator[Right]:
    return _each(_SOURCE, step.on["role"])


def _of_association(case: Case, step: PlannedStep) -> Iterator[Right]:
    yield from _each(_ON_CLUSTER, case.cluster.arn)
    yield from _each(_ON_ASSOCIATION, case.cluster.arn.replace(":cluster/", ":podidentityassociation/") + "/*")
    yield Right(action="iam:PassRole", resource=step.after["role_arn"], passed_to=(SERVICE,))


def _of_addon(_case: Case, step: PlannedStep) -> Iterator[Right]:
    yield from _each(_ON_ADDON, step.on["arn"])
    yield Right(action="eks:DescribeAddonConfiguration", resource=_EVERYTHING)
    yield Right(action="iam:PassRole", resource=step.after["role_arn"], passed_to=(SERVICE, _EKS))


_OF: Mapping[StepKind, Callable[[Case, PlannedStep], Iterator[Right]]] = {
    StepKind.AGENT: _of_agent,
    StepKind.TRUST: _of_trust,
    StepKind.TARGET_TRUST: _of_trust,
    StepKind.SOURCE_ROLE: _of_source,
    StepKind.ASSOCIATION: _of_association,
    StepKind.ADDON: _of_addon,
}
