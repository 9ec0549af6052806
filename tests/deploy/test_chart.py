"""The chart as helm renders it: what it makes, what it refuses, and that it says the same as the rest of the house."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from migrator.model.exits import Exit
from migrator.model.fleet import SqliteState
from migrator.store import fleet_file
from tests.controlplane import tier
from tests.controlplane.role import FINDINGS, LOGS, NEEDED, triples
from tests.deploy.helm import CHART, NAMESPACE, VALUES, helm, job_of, of_kind, pod_of, template, written

pytestmark = getattr(pytest.mark, tier.HELM)
Json = dict[str, Any]
SCHEMA: Json = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
BY_NAME = {path.name.removesuffix("-values.yaml"): path for path in VALUES}
EVERY = pytest.mark.parametrize("values", VALUES, ids=BY_NAME)
SHARED = {"ConfigMap"}
KINDS = {
    "cron": SHARED | {"CronJob", "ServiceAccount", "PersistentVolumeClaim", "ClusterRole", "ClusterRoleBinding"},
    "cron-full": SHARED | {"CronJob", "ServiceAccount", "PersistentVolumeClaim", "ClusterRole", "ClusterRoleBinding"},
    "existing": SHARED | {"CronJob"},
    "workers": SHARED | {"Job", "ServiceAccount", "ClusterRole", "ClusterRoleBinding"},
}


@EVERY
def test_it_lints_without_a_warning(values: Path, tmp_path: Path) -> None:
    done = helm(tmp_path, "lint", "--strict", str(CHART), "--values", str(values))

    assert done.returncode == 0, done.stdout + done.stderr
    assert "[WARNING]" not in done.stdout


@EVERY
def test_each_form_makes_what_it_needs_and_no_more(values: Path, tmp_path: Path) -> None:
    documents = template(tmp_path, values)
    kinds = [one["kind"] for one in documents]

    assert sorted(kinds) == sorted(KINDS[values.name.removesuffix("-values.yaml")])
    cluster_wide = {"ClusterRole", "ClusterRoleBinding"}
    assert all((one["metadata"].get("namespace") == NAMESPACE) != (one["kind"] in cluster_wide) for one in documents)


@EVERY
def test_the_container_can_write_nothing_and_be_nobody_else(values: Path, tmp_path: Path) -> None:
    pod = pod_of(template(tmp_path, values))
    [container] = pod["containers"]

    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "fsGroup": 65532,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "privileged": False,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {mount["name"] for mount in container["volumeMounts"] if not mount.get("readOnly")} <= {"state", "tmp"}
    assert not pod["automountServiceAccountToken"]
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
    assert not any("hostPath" in volume for volume in pod["volumes"])


@EVERY
def test_its_identity_comes_from_an_association(values: Path, tmp_path: Path) -> None:
    documents = template(tmp_path, values)
    pod = pod_of(documents)
    accounts = [one for one in documents if one["kind"] == "ServiceAccount"]

    assert [one["metadata"]["name"] for one in accounts] in ([], [pod["serviceAccountName"]])
    assert not any("annotations" in one["metadata"] for one in accounts)
    assert not {one["name"] for one in pod["containers"][0]["env"] if one["name"].startswith("AWS_")}


@EVERY
def test_the_fleet_file_is_one_that_the_program_takes(values: Path, tmp_path: Path) -> None:
    documents = template(tmp_path, values)
    pod = pod_of(documents)
    [container] = pod["containers"]
    places = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    file = tmp_path / "fleet.yaml"
    file.write_text(of_kind(documents, "ConfigMap")["data"]["fleet.yaml"], encoding="utf-8")
    fleet = fleet_file.load_fleet(file)

    assert fleet.plans == Path(places["plans"])
    assert {"name": "MIGRATE_FLEET", "value": f"{places['fleet']}/fleet.yaml"} in container["env"]
    assert [one.alias for one in fleet.clusters][:1] == ["prod-eu"]
    if isinstance(fleet.state, SqliteState):
        assert fleet.state.path.parent == Path(places["state"])
    else:
        given = yaml.safe_load(values.read_text(encoding="utf-8"))["state"]["dynamodb"]
        assert asdict(fleet.state).items() >= given.items()
        assert "state" not in places


def test_the_role_is_that_of_the_page(tmp_path: Path) -> None:
    documents = template(tmp_path, BY_NAME["cron"])
    role, binding = of_kind(documents, "ClusterRole"), of_kind(documents, "ClusterRoleBinding")

    assert triples(role["rules"]) == NEEDED | FINDINGS | LOGS
    assert binding["roleRef"] == {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "ClusterRole",
        "name": role["metadata"]["name"],
    }
    assert binding["subjects"] == [
        {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "irsa-migrator"},
    ]


def test_cron_runs_one_at_a_time_and_again_only_by_the_schedule(tmp_path: Path) -> None:
    documents = template(tmp_path, BY_NAME["cron-full"])
    spec, job = of_kind(documents, "CronJob")["spec"], job_of(documents)

    assert (spec["schedule"], spec["timeZone"], spec["suspend"]) == ("0 22 * * 1-4", "Europe/Berlin", True)
    assert (spec["concurrencyPolicy"], spec["startingDeadlineSeconds"]) == ("Forbid", 3600)
    assert (job["backoffLimit"], job["activeDeadlineSeconds"]) == (0, 21600)
    assert job["template"]["spec"]["terminationGracePeriodSeconds"] == 600
    assert pod_of(documents)["restartPolicy"] == "Never"


def test_workers_are_indexed_and_one_that_fails_ends_no_other(tmp_path: Path) -> None:
    job = job_of(template(tmp_path, BY_NAME["workers"]))

    assert (job["completionMode"], job["completions"], job["parallelism"]) == ("Indexed", 8, 8)
    assert job["backoffLimitPerIndex"] == 0
    assert "backoffLimit" not in job


@EVERY
def test_a_pod_that_must_leave_its_node_is_no_failure(values: Path, tmp_path: Path) -> None:
    rules = job_of(template(tmp_path, values))["podFailurePolicy"]["rules"]

    assert rules == [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}]


ARGUMENTS = {
    "cron": ["batch", "--log-format", "json", "--exit-zero-for", "3", "--exit-zero-for", "5"],
    "cron-full": ["batch", "--log-format", "json", "--exit-zero-for", "3", "--max-services", "20"],
    "workers": ["batch", "--worker", "--log-format", "json", "--exit-zero-for", "3", "--exit-zero-for", "5"],
}


@pytest.mark.parametrize(("name", "arguments"), ARGUMENTS.items(), ids=ARGUMENTS)
def test_what_is_run(name: str, arguments: list[str], tmp_path: Path) -> None:
    [container] = pod_of(template(tmp_path, BY_NAME[name]))["containers"]

    assert container["command"] == ["migrate"]
    assert container["args"] == arguments


def test_the_codes_that_are_no_failure_are_those_of_the_table() -> None:
    assert SCHEMA["properties"]["batch"]["properties"]["exitZeroFor"]["items"]["enum"] == [Exit.UNFINISHED, Exit.LOCKED]


def test_everything_set_is_where_it_belongs(tmp_path: Path) -> None:
    given = yaml.safe_load(BY_NAME["cron-full"].read_text(encoding="utf-8"))
    documents = template(tmp_path, BY_NAME["cron-full"])
    pod, template_of_pod = pod_of(documents), job_of(documents)["template"]
    [container] = pod["containers"]

    for name in ("nodeSelector", "tolerations", "affinity", "priorityClassName", "imagePullSecrets"):
        assert pod[name] == given[name], name
    assert pod["initContainers"] == given["plans"]["initContainers"]
    assert container["resources"] == given["resources"]
    assert container["image"] == f"{given['image']['repository']}@{given['image']['digest']}"
    assert all(one in container["env"] for one in given["extraEnv"])
    assert all(one in pod["volumes"] for one in given["extraVolumes"])
    assert all(one in container["volumeMounts"] for one in given["extraVolumeMounts"])
    assert template_of_pod["metadata"]["annotations"].items() >= given["podAnnotations"].items()
    assert template_of_pod["metadata"]["labels"].items() >= given["podLabels"].items()
    [plans] = [one for one in container["volumeMounts"] if one["name"] == "plans"]
    assert (plans["subPath"], plans["readOnly"]) == ("repository/plans", True)
    claim = of_kind(documents, "PersistentVolumeClaim")
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert claim["spec"] == {
        "accessModes": ["ReadWriteOncePod"],
        "storageClassName": "gp3",
        "resources": {"requests": {"storage": "5Gi"}},
    }


def test_another_fleet_makes_other_pods(tmp_path: Path) -> None:
    values = yaml.safe_load(BY_NAME["cron"].read_text(encoding="utf-8"))
    marks = set()
    for excluded in ("a/*", "b/*"):
        values["fleet"]["excludes"] = [excluded]
        job = job_of(template(tmp_path, written(tmp_path, values)))
        marks.add(job["template"]["metadata"]["annotations"]["checksum/fleet"])

    assert len(marks) == 2


FieldPath = tuple[str | int, ...]
REFUSED: Mapping[str, tuple[str, FieldPath, Any]] = {
    "[mode] unknown": ("cron", ("mode",), "deployment"),
    "[mode] workers with a file": ("workers", ("state", "store"), "sqlite"),
    "[image] none": ("cron", ("image", "repository"), ""),
    "[image] digest cut off": ("cron", ("image", "digest"), "sha256:0123"),
    "[unknown] at the top": ("cron", ("replicas",), 2),
    "[unknown] in a part": ("cron", ("cron", "concurrencyPolicy"), "Allow"),
    "[fleet] without clusters": ("cron", ("fleet", "clusters"), None),
    "[fleet] with a state of its own": ("cron", ("fleet", "state"), {"sqlite": "x"}),
    "[fleet] with plans of its own": ("cron", ("fleet", "plans"), "elsewhere"),
    "[plans] on the node": ("cron", ("plans", "volume"), {"hostPath": {"path": "/plans"}}),
    "[plans] nowhere": ("cron", ("plans", "volume"), {}),
    "[state] unknown store": ("cron", ("state", "store"), "postgres"),
    "[state] dynamodb without a table": ("workers", ("state", "dynamodb", "table"), ""),
    "[state] dynamodb without a region": ("workers", ("state", "dynamodb", "region"), ""),
    "[state] account": ("workers", ("state", "dynamodb", "account"), "12"),
    "[state] shared by many nodes": ("cron-full", ("state", "sqlite", "accessMode"), "ReadWriteMany"),
    "[workers] none": ("workers", ("workers", "count"), 0),
    "[batch] a code that is a failure": ("cron", ("batch", "exitZeroFor"), [7]),
    "[cron] no schedule": ("cron", ("cron", "schedule"), "daily"),
    "[cron] zone": ("cron", ("cron", "timeZone"), "Local"),
    "[time] no time for a checkpoint": ("cron", ("terminationGracePeriodSeconds",), 5),
    "[account] none of one's own, and none named": ("existing", ("serviceAccount", "name"), ""),
    "[access] a group of the system": ("cron", ("access", "group"), "system:masters"),
    "[env] web identity": ("cron", ("extraEnv",), [{"name": "AWS_ROLE_ARN", "value": "x"}]),
    "[env] another fleet": ("cron", ("extraEnv",), [{"name": "MIGRATE_FLEET", "value": "x"}]),
    "[labels] a number": ("cron", ("podLabels",), {"a": 1}),
}


@pytest.mark.parametrize(("name", "path", "value"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_value_is_refused_with_its_field(name: str, path: FieldPath, value: Any, tmp_path: Path) -> None:
    values = yaml.safe_load(BY_NAME[name].read_text(encoding="utf-8"))
    place = values
    for key in path[:-1]:
        place = place.setdefault(key, {})
    place[path[-1]] = value
    done = helm(tmp_path, "template", "x", str(CHART), "--values", str(written(tmp_path, values)))

    assert done.returncode != 0
    assert "don't meet the specifications of the schema" in done.stderr
    assert all(str(key) in done.stderr for key in path), done.stderr


def properties(schema: Json, path: str = "") -> Iterator[tuple[str, Any]]:
    for name, one in schema.get("properties", {}).items():
        yield f"{path}.{name}".lstrip("."), one
        if isinstance(one, dict):
            yield from properties(one, f"{path}.{name}")


def test_the_schema_knows_every_default_and_says_what_each_means() -> None:
    defaults = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    known = dict(properties(SCHEMA))
    leaves = {name: one for name, one in known.items() if isinstance(one, dict) and "properties" not in one}

    assert {name for name, one in leaves.items() if not one.get("description")} - {"extraEnv.name"} == set()
    assert set(defaults) == {name for name in known if "." not in name} - {"global"}
    for name, part in defaults.items():
        if isinstance(part, dict) and "properties" in known[name] and name not in {"fleet", "resources"}:
            assert known[name]["additionalProperties"] is False
            assert set(part) == set(known[name]["properties"])


def test_no_default_is_refused_but_what_only_the_user_knows(tmp_path: Path) -> None:
    done = helm(tmp_path, "template", "x", str(CHART))
    said = [line for line in done.stderr.splitlines() if line.startswith("- at ")]

    assert len(said) == 3, done.stderr
    for field in ("image/repository", "fleet", "plans/volume"):
        assert any(field in line for line in said), field
