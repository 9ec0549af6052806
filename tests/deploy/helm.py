"""helm, as a user calls it: the chart rendered, refused, installed."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from migrator.lab.controlplane import programs

Json = dict[str, Any]
CHART = Path(__file__).parents[2] / "deploy" / "chart" / "irsa-migrator"
VALUES = sorted((CHART / "ci").glob("*-values.yaml"))
RELEASE, NAMESPACE = "irsa-migrator", "migration"


def helm(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Runs it to its end; what it keeps for itself goes to the folder, and of the caller's it sees nothing."""
    homes = {f"HELM_{what}_HOME": str(folder / what.lower()) for what in ("CACHE", "CONFIG", "DATA")}
    return subprocess.run(
        [str(programs.have(programs.HELM, programs.say)), *arguments],
        env={"PATH": os.defpath, "HOME": str(folder), **homes},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def written(folder: Path, values: Mapping[str, Any]) -> Path:
    """A values file."""
    path = folder / "values.yaml"
    path.write_text(yaml.safe_dump(dict(values)), encoding="utf-8")
    return path


def template(folder: Path, *values: Path) -> list[Json]:
    """What the chart renders to with these values files."""
    files = [word for path in values for word in ("--values", str(path))]
    done = helm(folder, "template", RELEASE, str(CHART), "--namespace", NAMESPACE, *files)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def of_kind(documents: Sequence[Json], *kinds: str) -> Json:
    """The one document of these kinds."""
    found = [one for one in documents if one["kind"] in kinds]
    assert len(found) == 1, [one["kind"] for one in documents]
    return found[0]


def job_of(documents: Sequence[Json]) -> Json:
    """The Job's specification, of either form."""
    made = of_kind(documents, "CronJob", "Job")
    spec: Json = made["spec"]["jobTemplate"]["spec"] if made["kind"] == "CronJob" else made["spec"]
    return spec


def pod_of(documents: Sequence[Json]) -> Json:
    """The pod's specification, of either form."""
    spec: Json = job_of(documents)["template"]["spec"]
    return spec
