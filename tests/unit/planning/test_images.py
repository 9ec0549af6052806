"""What an image's name tells of its version, and which versions the table knows to be too old."""

import pytest

from migrator.model.facts import Container
from migrator.planning.findings.images import parsed
from migrator.planning.planner import PlanSettings
from tests.unit.planning.test_findings import codes, of_workload


@pytest.mark.parametrize(
    ("image", "repository", "version"),
    [
        ("amazon/aws-cli:2.15.0", "amazon/aws-cli", (2, 15, 0)),
        ("amazon/aws-cli:2.15", "amazon/aws-cli", (2, 15, 0)),
        ("amazon/aws-cli:2", "amazon/aws-cli", None),
        ("amazon/aws-cli", "amazon/aws-cli", None),
        ("registry.example:5000/aws-cli", "registry.example:5000/aws-cli", None),
        ("registry.example:5000/aws-cli:v1.29.3-r1", "registry.example:5000/aws-cli", (1, 29, 3)),
        ("amazon/aws-cli:2.14.6@sha256:0123", "amazon/aws-cli", (2, 14, 6)),
        ("amazon/aws-cli@sha256:0123", "amazon/aws-cli", None),
        (
            "public.ecr.aws/aws-observability/aws-for-fluent-bit:2.32.5.20250327",
            "public.ecr.aws/aws-observability/aws-for-fluent-bit",
            (2, 32, 5),
        ),
        ("", "", None),
    ],
)
def test_name_and_version(image: str, repository: str, version: tuple[int, int, int] | None) -> None:
    assert parsed(image) == (repository, version)


@pytest.mark.parametrize(
    ("image", "told"),
    [
        ("aws-cli/aws-cli:1.29.9", True),
        ("aws-cli/aws-cli:1.30.0", False),
        ("public.ecr.aws/aws-cli/aws-cli:2.14.99", True),
        ("public.ecr.aws/aws-cli/aws-cli:2.15.0", False),
        ("public.ecr.aws/aws-cli/aws-cli:3.0.0", False),
        ("my-aws-cli/aws-cli-tools:2.0.0", False),
        ("myamazon/aws-cli:2.0.0", False),
        ("fluent/fluent-bit:3.0.6", True),
        ("fluent/fluent-bit:3.0.7", False),
    ],
)
def test_too_old(image: str, told: bool) -> None:
    world = of_workload(containers=(Container(name="main", image=image),))

    assert ("image-too-old" in codes(world, PlanSettings())) is told
