"""Objects of other software to facts: what the worlds do not show."""

from typing import Any

import pytest

from migrator.adapters.kube.kinds import consumers, crossplane, external_secrets, keda, network
from migrator.adapters.kube.surroundings import CUSTOM, SECURITY_GROUPS
from migrator.model.facts import WorkloadRef
from migrator.model.ids import ROLE_ARN_ANNOTATION
from migrator.model.surroundings import (
    ObjectRef,
    RoleUse,
    RuntimeConfig,
    Scaler,
    SecretClass,
    Trigger,
    TriggerAuthentication,
)
from tests.fakes.surroundings import thing

Json = dict[str, Any]
ROLE = "arn:aws:iam::111111111111:role/web"
TOKEN = {"auth": {"jwt": {"serviceAccountRef": {"name": "web"}}}}
KEYS = {"auth": {"secretRef": {"accessKeyIDSecretRef": {"name": "s", "key": "k"}}}, "role": ROLE}


def ref(kind: str, namespace: str = "shop") -> ObjectRef:
    return ObjectRef(kind=kind, namespace=namespace, name="it")


@pytest.mark.parametrize("field", ["ecrAuthorizationTokenSpec", "stsSessionTokenSpec"])
def test_a_cluster_generator_holds_the_spec_of_another(field: str) -> None:
    found = thing(external_secrets.ClusterGenerator, {"generator": {field: TOKEN}}, namespace="")
    at = f"spec.generator.{field}.auth.jwt.serviceAccountRef"
    expected = RoleUse(ref=ref("ClusterGenerator", ""), controller="external-secrets", field=at, account="web")
    assert list(external_secrets.cluster_generator("ClusterGenerator", found)) == [expected]


@pytest.mark.parametrize(
    "provider",
    [{"aws": KEYS}, {"aws": {}}, {"gcpsm": {}}, {"vault": {"auth": {"kubernetes": {}}}}],
    ids=["static keys", "no role", "another cloud", "another login"],
)
def test_a_store_that_takes_no_role_on_for_a_service_is_none(provider: Json) -> None:
    found = thing(external_secrets.Store, {"provider": provider})
    assert list(external_secrets.store("SecretStore", found)) == []


def test_a_store_of_one_namespace_names_accounts_of_that_namespace_only() -> None:
    account = {"auth": {"jwt": {"serviceAccountRef": {"name": "web", "namespace": "elsewhere"}}}}
    for namespace, expected in (("shop", "shop"), ("", "elsewhere")):
        found = thing(external_secrets.Store, {"provider": {"aws": account}}, namespace=namespace)
        [use] = external_secrets.store("SecretStore", found)
        assert isinstance(use, RoleUse)
        assert use.account_namespace == expected


@pytest.mark.parametrize("keys", [{"accessKeyID": "AKIA"}, {"accessKeyIDSecretRef": {"name": "s", "key": "k"}}])
def test_an_issuer_with_static_keys_begins_with_those(keys: Json) -> None:
    spec = {"acme": {"solvers": [{"dns01": {"route53": {"role": ROLE, **keys}}}, {"http01": {}}]}}
    assert list(consumers.issuer("Issuer", thing(consumers.Issuer, spec))) == []


@pytest.mark.parametrize("spec", [{"ca": {}}, {"acme": {"server": "https://acme.example"}}])
def test_an_issuer_without_route53_takes_no_role_on(spec: Json) -> None:
    assert list(consumers.issuer("Issuer", thing(consumers.Issuer, spec))) == []


@pytest.mark.parametrize(("written", "expected"), [("True", True), ("1", True), ("yes", False), ("", False)])
def test_a_secret_class_is_told_in_gos_words(written: str, expected: bool) -> None:
    found = thing(consumers.SecretProvider, {"provider": "aws", "parameters": {"usePodIdentity": written}})
    [one] = consumers.secret_class("SecretProviderClass", found)
    assert one == SecretClass(ref=ref("SecretProviderClass"), pod_identity=expected)


def test_a_secret_class_of_another_provider_is_none() -> None:
    found = thing(consumers.SecretProvider, {"provider": "vault"})
    assert list(consumers.secret_class("SecretProviderClass", found)) == []


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        ({"provider": "gcp"}, None),
        ({"provider": "aws"}, False),
        ({"provider": "aws", "identityOwner": "keda"}, False),
        ({"provider": "aws", "identityOwner": None, "roleArn": None}, False),
        ({"provider": "aws", "identityOwner": "workload"}, True),
        ({"provider": "aws-eks"}, True),
    ],
)
def test_a_trigger_authentication_reads_the_annotation_or_does_not(identity: Json, expected: bool | None) -> None:
    found = thing(keda.Authentication, {"podIdentity": identity})
    facts = list(keda.authentication("TriggerAuthentication", found))
    assert [one.workload for one in facts if isinstance(one, TriggerAuthentication)] == (
        [] if expected is None else [expected]
    )


def test_a_trigger_authentication_without_an_identity_is_none() -> None:
    found = thing(keda.Authentication, {"secretTargetRef": []})
    assert list(keda.authentication("TriggerAuthentication", found)) == []


def test_a_scaled_job_runs_as_the_default_account_unless_it_says_otherwise() -> None:
    found = thing(keda.Scaled, {"jobTargetRef": {"template": {"spec": {"containers": []}}}, "triggers": [{}]})
    [one] = keda.scaler("ScaledJob", found)
    assert one == Scaler(ref=ref("ScaledJob"), account="default", triggers=(Trigger(),))


def test_a_scaled_object_scales_a_deployment_unless_it_says_otherwise() -> None:
    trigger = {"type": "cron", "metadata": {"identityOwner": "operator"}, "authenticationRef": {"name": "a"}}
    found = thing(keda.Scaled, {"scaleTargetRef": {"name": "web"}, "triggers": [trigger]})
    [one] = keda.scaler("ScaledObject", found)
    assert isinstance(one, Scaler)
    assert one.target == WorkloadRef(kind="Deployment", namespace="shop", name="web")
    assert one.triggers == (Trigger(kind="TriggerAuthentication", name="a", owner="operator"),)


ANNOTATED = {"annotations": {ROLE_ARN_ANNOTATION: ROLE}}
POD = {"spec": {"template": {"spec": {"serviceAccountName": "web"}}}}


@pytest.mark.parametrize(
    ("spec", "account"),
    [
        ({"serviceAccountTemplate": {"metadata": ANNOTATED}}, ""),
        ({"serviceAccountTemplate": {"metadata": {"name": "web", **ANNOTATED}}}, "web"),
        ({"serviceAccountTemplate": {"metadata": ANNOTATED}, "deploymentTemplate": POD}, "web"),
        ({"serviceAccountTemplate": {"metadata": {"name": "web"}}}, None),
        ({"deploymentTemplate": POD}, None),
    ],
)
def test_a_runtime_config_annotates_an_account_of_a_given_or_generated_name(spec: Json, account: str | None) -> None:
    found = thing(crossplane.Runtime, spec, namespace="")
    expected = RuntimeConfig(ref=ref("DeploymentRuntimeConfig", ""), role=ROLE, account=account or "")
    assert list(crossplane.runtime("DeploymentRuntimeConfig", found)) == ([] if account is None else [expected])


@pytest.mark.parametrize(("meta", "known"), [(ANNOTATED, True), ({}, False)])
def test_a_controller_config_hands_its_own_annotations_on(meta: Json, known: bool) -> None:
    found = thing(crossplane.Controller, {"serviceAccountName": "web"}, namespace="", meta=meta)
    expected = RuntimeConfig(ref=ref("ControllerConfig", ""), role=ROLE, account="web")
    assert list(crossplane.controller("ControllerConfig", found)) == ([expected] if known else [])


@pytest.mark.parametrize(
    "spec",
    [
        {"podSelector": {}, "securityGroups": {"groupIds": []}},
        {"securityGroups": {"groupIds": ["sg-1"]}},
        {},
    ],
    ids=["no group", "no selector", "nothing"],
)
def test_a_security_group_policy_without_groups_or_selectors_is_none(spec: Json) -> None:
    found = thing(network.SecurityGroups, spec)
    assert list(network.groups("SecurityGroupPolicy", found)) == []


def test_each_kind_is_listed_once() -> None:
    listed = [(one.group, one.resource) for one in (*CUSTOM, SECURITY_GROUPS)]
    assert len(listed) == len(set(listed))
