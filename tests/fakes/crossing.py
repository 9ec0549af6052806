"""A fake world whose service's role lives in another account."""

from typing import Any

from migrator.model.source_role import source_arn
from tests.fakes.parts import CLUSTER_ARN, IRSA_TRUST
from tests.fakes.world import FakeWorld

AWAY = "222222222222"
TARGET = f"arn:aws:iam::{AWAY}:role/data/orders"
SOURCE = source_arn(CLUSTER_ARN, "shop", "orders", "/")
AWAY_TRUST = IRSA_TRUST.replace("iam::111111111111:", f"iam::{AWAY}:")


def away(**fields: Any) -> FakeWorld:
    """The role trusts the cluster's issuer by a provider in its own account, as IRSA across accounts has it."""
    return FakeWorld(**{"role_arn": TARGET, "trust": AWAY_TRUST, **fields})
