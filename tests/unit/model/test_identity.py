"""Which identity a container or pod has: tables over what the webhook, and people, leave in pod specs."""

from dataclasses import replace

import pytest

from migrator.model import identity
from migrator.model.facts import Container, EnvVar, Pod, PodSpec
from migrator.model.identity import Identity
from tests.fakes.parts import container, pod

PAIR = container("pod-identity").env
KEYS = EnvVar(name="AWS_ACCESS_KEY_ID", value="AKIA")


def judged(one: Container, audiences: dict[str, str] | None = None) -> Identity:
    spec = PodSpec(containers=(one,), token_audiences=audiences or {"eks-pod-identity-token": "pods.eks.amazonaws.com"})
    return identity.of_pod(replace(pod("none"), spec=spec))


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        pytest.param(container("pod-identity"), Identity.POD_IDENTITY, id="[injected] pod identity"),
        pytest.param(container("irsa"), Identity.IRSA, id="[injected] irsa"),
        pytest.param(container("none"), Identity.NONE, id="[nothing]"),
        pytest.param(container("pod-identity", baked=True), Identity.BOTH, id="[written] web identity beside it"),
        pytest.param(replace(container("pod-identity"), mounts=()), Identity.NONE, id="[incomplete] no token mount"),
        pytest.param(replace(container("pod-identity"), env=PAIR[:1]), Identity.NONE, id="[incomplete] half a pair"),
        pytest.param(replace(container("irsa"), env=container("irsa").env[:1]), Identity.NONE, id="[incomplete] irsa"),
        pytest.param(
            replace(container("pod-identity"), env=(EnvVar(name=PAIR[0].name, value="http://elsewhere"), PAIR[1])),
            Identity.NONE,
            id="[written] another endpoint",
        ),
        pytest.param(
            replace(
                container("pod-identity"),
                env=(EnvVar(name=PAIR[0].name, value="http://[fd00:ec2::23]/v1/credentials"), PAIR[1]),
            ),
            Identity.POD_IDENTITY,
            id="[ipv6] endpoint",
        ),
        pytest.param(
            replace(container("none"), env=(KEYS,)), Identity.NONE, id="[keys] are no identity of either kind"
        ),
    ],
)
def test_one_container(one: Container, expected: Identity) -> None:
    assert judged(one) is expected


def test_a_token_of_another_audience_is_no_pod_identity() -> None:
    assert judged(container("pod-identity"), {"eks-pod-identity-token": "sts.amazonaws.com"}) is Identity.NONE


def two(first: str, second: str, skip: str = "") -> Pod:
    spec = PodSpec(
        containers=(container(first, "init"), container(second, "main")),
        token_audiences={"eks-pod-identity-token": "pods.eks.amazonaws.com"},
    )
    annotations = {"eks.amazonaws.com/skip-containers": skip} if skip else {}
    return replace(pod("none"), spec=spec, annotations=annotations)


@pytest.mark.parametrize(
    ("first", "second", "skip", "expected"),
    [
        pytest.param("pod-identity", "pod-identity", "", Identity.POD_IDENTITY, id="[all] the same"),
        pytest.param("none", "pod-identity", "", Identity.MIXED, id="[mixed] init container missed"),
        pytest.param("none", "pod-identity", "init", Identity.POD_IDENTITY, id="[skip] asked for"),
        pytest.param("none", "pod-identity", "init, other", Identity.POD_IDENTITY, id="[skip] first of two"),
        pytest.param("none", "pod-identity", "other, init", Identity.MIXED, id="[skip] fields are not trimmed"),
        pytest.param("none", "pod-identity", '"init', Identity.MIXED, id="[skip] bad CSV skips nothing"),
        pytest.param("none", "none", "init,main", Identity.NO_PODS, id="[skip] everything"),
    ],
)
def test_all_containers_count(first: str, second: str, skip: str, expected: Identity) -> None:
    assert identity.of_pod(two(first, second, skip)) is expected


def test_several_pods() -> None:
    assert identity.of_pods([]) is Identity.NO_PODS
    assert identity.of_pods([pod("irsa"), pod("irsa")]) is Identity.IRSA
    assert identity.of_pods([pod("irsa"), pod("pod-identity")]) is Identity.MIXED
