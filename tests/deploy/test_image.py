"""The image's own steps carried out by hand, and the chart's pod run on what came of them, against a practice fleet."""

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from migrator.model.exits import Exit
from tests.controlplane import tier
from tests.deploy import image as images
from tests.deploy.base import Base
from tests.deploy.confined import Cell, may_be_used
from tests.deploy.container import Container
from tests.deploy.helm import CHART, of_kind, pod_of, template, written
from tests.deploy.image import ROOT, Image
from tests.lab import harness, scenes
from tests.lab.harness import Fleet

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not may_be_used(), reason="needs root, and namespaces of its own"),
]
Json = dict[str, Any]
HELM: pytest.MarkDecorator = getattr(pytest.mark, tier.HELM)
SERVICE, ALONE = "main/shop/orders", "main/shop/billing"
LOOK = """
import json, os, pathlib
status = dict(line.split(":", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines())
def writes(folder):
    try:
        pathlib.Path(folder, "probe").write_text("x")
    except OSError as error:
        return error.strerror
    return "yes"
def mounts():
    import ctypes
    library = ctypes.CDLL(None, use_errno=True)
    return os.strerror(ctypes.get_errno()) if library.unshare(0x10000000) else "yes"
names = ("Uid", "Gid", "Groups", "CapEff", "CapPrm", "CapBnd", "NoNewPrivs", "Seccomp")
said = {name: status[name].split() for name in names}
folders = ("/", "/opt/irsa-migrator", "/plans", "/etc/irsa-migrator", "/state", "/tmp")
said["writes"] = {folder: writes(folder) for folder in folders}
said["unshare"] = mounts()
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    base = Base(Path(os.environ.get("IMAGE_BASE", "/")))
    return images.build(tmp_path_factory.mktemp("image") / "made", base)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("deploy")
    with harness.unwatched(
        scenes.write(folder, [scenes.service("orders"), scenes.service("billing")]), folder
    ) as running:
        running.migrate("plan").ok()
        yield running


@pytest.fixture(scope="module")
def container(image: Image, fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Container:
    return container_of(image, fleet, tmp_path_factory.mktemp("volumes"), "cron")


def container_of(image: Image, fleet: Fleet, folder: Path, form: str) -> Container:
    """The container of one form of the chart, its volumes as folders; the AWS configuration is in a Secret."""
    documents = template(folder, written(folder, values_for(fleet, form)))
    pod = pod_of(documents)
    volumes = {one["name"]: folder / one["name"] for one in pod["volumes"]}
    for name in set(volumes) - {"plans"}:
        volumes[name].mkdir()
    for name, text in of_kind(documents, "ConfigMap")["data"].items():
        (volumes["fleet"] / name).write_text(text)
    shutil.copytree(fleet.environment["MIGRATE_PLANS"], volumes["plans"])
    for name in ("aws-config", "aws-credentials"):
        shutil.copyfile(fleet.lab.directory / name, volumes["aws"] / name)
    return Container(image, pod, volumes)


def values_for(fleet: Fleet, form: str) -> Json:
    """The least values of a form for this fleet; what else its environment needs is given as a user would."""
    values: Json = yaml.safe_load((CHART / "ci" / f"{form}-values.yaml").read_text(encoding="utf-8"))
    given = yaml.safe_load(Path(fleet.environment["MIGRATE_FLEET"]).read_text(encoding="utf-8"))
    values["fleet"] = {name: value for name, value in given.items() if name not in {"state", "plans"}}
    aws = {name: value for name, value in fleet.lab.env.items() if name.startswith("AWS_") or name == "NO_PROXY"}
    aws |= {"AWS_CONFIG_FILE": "/aws/aws-config", "AWS_SHARED_CREDENTIALS_FILE": "/aws/aws-credentials"}
    values["extraEnv"] = [{"name": name, "value": value} for name, value in aws.items()]
    values["extraVolumes"] = [{"name": "aws", "secret": {"secretName": "aws"}}]
    values["extraVolumeMounts"] = [{"name": "aws", "mountPath": "/aws", "readOnly": True}]
    return values


def done(ran: "subprocess.CompletedProcess[str]", code: int = 0) -> str:
    assert ran.returncode == code, f"exit {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
    assert "Traceback" not in ran.stderr
    return ran.stdout


def test_it_holds_the_program_and_nothing_to_build_or_play_with(image: Image) -> None:
    sys.stdout.write(f"the image: {image.size / 1e6:.1f} MB on top of its base\n")
    packages = {path.name.partition("-")[0] for path in (image.root / "opt/irsa-migrator").rglob("*.dist-info")}

    assert {"irsa_migrator", "boto3", "kubernetes"} <= packages
    assert not packages & {"pip", "setuptools", "hatchling", "moto", "flask", "cryptography", "pytest"}
    assert image.own == {"/opt/irsa-migrator", "/state", "/plans"}
    assert image.entrypoint == ("migrate",)
    assert image.size < 150e6


def test_what_was_left_out_is_missed_by_nothing(image: Image) -> None:
    modules = [path.relative_to(ROOT).with_suffix("") for path in (ROOT / "migrator").rglob("*.py")]
    names = [".".join(path.parts) for path in modules if path.parts[1] != "lab" and path.name != "__main__"]
    also = "kubernetes.client, kubernetes.config, boto3.session, botocore.client, rich.live, zoneinfo._tzpath"
    cell = Cell(image.root, image.binds, image.environment, read_only=True, confined=True, user=(65532, 65532))
    ran = cell.run(["python3", "-c", f"import {', '.join(sorted(names))}, {also}"])

    assert len(names) > 100
    done(ran)


def test_everything_in_it_is_compiled(image: Image) -> None:
    library = image.root / "opt/irsa-migrator/lib"
    sources = set(library.rglob("*.py"))
    compiled = {path.parent.parent / f"{path.name.partition('.')[0]}.py" for path in library.rglob("*.pyc")}

    assert sources - compiled == set()


def test_every_package_has_a_wheel_for_both_architectures(tmp_path: Path) -> None:
    minor = images.python_of_the_base()
    for machine in ("x86_64", "aarch64"):
        platforms = [f"--platform=manylinux_2_{glibc}_{machine}" for glibc in (17, 28, 34)]
        ran = subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes",
             f"--requirement={ROOT / 'deploy' / 'requirements.lock'}", f"--dest={tmp_path / machine}",
             "--implementation=cp", f"--python-version={minor}", *platforms],
            capture_output=True, text=True, check=False,
        )  # fmt: skip

        assert ran.returncode == 0, ran.stderr


@HELM
def test_the_security_context_is_in_force(container: Container) -> None:
    said = json.loads(done(container.execute(["/opt/irsa-migrator/bin/python3", "-c", LOOK])))

    nothing = ["0000000000000000"]
    assert said["Uid"] == said["Gid"] == ["65532"] * 4
    assert said["Groups"] == ["65532"]
    assert said["CapEff"] == said["CapPrm"] == said["CapBnd"] == nothing
    assert (said["NoNewPrivs"], said["Seccomp"]) == (["1"], ["2"])
    assert said["unshare"] == os.strerror(errno.EPERM)
    read_only = os.strerror(errno.EROFS)
    assert said["writes"] == {
        "/": read_only,
        "/opt/irsa-migrator": read_only,
        "/plans": read_only,
        "/etc/irsa-migrator": read_only,
        "/state": "yes",
        "/tmp": "yes",  # noqa: S108  the container's
    }


@HELM
def test_help_is_there_and_an_unwritable_folder_is_a_sentence(container: Container) -> None:
    assert "Usage: migrate" in done(container.run("--help"))
    ran = container.run("plan", "--quiet", "--plans", "/opt/plans")

    done(ran, Exit.ERROR)
    [said] = ran.stderr.splitlines()
    assert said.startswith('migrate: cannot write "/opt/plans')
    assert os.strerror(errno.EROFS) in said


@HELM
def test_a_service_is_migrated_and_taken_back_from_inside_it(container: Container, fleet: Fleet) -> None:
    planned = json.loads(done(container.run("plan", "--dry-run", "--output", "json")))
    assert {one["service"] for one in planned["services"]} == {SERVICE, ALONE}
    done(container.run("apply", "--service", SERVICE, "--yes", "--log-format", "json"))
    fleet.migrate("verify", "--service", SERVICE, "--expect", "pod-identity").ok()
    there = json.loads(done(container.run("status", "--output", "json")))["services"]
    done(container.run("rollback", "--service", SERVICE, "--yes", "--log-format", "json"))
    fleet.migrate("verify", "--service", SERVICE, "--expect", "irsa").ok()

    assert {one["service"]: one["standing"] for one in there}[SERVICE] == "migrated"
    assert (container.volumes["state"] / "state.db").stat().st_uid == 65532


@HELM
def test_what_the_chart_runs_migrates_the_fleet(container: Container, fleet: Fleet) -> None:
    done(container.run())

    fleet.migrate("verify", "--service", ALONE, "--expect", "pod-identity").ok()


@HELM
def test_workers_share_a_fleet_through_a_table(image: Image, tmp_path: Path) -> None:
    names = ["carts", "mails", "prices", "stock"]
    with harness.unwatched(scenes.write(tmp_path, [scenes.service(name) for name in names]), tmp_path) as fleet:
        fleet.migrate("plan").ok()
        folders = [tmp_path / "0", tmp_path / "1"]
        for folder in folders:
            folder.mkdir()
        workers = [
            replace(container_of(image, fleet, folder, "workers"), host=f"irsa-migrator-1-{folder.name}")
            for folder in folders
        ]
        done(workers[0].run("store", "init", "--yes"))
        with ThreadPoolExecutor(len(workers)) as pool:
            ran = list(pool.map(lambda worker: worker.run(), workers))
        made = [call for call in fleet.calls() if call["operation"] == "CreatePodIdentityAssociation"]
        services = [word for name in names for word in ("--service", f"main/shop/{name}")]
        fleet.migrate("verify", *services, "--expect", "pod-identity").ok()

    assert all("batch run" in done(one) for one in ran), [one.stderr for one in ran]
    assert sorted(call["params"]["serviceAccount"] for call in made) == names
