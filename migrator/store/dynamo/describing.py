"""The table and the permissions for it, for those who make them by other means: as plain data, and for Terraform."""

from typing import Any

from migrator.model.fleet import DynamoState
from migrator.store.dynamo.making import ATTRIBUTES, KEYS, TTL

WORK = ("BatchGetItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem")
IMPORT = ("BatchWriteItem",)
INIT = (
    "CreateTable",
    "DescribeContinuousBackups",
    "DescribeTable",
    "DescribeTimeToLive",
    "Scan",
    "UpdateContinuousBackups",
    "UpdateTable",
    "UpdateTimeToLive",
)
_SIDS = (("Work", WORK), ("Import", IMPORT), ("Init", INIT))
_PARTITIONS = (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"))


def arn(state: DynamoState) -> str:
    """The table's ARN."""
    partition = next((name for start, name in _PARTITIONS if state.region.startswith(start)), "aws")
    return f"arn:{partition}:dynamodb:{state.region}:{state.account}:table/{state.table}"


def table(state: DynamoState) -> dict[str, Any]:
    """What CreateTable is given, and what is turned on afterwards."""
    return {
        "TableName": state.table,
        "BillingMode": "PAY_PER_REQUEST",
        "DeletionProtectionEnabled": True,
        "KeySchema": KEYS,
        "AttributeDefinitions": ATTRIBUTES,
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "TimeToLiveSpecification": {"Enabled": True, "AttributeName": TTL},
    }


def policy(state: DynamoState) -> dict[str, Any]:
    """The least that the program needs: for its work, for `migrate store import`, and for `migrate store init`."""
    statements = [
        {
            "Sid": sid,
            "Effect": "Allow",
            "Action": [f"dynamodb:{name}" for name in names],
            "Resource": arn(state),
        }
        for sid, names in _SIDS
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def terraform(state: DynamoState) -> str:
    """The same as HCL."""
    attributes = "".join(f'\n  attribute {{\n    name = "{name}"\n    type = "S"\n  }}\n' for name in ("pk", "sk"))
    statements = "".join(
        f'\n  statement {{\n    sid       = "{sid}"\n    actions   = [{_quoted(names)}]\n'
        "    resources = [aws_dynamodb_table.migrate.arn]\n  }\n"
        for sid, names in _SIDS
    )
    return f"""resource "aws_dynamodb_table" "migrate" {{
  name                        = "{state.table}"
  billing_mode                = "PAY_PER_REQUEST"
  deletion_protection_enabled = true
  hash_key                    = "pk"
  range_key                   = "sk"
{attributes}
  point_in_time_recovery {{
    enabled = true
  }}

  ttl {{
    attribute_name = "{TTL}"
    enabled        = true
  }}
}}

data "aws_iam_policy_document" "migrate_store" {{{statements}}}
"""


def _quoted(names: tuple[str, ...]) -> str:
    return ", ".join(f'"dynamodb:{name}"' for name in names)
