"""Writes what the product and its user need to reach a practice fleet: AWS config, kubeconfig, fleet file, exports.

These files are all that tells a practice fleet from a real one: the product has no lab switch. A profile without an
`endpoint_url` would send its calls to the real cloud, so none is ever written.
"""

import configparser
import io
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from migrator.documents.emit import emit
from migrator.lab.aws.ports import LAB_SECRET, lab_access_key
from migrator.lab.kubeconfigs import Access, kubeconfig
from migrator.lab.record import RECORD, LabError, RunningCluster, write_private
from migrator.lab.world.model import Account, World

AWS_CONFIG = "aws-config"
AWS_CREDENTIALS = "aws-credentials"
KUBECONFIG = "kubeconfig"
FLEET = "fleet.yaml"
EXPORTS = "env.sh"
PLANS = "plans"
_WRITTEN = (AWS_CONFIG, AWS_CREDENTIALS, KUBECONFIG, FLEET, EXPORTS)
_WAITS: Mapping[str, float] = {
    "poll": 0.2,
    "trust_settle": 0.2,
    "gate_probes": 5,
    "reconcile": 1,
    "settle": 2,
}
UNSET = (  # would lead elsewhere, whatever is exported
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_ENDPOINT_URL",
    "AWS_DEFAULT_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_CA_BUNDLE",
)


def write_files(directory: Path, world: World, aws_endpoint: str, clusters: Sequence[RunningCluster]) -> dict[str, str]:
    """Writes every file into the directory; the answer is what to export.

    Raises:
        LabError: a profile would have no endpoint.
    """
    write_private(directory / AWS_CONFIG, aws_config(world, aws_endpoint))
    write_private(directory / AWS_CREDENTIALS, "")
    ways = [Access(one.alias, one.url, one.ca_pem, one.token) for one in clusters]
    write_private(directory / KUBECONFIG, kubeconfig(ways))
    write_private(directory / FLEET, fleet_file(world))
    exports = environment(directory, world)
    write_private(directory / EXPORTS, exports_script(exports))
    return exports


def tidy(directory: Path) -> None:
    """Takes away what points to endpoints that are no more; journal, plans and log stay."""
    for name in (*_WRITTEN, RECORD):
        (directory / name).unlink(missing_ok=True)


def aws_config(world: World, aws_endpoint: str) -> str:
    """The AWS config: `lab-ACCOUNT` for every account, and its alias where it has one."""
    parser = configparser.RawConfigParser()
    for account in world.accounts:
        names = dict.fromkeys((account.profile, account.alias))
        for name in (name for name in names if name != account.id):
            parser[f"profile {name}"] = _profile(world, account, aws_endpoint)
    text = io.StringIO()
    parser.write(text)
    return text.getvalue()


def require_endpoints(config: str) -> None:
    """Checks that no profile of an AWS config reaches the real cloud.

    Raises:
        LabError: a profile has no `endpoint_url` on this machine.
    """
    parser = configparser.RawConfigParser()
    parser.read_string(config)
    for section in parser.sections():
        if not parser.get(section, "endpoint_url", fallback="").startswith("http://127.0.0.1:"):
            raise LabError(f'"{section}" of the AWS config has no endpoint_url on 127.0.0.1; it would reach the cloud')


def _profile(world: World, account: Account, aws_endpoint: str) -> dict[str, str]:
    if not aws_endpoint.startswith("http://127.0.0.1:"):
        raise LabError(f'the AWS front\'s endpoint is "{aws_endpoint}", not on 127.0.0.1; no profile is written')
    regions = (cluster.region for cluster in world.clusters if cluster.account == account.id)
    return {
        "aws_access_key_id": lab_access_key(account.id),
        "aws_secret_access_key": LAB_SECRET,
        "region": next(regions, account.home_region),
        "endpoint_url": aws_endpoint,
        "output": "json",
    }


def fleet_file(world: World) -> str:
    """The product's fleet file for this world; its waits are short, as everything here is near."""
    return emit(
        {
            "version": 1,
            "state": {"sqlite": "state.db"},
            "plans": PLANS,
            "accounts": [{"id": account.id, "profile": account.profile} for account in world.accounts],
            "clusters": [
                {
                    "alias": cluster.alias,
                    "name": cluster.name,
                    "region": cluster.region,
                    "account": cluster.account,
                }
                for cluster in world.clusters
            ],
            "waits": dict(_WAITS),
        }
    )


def environment(directory: Path, world: World) -> dict[str, str]:
    """The variables that make the AWS SDKs, kubectl and `migrate` use the fleet."""
    home = directory.resolve()
    return {
        "AWS_CONFIG_FILE": str(home / AWS_CONFIG),
        "AWS_SHARED_CREDENTIALS_FILE": str(home / AWS_CREDENTIALS),
        "AWS_PROFILE": world.accounts[0].profile,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
        "KUBECONFIG": str(home / KUBECONFIG),
        "MIGRATE_FLEET": str(home / FLEET),
        "MIGRATE_PLANS": str(home / PLANS),
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def exports_script(exports: Mapping[str, str]) -> str:
    """`env.sh`: to be sourced by a POSIX shell."""
    lines = ["# source this file to use the practice fleet", f"unset {' '.join(UNSET)}"]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in exports.items()]
    return "\n".join(lines) + "\n"
