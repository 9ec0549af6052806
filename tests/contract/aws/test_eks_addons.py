"""EKS add-ons, their updates and the associations they own: facts/aws.md 1.2 and 8."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

Client = Callable[..., Any]
Refused = Callable[..., tuple[str, int, str]]
Role = Callable[..., str]
CLUSTER = "contract"
EBS = {"clusterName": CLUSTER, "addonName": "aws-ebs-csi-driver"}
CONTROLLER = "ebs-csi-controller-sa"


@pytest.fixture
def eks(client: Client) -> Any:
    return client("eks")


@pytest.fixture
def addon(eks: Any) -> Iterator[Callable[..., dict[str, Any]]]:
    """Installs the EBS driver; takes it off again."""

    def make(**more: Any) -> dict[str, Any]:
        return dict(eks.create_addon(**EBS, **more)["addon"])

    yield make
    if EBS["addonName"] in eks.list_addons(clusterName=CLUSTER)["addons"]:
        eks.delete_addon(**EBS)


def test_versions(eks: Any) -> None:
    found = eks.describe_addon_versions(addonName="eks-pod-identity-agent", kubernetesVersion="1.33")
    versions = found["addons"][0]["addonVersions"]
    assert versions[0]["compatibilities"][0] == {
        "clusterVersion": "1.33",
        "platformVersions": ["*"],
        "defaultVersion": True,
    }


def test_versions_in_pages(eks: Any) -> None:
    first = eks.describe_addon_versions(maxResults=2)
    second = eks.describe_addon_versions(maxResults=2, nextToken=first["nextToken"])
    names = [item["addonName"] for item in [*first["addons"], *second["addons"]]]
    assert len(set(names)) == 4


def test_configuration_tells_the_service_accounts(eks: Any) -> None:
    found = eks.describe_addon_configuration(addonName=EBS["addonName"], addonVersion="v1.51.0-eksbuild.1")
    assert [item["serviceAccount"] for item in found["podIdentityConfiguration"]] == [CONTROLLER]
    assert json.loads(found["configurationSchema"])["type"] == "object"


def test_configuration_of_an_old_version_has_none(eks: Any) -> None:
    found = eks.describe_addon_configuration(addonName=EBS["addonName"], addonVersion="v1.25.0-eksbuild.1")
    assert "podIdentityConfiguration" not in found


def test_create_then_active(addon: Any, eks: Any, plane: Any, own_front: Any) -> None:
    plane.ready = False
    created = addon(configurationValues='{"a": 1}')
    assert created["status"] == "CREATING"
    assert eks.describe_addon(**EBS)["addon"]["status"] == "CREATING"
    assert plane.installed[-1] == (EBS["addonName"], "v1.51.0-eksbuild.1", '{"a": 1}')
    plane.ready = True
    assert eks.describe_addon(**EBS)["addon"]["status"] == "ACTIVE"


def test_create_twice(addon: Any, eks: Any, refused: Refused) -> None:
    addon()
    assert refused(eks.create_addon, **EBS)[:2] == ("ResourceInUseException", 409)


def test_create_is_idempotent_by_token(addon: Any) -> None:
    first = addon(clientRequestToken="t-1")
    assert addon(clientRequestToken="t-1")["addonArn"] == first["addonArn"]


@pytest.mark.parametrize(
    "wrong",
    [{"addonName": "no-such"}, {"addonVersion": "v0.0.1"}, {"configurationValues": "just text"}],
    ids=["[addon] unknown name", "[addon] unknown version", "[addon] configuration no object"],
)
def test_create_refuses(eks: Any, refused: Refused, wrong: dict[str, str]) -> None:
    assert refused(eks.create_addon, **(EBS | wrong))[:2] == ("InvalidParameterException", 400)


def test_create_refuses_an_unknown_conflict_rule(eks: Any, refused: Refused) -> None:
    code, status, message = refused(eks.create_addon, **EBS, resolveConflicts="MAYBE")
    assert (code, status) == ("InvalidParameterException", 400)
    assert "enum value set" in message


def test_describe_missing(eks: Any, refused: Refused) -> None:
    answer = refused(eks.describe_addon, clusterName=CLUSTER, addonName="coredns")
    assert answer[:2] == ("ResourceNotFoundException", 404)


def test_owned_associations_are_real(addon: Any, eks: Any, role: Role) -> None:
    arn = role()
    made = addon(podIdentityAssociations=[{"serviceAccount": CONTROLLER, "roleArn": arn}])
    found = eks.list_pod_identity_associations(clusterName=CLUSTER, namespace="kube-system", serviceAccount=CONTROLLER)[
        "associations"
    ]
    assert [item["associationArn"] for item in found] == made["podIdentityAssociations"]
    assert found[0]["ownerArn"] == made["addonArn"]


def test_owned_associations_are_changed_through_the_addon(addon: Any, eks: Any, role: Role, refused: Refused) -> None:
    made = addon(podIdentityAssociations=[{"serviceAccount": CONTROLLER, "roleArn": role()}])
    id_ = made["podIdentityAssociations"][0].rsplit("/", 1)[-1]
    answer = refused(eks.delete_pod_identity_association, clusterName=CLUSTER, associationId=id_)
    assert answer[:2] == ("InvalidRequestException", 400)


def test_addon_does_not_adopt_an_association(eks: Any, role: Role, refused: Refused) -> None:
    arn = role()
    own = eks.create_pod_identity_association(
        clusterName=CLUSTER, namespace="kube-system", serviceAccount=CONTROLLER, roleArn=arn
    )["association"]
    wish = [{"serviceAccount": CONTROLLER, "roleArn": arn}]
    assert refused(eks.create_addon, **EBS, podIdentityAssociations=wish)[0] == "ResourceInUseException"
    eks.delete_pod_identity_association(clusterName=CLUSTER, associationId=own["associationId"])


def test_unsupported_version_and_account(eks: Any, role: Role, refused: Refused) -> None:
    wish = [{"serviceAccount": CONTROLLER, "roleArn": role()}]
    old = refused(eks.create_addon, **EBS, addonVersion="v1.25.0-eksbuild.1", podIdentityAssociations=wish)
    assert old[2] == "Pod Identity feature is not supported for addon version: v1.25.0-eksbuild.1"
    wish[0]["serviceAccount"] = "stranger"
    other = refused(eks.create_addon, **EBS, podIdentityAssociations=wish)
    assert "stranger in pod identity configuration is not supported for addon" in other[2]


def test_update_replaces_keeps_and_clears(addon: Any, eks: Any, role: Role) -> None:
    addon(serviceAccountRoleArn=role())
    eks.describe_addon(**EBS)
    second = role()
    for wish, count in (([{"serviceAccount": CONTROLLER, "roleArn": second}], 1), (None, 1), ([], 0)):
        more = {} if wish is None else {"podIdentityAssociations": wish}
        update = eks.update_addon(**EBS, resolveConflicts="PRESERVE", **more)["update"]
        assert (update["status"], update["type"]) == ("InProgress", "AddonUpdate")
        done = eks.describe_update(name=CLUSTER, updateId=update["id"], addonName=EBS["addonName"])
        assert done["update"]["status"] == "Successful"
        found = eks.describe_addon(**EBS)["addon"]
        assert found["status"] == "ACTIVE"
        assert len(found.get("podIdentityAssociations", [])) == count
        assert "serviceAccountRoleArn" not in found  # taken away by the first of them, as it gave none
    ids = eks.list_updates(name=CLUSTER, addonName=EBS["addonName"], maxResults=100)["updateIds"]
    assert update["id"] in ids


def test_an_update_with_the_role_keeps_it(addon: Any, eks: Any, role: Role, plane: Any, own_front: Any) -> None:
    arn = role()
    addon(serviceAccountRoleArn=arn)
    eks.describe_addon(**EBS)
    wish = [{"serviceAccount": CONTROLLER, "roleArn": role()}]
    eks.update_addon(**EBS, podIdentityAssociations=wish, serviceAccountRoleArn=arn)
    assert eks.describe_addon(**EBS)["addon"]["serviceAccountRoleArn"] == arn
    change = plane.changes[-1]
    assert (change.accounts, change.role_arn, change.drops, change.rolls) == ((CONTROLLER,), arn, False, True)


def test_a_token_stands_for_one_update(addon: Any, eks: Any, role: Role, refused: Refused) -> None:
    addon()
    eks.describe_addon(**EBS)
    wish = {"podIdentityAssociations": [{"serviceAccount": CONTROLLER, "roleArn": role()}]}
    first = eks.update_addon(**EBS, **wish, clientRequestToken="u-1")["update"]
    eks.describe_addon(**EBS)
    again = eks.update_addon(**EBS, **wish, clientRequestToken="u-1")["update"]
    assert (again["id"], again["status"]) == (first["id"], "Successful")
    answer = refused(eks.update_addon, **EBS, podIdentityAssociations=[], clientRequestToken="u-1")
    assert answer[:2] == ("InvalidParameterException", 400)


def test_an_update_may_fail(addon: Any, eks: Any, own_front: Any) -> None:
    addon()
    eks.describe_addon(**EBS)
    own_front.senses.addons.fate = lambda _cluster, name: f"{name} did not become ready"
    update = eks.update_addon(**EBS, configurationValues="{}")["update"]
    own_front.senses.addons.fate = lambda _cluster, _name: ""
    assert eks.describe_addon(**EBS)["addon"]["status"] == "UPDATE_FAILED"
    ended = eks.describe_update(name=CLUSTER, updateId=update["id"], addonName=EBS["addonName"])["update"]
    assert ended["status"] == "Failed"
    assert ended["errors"][0]["errorMessage"] == "aws-ebs-csi-driver did not become ready"
    eks.update_addon(**EBS, configurationValues="{}")
    assert eks.describe_addon(**EBS)["addon"]["status"] == "ACTIVE"


def test_update_under_way_is_in_use(addon: Any, eks: Any, refused: Refused, plane: Any, own_front: Any) -> None:
    plane.ready = False
    addon()
    assert refused(eks.update_addon, **EBS)[:2] == ("ResourceInUseException", 409)
    plane.ready = True


def test_describe_update_missing(eks: Any, refused: Refused) -> None:
    answer = refused(eks.describe_update, name=CLUSTER, updateId="none")
    assert answer[:2] == ("ResourceNotFoundException", 404)


def test_delete_takes_owned_associations_along(addon: Any, eks: Any, role: Role, plane: Any, own_front: Any) -> None:
    addon(podIdentityAssociations=[{"serviceAccount": CONTROLLER, "roleArn": role()}])
    assert eks.delete_addon(**EBS)["addon"]["status"] == "DELETING"
    found = eks.list_pod_identity_associations(clusterName=CLUSTER, namespace="kube-system")
    assert found["associations"] == []
    assert plane.removed[-1] == EBS["addonName"]
