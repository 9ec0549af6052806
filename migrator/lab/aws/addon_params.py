"""What is asked of an add-on, checked; and what it comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from migrator.lab.aws.addon_catalogue import CATALOGUE, AddonKind
from migrator.lab.aws.eks_associations import fingerprint
from migrator.lab.aws.errors import ApiError
from migrator.lab.aws.ports import AddonChange

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrator.lab.aws.eks_state import Cluster


def known_update(cluster: Cluster, params: Mapping[str, Any]) -> dict[str, Any] | None:
    """The update that a client request token began, as it stands now.

    Raises:
        ApiError: the token was used for something else.
    """
    token = str(params.get("clientRequestToken") or "")
    print_, id_ = cluster.tokens.get(("addon-update", token), ("", ""))
    if not token or not id_:
        return None
    if print_ != fingerprint(params):
        text = "The client request token was used for another update"
        raise ApiError("InvalidParameterException", text, members={"addonName": params["addonName"]})
    return dict(cluster.table("updates")[id_])


def change_of(kind: AddonKind, addon: Mapping[str, Any], *, drops: bool, rolls: bool) -> AddonChange:
    """What the add-on, as it is now, means for its objects."""
    return AddonChange(
        name=kind.name,
        namespace=addon["namespaceConfig"]["namespace"],
        accounts=tuple(account for account, _ in kind.accounts),
        role_arn=None if drops else addon["serviceAccountRoleArn"],
        drops=drops,
        rolls=rolls,
    )


def kind_of(params: Mapping[str, Any]) -> AddonKind:
    """The add-on that is named.

    Raises:
        ApiError: there is none of that name.
    """
    kind = CATALOGUE.get(str(params["addonName"]))
    if kind is None:
        raise ApiError(
            "InvalidParameterException",
            f"Addon {params['addonName']} specified is not supported",
            members={"addonName": params["addonName"]},
        )
    return kind


def version_of(kind: AddonKind, wanted: str | None) -> str:
    """The version that is wanted, or the newest.

    Raises:
        ApiError: there is no such version.
    """
    if wanted is None:
        return kind.versions[0]
    if wanted not in kind.versions:
        raise ApiError(
            "InvalidParameterException",
            f"Addon version specified is not supported: {wanted}",
            members={"addonName": kind.name},
        )
    return wanted


def configuration_of(params: Mapping[str, Any]) -> str:
    """`configurationValues` as given.

    Raises:
        ApiError: they are no object.
    """
    text = str(params.get("configurationValues") or "")
    try:
        parsed = yaml.safe_load(text) if text else {}
    except yaml.YAMLError:
        parsed = None
    if not isinstance(parsed, dict):
        raise ApiError(
            "InvalidParameterException",
            "ConfigurationValue provided in request is not supported: it must be a JSON or YAML object",
        )
    return text
