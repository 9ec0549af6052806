"""The parts that we read of objects that make pods: one struct for all kinds, each of which fills in its own fields."""

from msgspec import Struct

from migrator.adapters.kube.structs import Condition, Labels, Meta, Named, Template


class Partition(Struct, frozen=True):
    """A StatefulSet's rollingUpdate."""

    partition: int | None = None


class Present(Struct, frozen=True):
    """A part of which we only ask whether it is there."""


class Strategy(Struct, rename="camel", frozen=True):
    """A workload's strategy; only StatefulSets have a partition, only Argo Rollouts a canary or blueGreen part."""

    type: str = ""
    rolling_update: Partition | None = None
    canary: Present | None = None
    blue_green: Present | None = None


class Selector(Struct, rename="camel", frozen=True):
    """A label selector's plain part."""

    match_labels: Labels = None


class JobSpec(Struct, frozen=True):
    """What a CronJob's jobTemplate holds."""

    template: Template = Template()


class JobTemplate(Struct, frozen=True):
    """A CronJob's jobTemplate."""

    spec: JobSpec = JobSpec()


class TemplateRef(Struct, frozen=True):
    """An Argo Rollout's workloadRef: the object whose pod template is its own."""

    kind: str = ""
    name: str = ""


class WorkloadSpec(Struct, rename="camel", frozen=True):
    """The spec of any workload kind: each kind fills in its own fields."""

    replicas: int | None = None
    parallelism: int | None = None
    suspend: bool | None = None
    paused: bool = False
    selector: Selector = Selector()
    strategy: Strategy = Strategy()
    update_strategy: Strategy = Strategy()
    template: Template = Template()
    job_template: JobTemplate = JobTemplate()
    restart_at: str | None = None
    workload_ref: TemplateRef | None = None


class WorkloadStatus(Struct, rename="camel", frozen=True):
    """The status of any workload kind: each kind fills in its own fields."""

    observed_generation: int | str = 0  # an Argo Rollout's is a string
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    current_revision: str = ""
    update_revision: str = ""
    desired_number_scheduled: int = 0
    updated_number_scheduled: int = 0
    number_available: int = 0
    restarted_at: str | None = None
    conditions: list[Condition] | None = None


class WorkloadObject(Struct, frozen=True):
    """A Deployment, StatefulSet, DaemonSet, Argo Rollout, ReplicaSet, Job or CronJob, or a PodTemplate: `template`."""

    metadata: Meta
    template: Template = Template()
    spec: WorkloadSpec = WorkloadSpec()
    status: WorkloadStatus = WorkloadStatus()


class Served(Struct, frozen=True):
    """Discovery's answer for one API group and version: an APIResourceList."""

    resources: list[Named] | None = None
