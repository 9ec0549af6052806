"""The words of SDKs that do not use Pod Identity, and whose logs are read for them."""

import re
import tomllib
from importlib import resources

import pytest

from migrator.model.facts import WorkloadRef
from migrator.steps.crowds import logs
from migrator.steps.crowds.messages import heard
from tests.fakes.parts import pod
from tests.fakes.world import FakeWorld

AGENT = "http://169.254.170.23/v1/credentials"
GO = 'invalid endpoint host, "169.254.170.23", only loopback hosts are allowed'
JAVA = (
    f"The full URI ({AGENT}) contained {{}} environment variable AWS_CONTAINER_CREDENTIALS_FULL_URI has an invalid "
    "host. Host should resolve to a loopback address or have the full URI be HTTPS."
)
REFUSED = [
    pytest.param(
        f"Ignoring, HTTP credential provider {GO}. <nil>",
        "Go",
        id="[go v1]",
    ),
    pytest.param(
        f"unable to load SDK config: {GO}",
        "Go",
        id="[go v2]",
    ),
    pytest.param(
        r'{"msg":"invalid endpoint host, \"fd00:ec2::23\", only loopback hosts are allowed"}',
        "Go",
        id="[go] in JSON, with IPv6",
    ),
    pytest.param(
        "ValueError: Unsupported host '169.254.170.23'.  Can only retrieve metadata from these hosts: "
        "169.254.170.2, localhost, 127.0.0.1",
        "botocore",
        id="[python]",
    ),
    pytest.param(JAVA.format("withing"), "Java", id="[java v1]"),
    pytest.param(JAVA.format("within"), "Java", id="[java v2]"),
    pytest.param(
        "CredentialsProviderError: 169.254.170.23 is not a valid container metadata service hostname",
        "v3",
        id="[js v3]",
    ),
    pytest.param(
        "Unsupported hostname: AWS.RemoteCredentials only supports localhost,127.0.0.1 for http:; "
        "http://169.254.170.23 requested.",
        "v2",
        id="[js v2]",
    ),
    pytest.param(
        "Unsupported hostname: AWS.ECSCredentials supports localhost,127.0.0.1 only; 169.254.170.23 requested.",
        "v2",
        id="[js v2] the older one",
    ),
    pytest.param(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI must use a loopback address when using the http scheme. (ArgumentError)",
        "Ruby",
        id="[ruby]",
    ),
    pytest.param(
        f"invalid full URI for ECS provider (URI did not refer to the loopback interface): {AGENT}", "Rust", id="[rust]"
    ),
    pytest.param(
        f"The container credentials full URI ({AGENT}) has an invalid host. Host can only be one of [127.0.0.1, ::1].",
        "Kotlin",
        id="[kotlin]",
    ),
    pytest.param(
        "[WARN] Can't use General HTTP Provider: AWS_CONTAINER_CREDENTIALS_FULL_URI is not HTTPS and is not within "
        "loop back CIDR: 169.254.170.23",
        "C++",
        id="[c++]",
    ),
    pytest.param(
        f"Cannot fetch credentials from container - the full URI contains an invalid host: {AGENT}", ".NET", id="[.net]"
    ),
    pytest.param(f"Uri '{AGENT}' contains an unsupported host.", "PHP", id="[php]"),
]
NONE = [
    "Unable to locate credentials",
    "NoCredentialProviders: no valid providers in chain. Deprecated.",
    "failed to refresh cached credentials, no EC2 IMDS role found, operation error ec2imds: GetMetadata",
    "Unable to load AWS credentials from any provider in the chain: [EnvironmentVariableCredentialsProvider: ...]",
    "Unable to load credentials from any of the providers in the chain AwsCredentialsProviderChain(...)",
    "CredentialsProviderError: Could not load credentials from any providers",
    "Missing credentials in config, if using AWS_CONFIG_FILE, set AWS_SDK_LOAD_CONFIG=1",
    "unable to sign request without credentials set (Aws::Errors::MissingCredentialsError)",
    "Unable to get IAM security credentials from EC2 Instance Metadata Service.",
    "Error retrieving credentials from the instance profile metadata service. (cURL error 28)",
]


@pytest.mark.parametrize(("line", "sdk"), REFUSED)
def test_what_proves_that_an_sdk_refuses_the_agent(line: str, sdk: str) -> None:
    found = heard(f"ready\n{line}\nserving\n")

    assert found is not None
    assert found.message.refused
    assert sdk in found.message.sdk
    assert found.words in line


@pytest.mark.parametrize("line", NONE)
def test_what_only_suggests_it(line: str) -> None:
    found = heard(line)

    assert found is not None
    assert not found.message.refused


def test_every_message_of_the_table_is_tried_here() -> None:
    lines = [*(str(one.values[0]) for one in REFUSED), *NONE]
    used = {found.message.says.pattern for line in lines if (found := heard(line)) is not None}
    text = resources.files("migrator.steps.crowds").joinpath("messages.toml").read_text(encoding="utf-8")
    table = [one for entries in tomllib.loads(text).values() for one in entries]

    assert len(used) == len(table)
    assert all(one["source"] and one["since"] for one in table)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param('invalid endpoint host, "10.0.0.1", only loopback hosts are allowed', id="[another host]"),
        pytest.param('invalid endpoint host, "169.254.170.230", only loopback hosts are allowed', id="[a like host]"),
        pytest.param("169.254.170.23 answered 200", id="[agent] that answers"),
        pytest.param(
            "Unsupported host 'ecs.local'.  Can only retrieve metadata from these hosts", id="[python] another"
        ),
        pytest.param("wget: unable to resolve host address", id="[nothing of AWS]"),
    ],
)
def test_what_says_nothing(line: str) -> None:
    assert heard(line) is None


def test_a_proof_counts_before_whatever_was_said_since() -> None:
    found = heard(f"{REFUSED[0].values[0]}\n{NONE[0]}\n")

    assert found is not None
    assert found.message.refused


def test_a_few_pods_of_each_workload_are_read_and_not_too_many_in_all() -> None:
    owners = [WorkloadRef(kind="Deployment", namespace="shop", name=f"web-{n}") for n in range(15)]
    pods = [pod("pod-identity", f"{owner.name}-{n}", owner) for owner in owners for n in range(3)]

    places = [one.name for one, _ in logs.whose(pods)]

    assert places[:4] == ["web-0-0", "web-0-1", "web-1-0", "web-1-1"]
    assert len(places) == logs.MOST


def test_containers_on_something_else_are_not_read() -> None:
    assert logs.whose([pod("irsa", "old"), pod("none", "bare")]) == []


def test_a_pod_that_went_away_has_nothing_to_say() -> None:
    gone = logs.read(FakeWorld(), pod("pod-identity", "gone"), "main", 10)

    assert (gone.said, gone.unread) == ("", "")
    assert not re.search("pod", logs.unread([gone]))
