"""One suite for every Kubernetes API server: the lab's own, or the one in ``CONTRACT_KUBECONFIG``.

A real server is the oracle: a check that only the lab's server passes is a mistake in the check.
"""

from __future__ import annotations

import base64
import os
import subprocess
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from kubernetes import client as kubernetes_client

from migrator.lab.kubeapi import ApiServer
from migrator.lab.kubeconfigs import Access, kubeconfig
from migrator.lab.planes import Api as Served
from tests.contract.kube.support import Api, Target, eventually
from tests.controlplane import tier
from tests.controlplane.plane import open_plane
from tests.fakes.kubectl import kubectl_program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ISSUER = "https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"


def _from_kubeconfig(source: Path, folder: Path) -> Target:
    config = yaml.safe_load(source.read_text())
    context = next(c["context"] for c in config["contexts"] if c["name"] == config["current-context"])
    cluster = next(c["cluster"] for c in config["clusters"] if c["name"] == context["cluster"])
    user = next(u["user"] for u in config["users"] if u["name"] == context["user"])
    ca_file = folder / "ca.pem"
    if "certificate-authority-data" in cluster:
        ca_file.write_bytes(base64.b64decode(cluster["certificate-authority-data"]))
    else:
        ca_file.write_bytes(Path(cluster["certificate-authority"]).read_bytes())
    return Target(cluster["server"], user["token"], ca_file, source, None)


def _target(server: Served, folder: Path, own: ApiServer | None) -> Target:
    """A server as a target, with its files; `own` is itself where it is ours."""
    ca_file, config = folder / "ca.pem", folder / "kubeconfig"
    ca_file.write_text(server.ca_pem)
    config.write_text(kubeconfig([Access("lab", server.url, server.ca_pem, server.admin_token)]))
    return Target(server.url, server.admin_token, ca_file, config, own)


GIVEN = os.environ.get("CONTRACT_KUBECONFIG")
OURS, REAL, THEIRS = "ours", "real", "given"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every check runs on our server and on a real one; one that reaches into ours on that only."""
    if "kube_target" not in metafunc.fixturenames:
        return
    if GIVEN:
        sides: list[Any] = [THEIRS]
    elif metafunc.definition.get_closest_marker("ours_only") or "own_server" in metafunc.fixturenames:
        sides = [OURS]
    else:
        sides = [OURS, pytest.param(REAL, marks=getattr(pytest.mark, tier.MARK))]
    metafunc.parametrize("kube_target", sides, indirect=True, scope="session")


@pytest.fixture(scope="session")
def kube_target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("kube")
    if request.param == THEIRS:
        yield _from_kubeconfig(Path(GIVEN or ""), folder)
    elif request.param == REAL:
        with open_plane(folder / "plane") as plane:
            yield _target(plane.api, folder, None)
    else:
        server = ApiServer("contract", ISSUER)
        server.start()
        yield _target(server, folder, server)
        server.stop()


@pytest.fixture
def own_server(kube_target: Target) -> ApiServer:
    if kube_target.server is None:
        pytest.skip("reaches into the lab's own server; CONTRACT_KUBECONFIG names another")
    return kube_target.server


@pytest.fixture(scope="session")
def api(kube_target: Target) -> Api:
    return Api(kube_target)


@pytest.fixture
def namespace(api: Api) -> Iterator[str]:
    name = f"contract-{uuid.uuid4().hex[:8]}"
    api.ok("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    eventually(lambda: api.call("GET", f"/api/v1/namespaces/{name}/serviceaccounts/default").status == 200)
    yield name
    api.call("DELETE", f"/api/v1/namespaces/{name}")


@pytest.fixture
def core(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}"


@pytest.fixture
def apps(namespace: str) -> str:
    return f"/apis/apps/v1/namespaces/{namespace}"


@pytest.fixture
def python_client(kube_target: Target) -> Iterator[Any]:
    configuration = kubernetes_client.Configuration()
    configuration.host = kube_target.url
    configuration.ssl_ca_cert = str(kube_target.ca_file)
    configuration.api_key = {"authorization": kube_target.token}
    configuration.api_key_prefix = {"authorization": "Bearer"}
    with kubernetes_client.ApiClient(configuration) as api_client:
        yield api_client


@pytest.fixture
def kubectl(kube_target: Target, namespace: str, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    program = kubectl_program()

    def run(*arguments: str, stdin: Any = None, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [
                program,
                "--kubeconfig",
                str(kube_target.kubeconfig),
                "--cache-dir",
                str(tmp_path),
                "-n",
                namespace,
                *arguments,
            ],
            input=None if stdin is None else yaml.safe_dump(stdin),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done

    return run
