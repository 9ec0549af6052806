"""EKS add-ons over a real socket: what UpdateAddon is sent, what refusals mean, and what is read of an add-on."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from migrator.adapters.aws.eks import EksCluster
from migrator.adapters.aws.eks_addons import EksAddons
from migrator.adapters.aws.sessions import AwsSessions
from migrator.model.addons import AddonUpdate, InstalledAddon, Offer
from migrator.model.errors import Rejected
from tests.contract.adapters.scripted import Asked, Said, Server
from tests.contract.adapters.test_aws import Cloud, arn

ADDON = InstalledAddon(name="driver", arn="arn:addon", version="v1.2.0-eksbuild.1", status="ACTIVE", namespace="shop")
UPDATE = {"id": "u-1", "status": "InProgress", "type": "AddonUpdate"}


@pytest.fixture
def addons(sessions: AwsSessions) -> EksAddons:
    return EksAddons(EksCluster(sessions.fleet.clusters[0], sessions))


def answering(said: Callable[[Asked], Said]) -> Callable[[Asked], Said]:
    """EKS's answers beside those of STS."""
    script = Cloud()
    return lambda asked: script(asked) if asked.path == "/" else said(asked)


def told(body: Any, status: int = 200, code: str = "") -> Said:
    return Said(status, json.dumps(body).encode(), {"x-amzn-ErrorType": code} if code else {})


@pytest.mark.parametrize(
    ("configuration", "role", "more"),
    [
        ("", "", {}),
        ('{"a":1}', arn("web"), {"configurationValues": '{"a":1}', "serviceAccountRoleArn": arn("web")}),
    ],
)
def test_an_update_sends_the_whole_list_and_what_is_to_stay(
    cloud: Server, addons: EksAddons, configuration: str, role: str, more: dict[str, str]
) -> None:
    cloud.answer = answering(lambda _asked: told({"update": UPDATE}))
    addon = replace(ADDON, configuration=configuration)
    update = addons.update(addon, {"web": arn("web"), "api": arn("api")}, role_arn=role, token="t-1")
    assert update == AddonUpdate(id="u-1", status="InProgress")
    (sent,) = [json.loads(one.body) for one in cloud.asked if one.path.endswith("/driver/update")]
    both = [{"serviceAccount": "api", "roleArn": arn("api")}, {"serviceAccount": "web", "roleArn": arn("web")}]
    asked = {"addonVersion": ADDON.version, "resolveConflicts": "PRESERVE", "clientRequestToken": "t-1"}
    assert sent == {**asked, "podIdentityAssociations": both, **more}


@pytest.mark.parametrize(
    ("code", "message", "reason"),
    [
        ("ResourceInUseException", "Addon driver cannot be updated as it is currently in UPDATING state", "busy"),
        ("ResourceInUseException", "Association already exists: a-1", "exists"),
        ("InvalidParameterException", "Trust policy of the role provided is invalid", "trust-not-accepted"),
        ("InvalidParameterException", "Role provided in the request does not exist", "role-not-visible"),
        ("InvalidParameterException", "Pod Identity feature is not supported for addon version: v1", None),
    ],
)
def test_what_a_refusal_means(cloud: Server, addons: EksAddons, code: str, message: str, reason: str | None) -> None:
    cloud.answer = answering(lambda _asked: told({"message": message}, 400, code))
    with pytest.raises(Rejected) as refused:
        addons.update(ADDON, {}, role_arn="", token="t")
    assert refused.value.reason == (reason or code)


def test_a_version_that_is_not_on_offer_names_no_accounts(cloud: Server, addons: EksAddons) -> None:
    cloud.answer = answering(lambda _asked: told({"message": "not supported"}, 400, "InvalidParameterException"))
    assert addons.accounts("driver", "v0") == frozenset()


def test_the_offer_is_of_the_versions_for_that_kubernetes(cloud: Server, addons: EksAddons) -> None:
    fits = {"addonVersion": "v2", "compatibilities": [{"clusterVersion": "1.33"}], "requiresIamPermissions": True}
    listed = {"addonName": "driver", "defaultNamespace": "shop", "addonVersions": [fits, {"addonVersion": "v3"}]}
    cloud.answer = answering(lambda _asked: told({"addons": [listed]}))
    assert addons.offer("driver", "1.33") == Offer(namespace="shop", versions=("v2",), needs_role=True)


def test_the_agent_is_no_addon_of_a_service(cloud: Server, addons: EksAddons) -> None:
    def said(asked: Asked) -> Said:
        if asked.path.endswith("/addons"):
            return told({"addons": ["driver", "eks-pod-identity-agent"]})
        whole = {"addonName": "driver", "addonArn": "arn:addon", "addonVersion": ADDON.version, "status": "ACTIVE"}
        return told({"addon": {**whole, "namespaceConfig": {"namespace": "shop"}}})

    cloud.answer = answering(said)
    assert addons.installed() == [ADDON]


def test_an_update_that_failed_says_why(cloud: Server, addons: EksAddons) -> None:
    errors = [{"errorCode": "InsufficientNumberOfReplicas", "errorMessage": "none is up"}]
    cloud.answer = answering(lambda _asked: told({"update": {**UPDATE, "status": "Failed", "errors": errors}}))
    assert addons.update_of("driver", "u-1") == AddonUpdate(
        id="u-1", status="Failed", errors=("InsufficientNumberOfReplicas: none is up",)
    )
