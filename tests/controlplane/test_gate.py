"""EKS's own webhook behind a real API server, asked by our admission gate while the file of associations changes.

What counts is what the gate answers with: the pod as it would be made, or the refusal.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from migrator.lab.kubeclient import KubeError, path_of, resource_path
from migrator.lab.webhook.server import registration
from migrator.lab.webhook.settings import SKIP_CONTAINERS, SKIP_LABEL
from migrator.lab.webhook.sources import association_document
from migrator.model import identity
from tests.controlplane import etcd, tier
from tests.controlplane.gatehouse import (
    UNKNOWN,
    Gatehouse,
    Service,
    add_service,
    container,
    given,
    open_gatehouse,
    said,
    wait_until,
)

pytestmark = getattr(pytest.mark, tier.MARK)
IRSA, POD_IDENTITY, NONE = "irsa", "pod-identity", "none"
Json = dict[str, Any]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gatehouse]:
    with open_gatehouse(tmp_path_factory.mktemp("gate")) as opened:
        yield opened


CASES = {
    "[neither] nothing is injected": (False, False, NONE),
    "[annotation] alone": (True, False, IRSA),
    "[association] alone": (False, True, POD_IDENTITY),
    "[both] the association wins, and nothing of IRSA is injected": (True, True, POD_IDENTITY),
}


@pytest.mark.parametrize(("annotated", "associated", "expected"), CASES.values(), ids=CASES.keys())
def test_what_a_pod_gets_in_and_out_of_dry_run(
    house: Gatehouse, *, annotated: bool, associated: bool, expected: str
) -> None:
    service = add_service(house, annotated=annotated)
    service.runs(spec={"initContainers": [container("setup")], "containers": [container("main"), container("proxy")]})
    with house.associated(*([service] if associated else [])):
        service.turns(expected)
        probe, real = service.ask(), service.created()

    assert probe.pod is not None
    assert identity.by_container(real) == tuple((name, expected) for name in ("setup", "main", "proxy"))
    assert given(probe.pod) == given(real)
    assert service.reads.pods(service.namespace) == []


def test_the_gate_turns_as_the_file_changes_and_back(house: Gatehouse) -> None:
    service, other = add_service(house, annotated=True), add_service(house, annotated=True)
    service.runs()
    service.turns(IRSA)
    other.turns(IRSA)
    with house.associated(service):
        assert service.turns(POD_IDENTITY) in ([IRSA, POD_IDENTITY], [POD_IDENTITY])
        assert other.says() == IRSA
        service.annotate(None)
        service.stays(POD_IDENTITY)
        assert service.gets() == POD_IDENTITY
    assert service.turns(NONE) in ([POD_IDENTITY, NONE], [NONE])
    service.annotate()

    assert service.turns(IRSA) in ([NONE, IRSA], [IRSA])
    assert service.gets() == IRSA


def test_an_association_that_arrives_late_is_not_seen_before(house: Gatehouse) -> None:
    service = add_service(house, annotated=True)
    service.turns(IRSA)
    house.identities.delay = 0.5
    with house.associated(service):
        assert service.turns(POD_IDENTITY) == [IRSA, POD_IDENTITY]
    assert service.turns(IRSA) == [POD_IDENTITY, IRSA]
    house.identities.delay = 0.0


CLEARED: dict[str, Callable[[Path], object]] = {
    "[emptied]": lambda file: file.write_text(""),
    "[deleted]": lambda file: file.unlink(),
    "[no identities]": lambda file: file.write_text('{"identities": []}'),
}


@pytest.mark.parametrize("clear", CLEARED.values(), ids=CLEARED.keys())
def test_a_file_that_says_nothing_clears_the_set(house: Gatehouse, clear: Callable[[Path], object]) -> None:
    service = add_service(house, annotated=True)
    service.turns(IRSA)
    with house.associated(service):
        service.turns(POD_IDENTITY)
        clear(house.file)
        assert service.turns(IRSA) in ([POD_IDENTITY, IRSA], [IRSA])
        house.write(association_document(frozenset({service.pair})))
        service.turns(POD_IDENTITY)
    service.turns(IRSA)


def test_a_malformed_file_keeps_the_old_set(house: Gatehouse) -> None:
    service, other = add_service(house, annotated=True), add_service(house, annotated=True)
    other.turns(IRSA)
    with house.associated(service):
        service.turns(POD_IDENTITY)
        house.write('{"identities": [{"namespace": ')
        for _ in range(20):  # it is tried again and again meanwhile
            assert (service.says(), other.says()) == (POD_IDENTITY, IRSA)
        house.write(association_document(frozenset({other.pair})))

        other.turns(POD_IDENTITY)
        service.turns(IRSA)


def test_a_killed_webhook_fails_open_and_one_that_is_started_again_knows_all(house: Gatehouse) -> None:
    moved, annotated = add_service(house, annotated=True), add_service(house, annotated=True)
    moved.runs()
    with house.associated(moved):
        moved.turns(POD_IDENTITY)
        annotated.turns(IRSA)
        with house.webhook_killed():
            moved.stays(NONE)
            annotated.stays(NONE)
            assert moved.gets() == NONE

        moved.turns(POD_IDENTITY)
        annotated.turns(IRSA)


def test_without_its_registration_nothing_is_injected(house: Gatehouse) -> None:
    moved, annotated = add_service(house, annotated=True), add_service(house, annotated=True)
    with house.associated(moved):
        moved.turns(POD_IDENTITY)
        annotated.turns(IRSA)
        house.unregister()
        moved.turns(NONE)
        annotated.turns(NONE)
        house.register()

        moved.turns(POD_IDENTITY)
        annotated.turns(IRSA)


def test_the_skip_label_of_the_template_keeps_the_webhook_away(house: Gatehouse) -> None:
    service, seen = add_service(house, annotated=True), add_service(house, annotated=True)
    service.runs(labels={SKIP_LABEL: "true"})
    with house.associated(service, seen):
        seen.turns(POD_IDENTITY)
        service.stays(NONE)
        assert service.gets() == NONE


def test_a_container_that_is_to_be_skipped_is_not_judged(house: Gatehouse) -> None:
    service = add_service(house)
    containers = [container("main"), container("mesh")]
    service.runs(metadata={"annotations": {SKIP_CONTAINERS: "mesh"}}, spec={"containers": containers})
    with house.associated(service):
        service.turns(POD_IDENTITY)
        pod = service.ask().pod

    assert pod is not None
    assert identity.by_container(pod) == (("main", POD_IDENTITY),)
    assert [one.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI") is not None for one in pod.spec.containers] == [
        True,
        False,
    ]


def test_variables_of_irsa_in_the_template_show_as_both(house: Gatehouse) -> None:
    service = add_service(house)
    env = [{"name": "AWS_ROLE_ARN", "value": "arn"}, {"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": "/token"}]
    service.runs(spec={"containers": [container("main", env=env)]})
    with house.associated(service):
        service.turns("both")


def test_no_such_service_account_is_no_answer_until_it_is_there(house: Gatehouse) -> None:
    service = add_service(house, account=False)
    with house.associated(service):
        probe = service.ask()
        assert said(probe) == UNKNOWN
        assert f'serviceaccount "{service.name}" not found' in probe.refusal
        meta = {"name": service.name, "namespace": service.namespace}
        house.plane.kube.create_object({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta})

        service.turns(POD_IDENTITY)


def test_a_pod_that_a_policy_refuses_is_asked_of_with_a_minimal_one(house: Gatehouse) -> None:
    service = add_service(house)
    service.runs()
    path = resource_path("v1", "namespaces", None, service.namespace)
    house.plane.kube.patch(path, {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}})
    with house.associated(service):
        service.turns(POD_IDENTITY)
        probe = service.ask()

    assert probe.pod is not None
    assert [one.name for one in probe.pod.spec.containers] == ["probe"]
    with pytest.raises(KubeError, match='violates PodSecurity "restricted:latest"'):
        service.created()


def test_a_foreign_webhook_that_must_answer_and_does_not_is_no_answer(house: Gatehouse) -> None:
    service = add_service(house)
    with house.associated(service):
        service.turns(POD_IDENTITY)
        house.plane.kube.create_object(foreign(service, failurePolicy="Fail"))
        wait_until("the foreign webhook is asked", lambda: service.says() == UNKNOWN)
        assert 'failed calling webhook "foreign.example.com"' in service.answers[-1].refusal
        house.plane.kube.delete(path_of(foreign(service)))

        service.turns(POD_IDENTITY)


def test_a_foreign_webhook_with_side_effects_is_no_answer_to_dry_runs(house: Gatehouse) -> None:
    """None can be made any more; one that was made by a cluster of before 1.22 is still there, and is obeyed."""
    service = add_service(house)
    service.runs()
    document = foreign(service, sideEffects="Some")
    with pytest.raises(KubeError, match="sideEffects: Unsupported value"):
        house.plane.kube.create_object(document)
    with house.associated(service):
        service.turns(POD_IDENTITY)
        etcd.put(house.plane.api, document)
        wait_until("the foreign webhook is heeded", lambda: service.says() == UNKNOWN)
        text = 'admission webhook "foreign.example.com" does not support dry run'
        assert service.ask().refusal == f"{text}; a minimal pod is refused too: {text}"
        assert service.gets() == POD_IDENTITY
        house.plane.kube.delete(path_of(document))

        service.turns(POD_IDENTITY)


def foreign(service: Service, **fields: Any) -> Json:
    """A webhook of somebody else, in the service's namespace only, that nobody answers for."""
    document = registration("https://127.0.0.1:9/", service.house.plane.api.ca_pem)
    hook = document["webhooks"][0]
    labels = {"kubernetes.io/metadata.name": service.namespace}
    own = {"name": "foreign.example.com", "failurePolicy": "Ignore", "namespaceSelector": {"matchLabels": labels}}
    return {**document, "metadata": {"name": "foreign"}, "webhooks": [{**hook, **own, **fields}]}
