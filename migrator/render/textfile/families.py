"""The metrics there are. docs/operations.md has the same table, and a test compares the two with a written file.

A counter goes on from what the file held before, so that `increase()` is right over many short runs; a gauge is as the
last run left it. Every series bears the label `fleet`, or two fleets of one machine would be taken for one.
"""

from dataclasses import dataclass

FLEET = "fleet"
BUCKETS = (1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 2700.0)  # seconds


@dataclass(frozen=True, slots=True)
class Family:
    """One metric; the name is that of its series, for a histogram without their endings."""

    name: str
    kind: str
    labels: tuple[str, ...]
    help: str


BUILD = Family("migrate_build_info", "gauge", ("version",), "Always 1; the version of migrate that wrote this.")
SERVICES = Family("migrate_services", "gauge", ("standing",), "Services of the fleet by where they stand.")
LEFT = Family(
    "migrate_services_left", "gauge", ("reason",), "Services that are still to do, by why they were not done."
)
BREAKERS = Family("migrate_breaker_open", "gauge", ("cluster",), "1 while nothing is started in the cluster.")
BEGAN = Family("migrate_last_run_start_timestamp_seconds", "gauge", (), "When the last run began.")
ENDED = Family("migrate_last_run_end_timestamp_seconds", "gauge", (), "When the last run ended.")
LASTED = Family("migrate_last_run_duration_seconds", "gauge", (), "How long the last run took.")
EXIT = Family("migrate_last_run_exit_code", "gauge", (), "Exit code of the last run.")
REASON = Family("migrate_last_run_reason", "gauge", ("reason",), "1 for why the last run was over.")
SERVICE_RUNS = Family("migrate_service_runs_total", "counter", ("outcome",), "Turns of services by how they ended.")
STEPS = Family("migrate_steps_total", "counter", ("kind", "direction", "outcome"), "Steps by how they ended.")
STEP_SECONDS = Family(
    "migrate_step_duration_seconds", "histogram", ("kind", "direction"), "From a step's start to its end."
)
AWS_CALLS = Family("migrate_aws_calls_total", "counter", ("account", "service"), "Requests sent to AWS.")
AWS_THROTTLES = Family(
    "migrate_aws_throttles_total", "counter", ("account", "service"), "Requests that AWS found too many."
)
AWS_RETRIES = Family(
    "migrate_aws_retries_total",
    "counter",
    ("account", "service"),
    "Requests to AWS made again after a passing failure.",
)
AWS_HELD = Family(
    "migrate_aws_rate_wait_seconds_total",
    "counter",
    ("account", "service"),
    "Time that requests to AWS waited for batch.limits.api_rate.",
)
KUBE_CALLS = Family("migrate_kubernetes_calls_total", "counter", ("cluster",), "Requests sent to API servers.")
KUBE_THROTTLES = Family(
    "migrate_kubernetes_throttles_total", "counter", ("cluster",), "Requests that an API server found too many."
)
KUBE_RETRIES = Family(
    "migrate_kubernetes_retries_total",
    "counter",
    ("cluster",),
    "Requests to API servers made again after a passing failure.",
)

ALL = (
    BUILD,
    SERVICES,
    LEFT,
    BREAKERS,
    BEGAN,
    ENDED,
    LASTED,
    EXIT,
    REASON,
    SERVICE_RUNS,
    STEPS,
    STEP_SECONDS,
    AWS_CALLS,
    AWS_THROTTLES,
    AWS_RETRIES,
    AWS_HELD,
    KUBE_CALLS,
    KUBE_THROTTLES,
    KUBE_RETRIES,
)
