"""The fake world whose one service belongs to an EKS add-on: UpdateAddon makes the association and rolls the pods."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from migrator.model.addons import AddonUpdate, InstalledAddon
from migrator.model.errors import Rejected
from migrator.model.facts import Association, Json, ServiceAccount
from migrator.model.ids import ROLE_ARN_ANNOTATION
from tests.fakes.parts import ACCOUNT, ROLE_ARN
from tests.fakes.world import FakeWorld

NAME = "shop-driver"
ARN = f"arn:aws:eks:eu-west-1:{ACCOUNT}:addon/prod/{NAME}/1234"
SIBLING = "orders-node"  # another ServiceAccount of the add-on
INSTALLED = InstalledAddon(
    name=NAME,
    arn=ARN,
    version="v2.1.0-eksbuild.1",
    status="ACTIVE",
    namespace="shop",
    role_arn=ROLE_ARN,
    configuration='{"replicas":2}',
)


@dataclass
class AddonWorld(FakeWorld):
    """`looks_until_updated` looks at the add-on pass before an update is over.

    `keeps_role`: EKS does not take the role and the annotation away. `rolls`: it replaces the pods, once the update is
    over. `failing`: updates that associate the service end as Failed, and change the add-on's status only.
    `sibling`: another ServiceAccount of the add-on, annotated with the role, or with its association already.
    """

    installed: InstalledAddon = INSTALLED
    looks_until_updated: int = 1
    keeps_role: bool = False
    rolls: bool = True
    failing: bool = False
    sibling: str = ""  # irsa, pod-identity, or none
    busy: int = 0  # updates that are refused, since another one runs
    ends_as: str = "ACTIVE"
    given: list[Mapping[str, Json]] = field(default_factory=list)  # what each update was given
    updates: dict[str, AddonUpdate] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    _left: int = 0
    _fails: bool = False

    def addons(self) -> Sequence[InstalledAddon]:
        return [self.installed]

    def addon_accounts(self, name: str, version: str) -> frozenset[str]:
        assert (name, version) == (NAME, self.installed.version)
        return frozenset({"orders", SIBLING} if self.sibling else {"orders"})

    def service_account(self, namespace: str, name: str) -> ServiceAccount | None:
        if name != SIBLING:
            return super().service_account(namespace, name)
        marks = {ROLE_ARN_ANNOTATION: ROLE_ARN} if self.sibling == "irsa" else {}
        return ServiceAccount(namespace=namespace, name=name, uid="sibling", annotations=marks)

    def installed_addon(self, name: str) -> InstalledAddon | None:
        assert name == NAME
        if self.installed.status == "UPDATING":
            self._left -= 1
            if self._left < 0:
                self._finish()
        return self.installed

    def owned_by(self, addon: InstalledAddon, namespace: str) -> Sequence[Association]:
        assert namespace == "shop"
        mine = [self.made] if self.made is not None and self.made.owner_arn == addon.arn else []
        theirs = Association(id="a-9", namespace="shop", service_account=SIBLING, role_arn=ROLE_ARN, owner_arn=ARN)
        return [*mine, theirs] if self.sibling == "pod-identity" else mine

    def update_addon(
        self, addon: InstalledAddon, associations: Mapping[str, str], *, role_arn: str, token: str
    ) -> AddonUpdate:
        if token in self.tokens:
            return self.updates[self.tokens[token]]
        if self.busy > 0 or self.installed.status == "UPDATING":
            self.busy -= 1
            raise Rejected("Addon cannot be updated as it is currently in UPDATING state", reason="busy")
        if self.trust_accepted_after > 0:
            self.trust_accepted_after -= 1
            raise Rejected("Trust policy of the role provided is invalid", reason="trust-not-accepted")
        self._change("update-addon")
        assert (addon.version, addon.configuration) == (INSTALLED.version, INSTALLED.configuration)
        self.given.append({"associations": dict(associations), "role_arn": role_arn})
        update = AddonUpdate(id=f"u-{len(self.updates) + 1}", status="InProgress")
        self.updates[update.id] = update
        self.tokens[token] = update.id
        self.installed = replace(self.installed, status="UPDATING")
        self._left = self.looks_until_updated
        self._fails = self.failing and "orders" in associations
        if not self._fails:
            self._take(associations, role_arn)
        self.after_call("update-addon")
        return update

    def _take(self, associations: Mapping[str, str], role_arn: str) -> None:
        role = associations.get("orders")
        made = Association(id="a-1", namespace="shop", service_account="orders", role_arn=role or "", owner_arn=ARN)
        self.made = made if role else None
        if role_arn:
            self.installed = replace(self.installed, role_arn=role_arn)
            self.annotations[ROLE_ARN_ANNOTATION] = role_arn
        elif associations and not self.keeps_role:
            self.installed = replace(self.installed, role_arn="")
            self.annotations.pop(ROLE_ARN_ANNOTATION, None)

    def _finish(self) -> None:
        newest = next(reversed(self.updates.values()))
        if self._fails:
            errors = ("Unknown: the controller did not come up",)
            self.updates[newest.id] = replace(newest, status="Failed", errors=errors)
            self.installed = replace(self.installed, status="UPDATE_FAILED")
            return
        self.updates[newest.id] = replace(newest, status="Successful")
        self.installed = replace(self.installed, status=self.ends_as)
        if self.rolls:
            for workload in self.declared:
                self._roll(workload)

    def addon_update(self, name: str, update_id: str) -> AddonUpdate | None:
        assert name == NAME
        return self.updates.get(update_id)

    def snapshot(self) -> dict[str, Json]:
        return {**super().snapshot(), "role": self.installed.role_arn, "status": self.installed.status}
