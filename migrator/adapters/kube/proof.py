"""The proof, before any change, that the cluster reached is the cluster planned."""

from collections.abc import Mapping

import msgspec

from migrator.adapters.aws.accounts import CallerIdentity
from migrator.adapters.aws.eks_facts import Described
from migrator.adapters.kube.connection import KubeConnection
from migrator.adapters.kube.kubeconfig import differences
from migrator.adapters.kube.opening import Opened
from migrator.adapters.kube.pages import decoded
from migrator.model.facts import Json

DISCOVERY = "/.well-known/openid-configuration"
_USABLE = frozenset({"ACTIVE", "UPDATING"})


class _Discovery(msgspec.Struct, frozen=True):
    issuer: str = ""


def difference(
    planned: Mapping[str, Json],
    caller: CallerIdentity,
    live: Described,
    opened: Opened,
) -> str | None:
    """None when all agree; else the first thing that does not, as a sentence.

    Args:
        planned: the plan's facts: `arn`, `account`, `issuer`.
        caller: who we are.
        live: DescribeCluster's answer now.
        opened: the connection, whose server is asked for its own discovery document.
    """
    cluster = live.cluster
    pairs = (
        ("account", "account of the credentials", caller.account),
        ("arn", "ARN", cluster.arn),
        ("issuer", "issuer that EKS names", cluster.issuer),
    )
    for field, what, seen in pairs:
        if seen != planned[field]:
            return f'facts.cluster.{field}: the {what} is "{seen}", planned was "{planned[field]}"'
    if cluster.status not in _USABLE:
        return f'its status is "{cluster.status}", not ACTIVE'
    if opened.context is not None and (differing := differences(opened.context, cluster.endpoint, live.ca)):
        return differing
    if (cluster.endpoint, live.ca) != (opened.described.cluster.endpoint, opened.described.ca):
        return f'its endpoint or certificate authority changed since the connection was opened, to "{cluster.endpoint}"'
    return _of_another_issuer(opened.connection, str(planned["issuer"]))


def _of_another_issuer(connection: KubeConnection, planned: str) -> str | None:
    doing = "reading its discovery document"
    found = decoded(connection.get(DISCOVERY, doing=doing), _Discovery, doing=doing)
    if found.issuer == planned:
        return None
    return f'facts.cluster.issuer: the server reached issues tokens as "{found.issuer}", planned was "{planned}"'
