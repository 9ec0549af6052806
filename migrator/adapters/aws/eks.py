"""One cluster's EKS API: the cluster, its pod identity associations, the agent add-on, Fargate selectors.

EKS gives one error code, InvalidParameterException, for causes that pass with time and for ones that do not; its
message tells them apart, and the reasons of `Rejected` spell that out.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from migrator.adapters.aws import eks_facts
from migrator.adapters.aws.eks_facts import Described
from migrator.adapters.aws.errors import code_of
from migrator.adapters.aws.sessions import AwsSessions
from migrator.model.errors import EnvironmentFault, Rejected
from migrator.model.facts import Addon, Association, FargateSelector
from migrator.model.fleet import FleetCluster
from migrator.model.ids import AGENT_ADDON, MANAGED_BY

if TYPE_CHECKING:
    from mypy_boto3_eks import EKSClient

T = TypeVar("T")

GONE = "ResourceNotFoundException"
TAKEN = "ResourceInUseException"
_PAGE = 100
_FARGATE_LIVE = frozenset({"ACTIVE", "CREATING"})

_BY_CODE = {TAKEN: "exists", "ResourceLimitExceededException": "limit"}
_BY_TEXT = {
    "Trust policy of the role provided is invalid": "trust-not-accepted",
    "Role provided in the request does not exist": "role-not-visible",
}


class EksCluster:
    """One cluster as EKS shows it; thread-safe."""

    def __init__(self, cluster: FleetCluster, sessions: AwsSessions) -> None:
        self._cluster = cluster
        self._sessions = sessions

    def described(self) -> Described:
        """The cluster, live.

        Raises:
            EnvironmentFault: there is no such cluster in that account and region.
        """
        found = self.found(lambda: self.client().describe_cluster(name=self._cluster.name)["cluster"], "reading it")
        if found is None:
            raise EnvironmentFault(
                f'there is no cluster "{self._cluster.name}" in region "{self._cluster.region}" of account '
                f'"{self._cluster.account}"',
                doing=self._doing("reading it"),
                remedy="correct name, region or account in the fleet file",
            )
        return eks_facts.described(self._cluster, found)

    def associations(self, namespace: str = "") -> Sequence[Association]:
        """All associations, or a namespace's, as the list shows them: without role, target role and tags."""
        return self._listed({"namespace": namespace} if namespace else {})

    def association(self, namespace: str, service_account: str) -> Association | None:
        """The pair's association in full, or None."""
        found = self._listed({"namespace": namespace, "serviceAccount": service_account})
        return self._in_full(found[0].id) if found else None

    def describe(self, association: Association) -> Association:
        """The association in full.

        Raises:
            Rejected: reason `ResourceNotFoundException` when it is gone meanwhile.
        """
        found = self._in_full(association.id)
        if found is None:
            raise Rejected(f'association "{association.id}" is gone', reason=GONE, doing=self._doing("reading it"))
        return found

    def create_association(
        self,
        *,
        namespace: str,
        service_account: str,
        role_arn: str,
        tags: Mapping[str, str],
        token: str,
        target_role_arn: str = "",
        session_tags: bool = True,
    ) -> Association:
        """Creates it; a repeat with the same token makes nothing new.

        Raises:
            Rejected: reason `trust-not-accepted`, `role-not-visible`, `exists`, `limit`, or EKS's own code.
        """
        options: dict[str, Any] = {"targetRoleArn": target_role_arn} if target_role_arn else {}
        options |= {} if session_tags else {"disableSessionTags": True}
        doing = self._doing(f'associating "{namespace}/{service_account}" with role "{role_arn}"')
        try:
            answer = self._sessions.run(
                lambda: self.client().create_pod_identity_association(
                    clusterName=self._cluster.name,
                    namespace=namespace,
                    serviceAccount=service_account,
                    roleArn=role_arn,
                    tags=dict(tags),
                    clientRequestToken=token,
                    **options,
                ),
                doing=doing,
                service="eks",
            )
        except Rejected as error:
            cleared = clear(error)
            made = self.association(namespace, service_account) if cleared.reason == "exists" else None
            if made is not None and made.role_arn == role_arn and tags.items() <= made.tags.items():
                return made  # ours, from a try whose answer was lost: the tags name the run
            raise cleared from error
        return eks_facts.association(answer["association"])

    def delete_association(self, association_id: str) -> None:
        """Deletes it; one that is gone already is well."""
        self.found(
            lambda: self.client().delete_pod_identity_association(
                clusterName=self._cluster.name, associationId=association_id
            ),
            f'deleting association "{association_id}"',
        )

    def addon(self, name: str = AGENT_ADDON) -> Addon | None:
        """The add-on, or None."""
        found = self.found(
            lambda: self.client().describe_addon(clusterName=self._cluster.name, addonName=name)["addon"],
            f'reading add-on "{name}"',
        )
        return None if found is None else eks_facts.addon(found)

    def create_addon(self, token: str, name: str = AGENT_ADDON) -> Addon:
        """Installs it in the version EKS takes by default, overwriting nothing; one that is there already is well."""
        try:
            answer = self._sessions.run(
                lambda: self.client().create_addon(
                    clusterName=self._cluster.name,
                    addonName=name,
                    resolveConflicts="NONE",
                    clientRequestToken=token,
                    tags={"managed-by": MANAGED_BY},
                ),
                doing=self._doing(f'installing add-on "{name}"'),
                service="eks",
            )
        except Rejected as error:
            if error.reason == TAKEN and (present := self.addon(name)) is not None:
                return present
            raise clear(error) from error
        return eks_facts.addon(answer["addon"])

    def fargate_selectors(self) -> Sequence[FargateSelector]:
        """The selectors of every Fargate profile that takes pods, now or soon."""
        names = self.pages(
            lambda token: self.client().list_fargate_profiles(
                clusterName=self._cluster.name, maxResults=_PAGE, **token
            ),
            "fargateProfileNames",
            "listing Fargate profiles",
        )
        return tuple(selector for name in sorted(names) for selector in self._selectors(name))

    def _selectors(self, name: str) -> list[FargateSelector]:
        profile = self.found(
            lambda: self.client().describe_fargate_profile(clusterName=self._cluster.name, fargateProfileName=name)[
                "fargateProfile"
            ],
            f'reading Fargate profile "{name}"',
        )
        if profile is None or profile.get("status") not in _FARGATE_LIVE:
            return []
        return [
            FargateSelector(profile=name, namespace=entry.get("namespace", ""), labels=entry.get("labels") or {})
            for entry in profile.get("selectors") or ()
        ]

    def _listed(self, only: Mapping[str, str]) -> list[Association]:
        entries = self.pages(
            lambda token: self.client().list_pod_identity_associations(
                clusterName=self._cluster.name, maxResults=_PAGE, **only, **token
            ),
            "associations",
            "listing associations",
        )
        return sorted(
            map(eks_facts.association, entries), key=lambda found: (found.namespace, found.service_account, found.id)
        )

    def _in_full(self, association_id: str) -> Association | None:
        found = self.found(
            lambda: self.client().describe_pod_identity_association(
                clusterName=self._cluster.name, associationId=association_id
            )["association"],
            f'reading association "{association_id}"',
        )
        return None if found is None else eks_facts.association(found)

    @property
    def name(self) -> str:
        """Its name in EKS."""
        return self._cluster.name

    def pages(self, page: Callable[[Mapping[str, Any]], Any], key: str, doing: str) -> list[Any]:
        """What all pages hold under `key`."""
        found: list[Any] = []
        token: dict[str, Any] = {}
        while True:
            answer = self._sessions.run(partial(page, token), doing=self._doing(doing), service="eks")
            found += answer[key]
            if not answer.get("nextToken"):
                return found
            token = {"nextToken": answer["nextToken"]}

    def found(self, call: Callable[[], T], doing: str) -> T | None:
        """What `call` gives, None when the thing is not there."""

        def tolerant() -> T | None:
            try:
                return call()
            except ClientError as error:
                if code_of(error) == GONE:
                    return None
                raise

        return self._sessions.run(tolerant, doing=self._doing(doing), service="eks")

    def run(self, call: Callable[[], T], doing: str) -> T:
        """What `call` gives, tried again by the policy."""
        return self._sessions.run(call, doing=self._doing(doing), service="eks")

    def client(self) -> "EKSClient":
        """EKS of its account and region."""
        return self._sessions.eks(self._cluster.account, self._cluster.region)

    def _doing(self, what: str) -> str:
        return f'cluster "{self._cluster.alias}": {what}'


def clear(error: Rejected) -> Rejected:
    """The rejection with a reason that tells EKS's causes apart."""
    by_text = (reason for text, reason in _BY_TEXT.items() if text in error.message)
    reason = next(by_text, _BY_CODE.get(error.reason, error.reason))
    return Rejected(error.message, reason=reason, doing=error.doing, remedy=error.remedy)
