"""Where an SDK ends up that finds no credentials in its container, and that a failure says so."""

from dataclasses import replace

import pytest

from migrator.model.facts import EnvVar, Pod
from migrator.model.identity import SKIP_CONTAINERS
from migrator.steps.crowds.metadata import fallen_to, is_of_a_node
from tests.fakes.parts import pod

OWN = "only with a hop limit of 2 or more, or by IMDSv1"
HOST = "always on the host's network"
OFF = EnvVar(name="AWS_EC2_METADATA_DISABLED", value="true")


def bare(*env: EnvVar, host: bool = False, annotations: dict[str, str] | None = None) -> Pod:
    """A pod whose one container the webhook left as it was."""
    made = pod("none", "web-1")
    containers = tuple(replace(one, env=(*one.env, *env)) for one in made.spec.containers)
    return replace(
        made, spec=replace(made.spec, containers=containers, host_network=host), annotations=annotations or {}
    )


@pytest.mark.parametrize(
    ("pods", "says", "says_not"),
    [
        pytest.param([bare()], [OWN, "its node's role"], [HOST], id="[own network]"),
        pytest.param([bare(host=True)], [HOST], ["hop limit"], id="[host network]"),
        pytest.param([bare(), bare(host=True)], [HOST, OWN], [], id="[both]"),
        pytest.param([bare(OFF)], ["AWS_EC2_METADATA_DISABLED"], ["hop limit", "its node's role"], id="[off]"),
        pytest.param([bare(OFF), bare()], [OWN], ["AWS_EC2_METADATA_DISABLED"], id="[off in one of them]"),
        pytest.param([bare(replace(OFF, value="false"))], [OWN], [], id="[off] says false"),
    ],
)
def test_where_it_ends_up(pods: list[Pod], says: list[str], says_not: list[str]) -> None:
    text = fallen_to(pods)

    assert text.startswith("; ")
    assert all(part in text for part in says)
    assert not any(part in text for part in says_not)


@pytest.mark.parametrize(
    "one",
    [
        pytest.param(pod("pod-identity"), id="[pod identity]"),
        pytest.param(pod("irsa"), id="[irsa]"),
        pytest.param(bare(EnvVar(name="AWS_ACCESS_KEY_ID", source="secret/keys")), id="[keys] of its own"),
        pytest.param(bare(EnvVar(name="AWS_PROFILE", value="ops")), id="[profile] of its own"),
        pytest.param(bare(EnvVar(name="AWS_ROLE_ARN", value="arn")), id="[half a pair] fails before"),
        pytest.param(bare(annotations={SKIP_CONTAINERS: "main"}), id="[skipped] as it asked"),
    ],
)
def test_who_does_not_get_there(one: Pod) -> None:
    assert fallen_to([one]) == ""


@pytest.mark.parametrize(
    ("session", "expected"),
    [("i-0123456789abcdef0", True), ("i-12345678", True), ("mi-0123456789abcdef0", True), ("i-app", False)],
)
def test_a_nodes_session_is_named_after_the_instance(session: str, expected: bool) -> None:
    assert is_of_a_node(session) is expected
