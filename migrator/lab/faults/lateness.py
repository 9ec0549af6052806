"""Faults of lateness: who sees what of a change, and when."""

from datetime import UTC, datetime
from typing import Any

from migrator.lab.aws.eks_state import Association
from migrator.lab.aws.eks_state import Cluster as EksCluster
from migrator.lab.aws.trust_history import TrustHistory
from migrator.lab.aws.wire import Request
from migrator.lab.faults.board import Active, Board
from migrator.lab.faults.matching import ClusterName, who_of
from migrator.lab.faults.model import Fault, named, seconds
from migrator.lab.identities import Lateness, Pair

_READS = ("Get", "List")
_BEHIND = "behind"


class LateTrust:
    """Trust policies as late readers see them: of IAM itself, of EKS, of EKS Auth."""

    def __init__(self, board: Board, history: TrustHistory) -> None:
        self._board = board
        self._history = history

    def before(self, request: Request) -> None:
        """Settles which faults this read of IAM takes, so that all its roles are equally old."""
        reads = request.service == "iam" and request.action.startswith(_READS)
        if reads and who_of(request.caller) != "own":
            struck = [one for one in self._board.on("iamLate") if self._about(one.fault, request) and one.turns.take()]
            request.notes[_BEHIND] = struck

    def _about(self, fault: Fault, request: Request) -> bool:
        name = request.params.get("RoleName")
        role = fault.role
        fits = name is None or role is None or role.fits(request.account, str(name))
        return fits and fault.in_account(request.account)

    def in_iam(self, role: Any, request: Request) -> Any | None:
        """The trust policy this reader of IAM sees; None if it does not see the role."""
        current = role.assume_role_policy_document
        for one in request.notes.get(_BEHIND, ()):
            if _is_about(one.fault, role):
                then = one.then(self._board.now(), seconds(one.fault.given["seconds"]))
                seen = self._history.seen(str(role.arn), current, then)
                self._note(one, seen, current, f"{request.action} of {role.name} is behind")
                return seen
        return current

    def at_association(self, role: Any) -> Any:
        """The trust policy EKS judges by when an association is made or changed."""
        return self._late(role, "association")

    def at_credentials(self, role: Any) -> Any:
        """The trust policy EKS Auth judges by."""
        return self._late(role, "credentials")

    def _late(self, role: Any, field: str) -> Any:
        current = role.assume_role_policy_document
        for one in self._board.on("trustLate"):
            late = seconds(one.fault.given.get(field))
            if late and _is_about(one.fault, role):
                then = one.then(self._board.now(), late)
                seen = self._history.seen(str(role.arn), current, then) or {"Statement": []}
                self._note(one, seen, current, f"{field} judged by the old trust of {role.name}")
                return seen
        return current

    def _note(self, one: Active, seen: Any, current: Any, what: str) -> None:
        if seen != current:
            self._board.took(one, what)


def _is_about(fault: Fault, role: Any) -> bool:
    account = str(role.account_id)
    return fault.in_account(account) and (fault.role is None or fault.role.fits(account, str(role.name)))


class LateAssociations:
    """Associations as webhooks and EKS Auth see them."""

    def __init__(self, board: Board, cluster_name: ClusterName) -> None:
        self._board = board
        self._cluster_name = cluster_name

    def of_webhooks(self, alias: str) -> Lateness:
        """How late each API server of a cluster sees what."""

        def late(pair: Pair, there: bool, instance: int, when: float) -> float | None:
            field = "create" if there else "delete"
            for one in self._board.on("associationLate"):
                given = one.fault.given
                if when < one.begins:
                    continue
                if field in given and one.fault.on_cluster(alias) and named(given.get("serviceAccount"), *pair):
                    self._note(one, f"{field} of {'/'.join(pair)} is seen late on {alias}", instance)
                    return _of_instance(given[field], instance)
            return None

        return late

    def _note(self, one: Active, what: str, instance: int) -> None:
        """Once for each change of a pair and each server: files are looked at often."""
        with one.lock:
            told = one.memory.setdefault("told", set())
            if (what, instance) in told:
                return
            told.add((what, instance))
        self._board.took(one, what, instance=instance)

    def at_credentials(self, cluster: EksCluster, association: Association) -> Association | None:
        """The association EKS Auth knows: none yet, or as it was before its last update."""
        spec = cluster.spec
        alias = self._cluster_name(spec.account, spec.region, spec.name) or ""
        for one in self._board.on("associationLate"):
            given = one.fault.given
            where = f"{association.namespace}/{association.service_account}"
            if not one.fault.on_cluster(alias) or not named(given.get("serviceAccount"), *where.split("/")):
                continue
            if self._is_fresh(one, association.created, "credentials"):
                self._board.took(one, f"EKS Auth does not know the association of {where} yet")
                return None
            former = association.former
            if former is not None and self._is_fresh(one, association.modified, "update"):
                self._board.took(one, f"EKS Auth knows the former association of {where}")
                return former
        return association

    def _is_fresh(self, one: Active, when: datetime, field: str) -> bool:
        """Whether a change was made since the fault began, and not longer ago than the fault says."""
        now, age = self._board.now(), _age(when)
        return now - age >= one.begins and age < seconds(one.fault.given.get(field))


def _age(when: datetime) -> float:
    return (datetime.now(UTC) - when).total_seconds()


def _of_instance(given: Any, instance: int) -> float:
    """The delay of one API server; the last of a list counts for those beyond it."""
    if not isinstance(given, list):
        return seconds(given)
    return seconds(given[min(instance, len(given) - 1)])
