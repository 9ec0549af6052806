"""DynamoDB and S3: conditional writes with one winner, identities' policies, accounts apart."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

Client = Callable[..., Any]
Refused = Callable[..., tuple[str, int, str]]
Role = Callable[..., str]
Fresh = Callable[[str], str]


@pytest.fixture
def table(client: Client, fresh: Fresh) -> str:
    name = fresh("table")
    client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


@pytest.fixture
def bucket(client: Client, fresh: Fresh) -> str:
    name = fresh("bucket")
    client("s3").create_bucket(Bucket=name)
    return name


def _winners(count: int, attempt: Callable[[int], Any], code: str) -> int:
    """How many of `count` simultaneous attempts succeed; the others must fail with `code`."""

    def run(number: int) -> bool:
        try:
            attempt(number)
        except ClientError as refused:
            if refused.response["Error"]["Code"] != code:
                raise
            return False
        return True

    with ThreadPoolExecutor(count) as pool:
        return sum(pool.map(run, range(count)))


def test_conditional_put_has_one_winner(client: Client, table: str) -> None:
    dynamodb = client("dynamodb")

    def attempt(number: int) -> None:
        dynamodb.put_item(
            TableName=table,
            Item={"k": {"S": "lock"}, "by": {"N": str(number)}},
            ConditionExpression="attribute_not_exists(k)",
        )

    assert _winners(8, attempt, "ConditionalCheckFailedException") == 1


def test_failed_condition_shows_the_old_item(client: Client, table: str) -> None:
    dynamodb = client("dynamodb")
    item = {"k": {"S": "1"}, "v": {"N": "7"}}
    dynamodb.put_item(TableName=table, Item=item)
    with pytest.raises(ClientError) as caught:
        dynamodb.put_item(
            TableName=table,
            Item=item,
            ConditionExpression="v = :v",
            ExpressionAttributeValues={":v": {"N": "8"}},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    answer: Any = caught.value.response
    assert answer["Error"]["Code"] == "ConditionalCheckFailedException"
    assert answer["Item"] == item


def test_transaction_says_which_condition_failed(client: Client, table: str) -> None:
    dynamodb = client("dynamodb")
    dynamodb.put_item(TableName=table, Item={"k": {"S": "a"}})
    writes = [
        {
            "Put": {
                "TableName": table,
                "Item": {"k": {"S": key}},
                "ConditionExpression": "attribute_not_exists(k)",
            }
        }
        for key in ("b", "a")
    ]
    with pytest.raises(ClientError) as caught:
        dynamodb.transact_write_items(TransactItems=writes)
    answer: Any = caught.value.response
    assert [reason["Code"] for reason in answer["CancellationReasons"]] == ["None", "ConditionalCheckFailed"]


def test_a_transaction_is_carried_out_as_a_whole_or_not_at_all(client: Client, table: str) -> None:
    dynamodb = client("dynamodb")
    dynamodb.put_item(TableName=table, Item={"k": {"S": "a"}, "n": {"N": "1"}})
    change = {
        "TableName": table,
        "Key": {"k": {"S": "a"}},
        "UpdateExpression": "SET n = :n",
        "ConditionExpression": "n = :old",
        "ExpressionAttributeValues": {":n": {"N": "2"}, ":old": {"N": "1"}},
    }
    put = {"TableName": table, "Item": {"k": {"S": "b"}}, "ConditionExpression": "attribute_not_exists(k)"}
    dynamodb.transact_write_items(TransactItems=[{"Update": change}, {"Put": put}])
    with pytest.raises(ClientError):
        dynamodb.transact_write_items(
            TransactItems=[{"Delete": {"TableName": table, "Key": put["Item"]}}, {"Update": change}]
        )
    assert {item["k"]["S"]: item.get("n") for item in dynamodb.scan(TableName=table)["Items"]} == {
        "a": {"N": "2"},
        "b": None,
    }


def test_a_repeated_transaction_is_known_by_its_token(client: Client, table: str, refused: Refused) -> None:
    dynamodb = client("dynamodb")
    put = {"TableName": table, "Item": {"k": {"S": "x"}}, "ConditionExpression": "attribute_not_exists(k)"}
    for _ in range(2):
        dynamodb.transact_write_items(TransactItems=[{"Put": put}], ClientRequestToken="t1")
    other = {"TransactItems": [{"Put": {**put, "Item": {"k": {"S": "y"}}}}], "ClientRequestToken": "t1"}
    assert refused(dynamodb.transact_write_items, **other)[0] == "IdempotentParameterMismatchException"
    again = {"TransactItems": [{"Put": put}], "ClientRequestToken": "t2"}
    assert refused(dynamodb.transact_write_items, **again)[0] == "TransactionCanceledException"


def test_a_transaction_changes_an_item_once(client: Client, table: str, refused: Refused) -> None:
    put = {"Put": {"TableName": table, "Item": {"k": {"S": "x"}}}}
    code, _, message = refused(client("dynamodb").transact_write_items, TransactItems=[put, put])
    assert (code, "multiple operations on one item" in message) == ("ValidationException", True)


def test_a_transaction_wants_the_permissions_of_all_its_parts(act_as: Any, table: str, refused: Refused) -> None:
    allow = {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": "*"}
    key = {"k": {"S": "x"}}
    writes = [
        {"Put": {"TableName": table, "Item": {"k": {"S": "y"}}}},
        {"ConditionCheck": {"TableName": table, "Key": key, "ConditionExpression": "attribute_not_exists(k)"}},
    ]
    code, _, message = refused(act_as("dynamodb", allow).transact_write_items, TransactItems=writes)
    assert (code, "dynamodb:ConditionCheckItem" in message) == ("AccessDeniedException", True)


def test_a_query_gives_its_partition_in_order_page_by_page(client: Client, fresh: Fresh) -> None:
    dynamodb, table = client("dynamodb"), fresh("table")
    keys = {"pk": "HASH", "sk": "RANGE"}
    dynamodb.create_table(
        TableName=table,
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
        BillingMode="PAY_PER_REQUEST",
    )
    for partition, sort in (("b", "3"), ("a", "2"), ("b", "1"), ("c", "1"), ("b", "2"), ("a", "1")):
        dynamodb.put_item(TableName=table, Item={"pk": {"S": partition}, "sk": {"S": sort}})

    def found(partition: str, **more: Any) -> list[str]:
        pages = dynamodb.get_paginator("query").paginate(
            TableName=table,
            KeyConditionExpression="pk = :p",
            ExpressionAttributeValues={":p": {"S": partition}},
            ConsistentRead=True,
            **more,
        )
        return [item["sk"]["S"] for page in pages for item in page["Items"]]

    assert found("b", Limit=2) == ["1", "2", "3"]
    assert found("b", ScanIndexForward=False) == ["3", "2", "1"]
    assert found("a") == ["1", "2"]
    assert found("nobody") == []


def test_every_answer_has_a_date(client: Client, table: str) -> None:
    assert client("dynamodb").scan(TableName=table)["ResponseMetadata"]["HTTPHeaders"]["date"].endswith("GMT")


def test_tables_of_accounts_are_apart(client: Client, table: str, refused: Refused, away: str) -> None:
    answer = refused(client("dynamodb", away).scan, TableName=table)
    assert answer[:2] == ("ResourceNotFoundException", 400)


def test_s3_first_write_has_one_winner(client: Client, bucket: str) -> None:
    s3 = client("s3")

    def attempt(number: int) -> None:
        s3.put_object(Bucket=bucket, Key="lock", Body=str(number).encode(), IfNoneMatch="*")

    assert _winners(8, attempt, "PreconditionFailed") == 1


def test_s3_if_match(client: Client, bucket: str, refused: Refused) -> None:
    s3 = client("s3")
    tag = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["ETag"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"2", IfMatch=tag)
    answer = refused(s3.put_object, Bucket=bucket, Key="k", Body=b"3", IfMatch=tag)
    assert answer[:2] == ("PreconditionFailed", 412)


def test_s3_keys_and_bodies_survive(client: Client, bucket: str) -> None:
    s3 = client("s3")
    body = bytes(range(256)) * 400
    for key in ("a/b c+d", "\u00fcml\u00e4ut/%41", "plain"):
        s3.put_object(Bucket=bucket, Key=key, Body=body)
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == body
        assert s3.head_object(Bucket=bucket, Key=key)["ContentLength"] == len(body)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 3


def test_s3_missing(client: Client, bucket: str, refused: Refused) -> None:
    assert refused(client("s3").get_object, Bucket=bucket, Key="none")[:2] == ("NoSuchKey", 404)
    assert refused(client("s3").head_object, Bucket=bucket, Key="none")[:2] == ("404", 404)


@pytest.fixture
def act_as(client: Client, role: Role, home: str) -> Callable[..., Any]:
    """`act_as(service, *policies)`: a client of a session whose role has these policies."""

    def make(service: str, *policies: dict[str, Any]) -> Any:
        trusted = {"Effect": "Allow", "Principal": {"AWS": home}, "Action": "sts:AssumeRole"}
        arn = role(trusted, policies=policies)
        made = client("sts").assume_role(RoleArn=arn, RoleSessionName="check")["Credentials"]
        return client(service, credentials=made)

    return make


def test_no_policy_no_access(act_as: Any, table: str, refused: Refused) -> None:
    code, _, message = refused(act_as("dynamodb").scan, TableName=table)
    assert code == "AccessDeniedException"
    assert f"dynamodb:Scan on resource: arn:aws:dynamodb:us-east-1:111122223333:table/{table}" in message


def test_resource_decides(act_as: Any, table: str, refused: Refused) -> None:
    allow = {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "arn:aws:dynamodb:*:*:table/else*"}
    assert refused(act_as("dynamodb", allow).scan, TableName=table)[0] == "AccessDeniedException"
    assert act_as("dynamodb", allow | {"Resource": "*"}).scan(TableName=table)["Count"] == 0


def test_deny_wins(act_as: Any, table: str, refused: Refused) -> None:
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    deny = {"Effect": "Deny", "Action": "dynamodb:Put*", "Resource": "*"}
    dynamodb = act_as("dynamodb", allow, deny)
    assert dynamodb.scan(TableName=table)["Count"] == 0
    answer = refused(dynamodb.put_item, TableName=table, Item={"k": {"S": "1"}})
    assert answer[0] == "AccessDeniedException"


def test_managed_policy_counts(client: Client, role: Role, bucket: str, refused: Refused, home: str) -> None:
    trusted = {"Effect": "Allow", "Principal": {"AWS": home}, "Action": "sts:AssumeRole"}
    arn = role(trusted)
    made = client("sts").assume_role(RoleArn=arn, RoleSessionName="check")["Credentials"]
    s3 = client("s3", credentials=made)
    assert refused(s3.list_objects_v2, Bucket=bucket)[:2] == ("AccessDenied", 403)
    client("iam").attach_role_policy(
        RoleName=arn.rsplit("/", 1)[-1], PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
    )
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_operator_may_be_limited(act_as: Any, role: Role, refused: Refused, fresh: Fresh) -> None:
    allow = {"Effect": "Allow", "Action": "eks:*", "Resource": "*"}
    wish = {"clusterName": "contract", "namespace": fresh("ns"), "serviceAccount": "x", "roleArn": role()}
    code, status, message = refused(act_as("eks", allow).create_pod_identity_association, **wish)
    assert (code, status) == ("AccessDeniedException", 403)
    assert "iam:PassRole" in message
    pass_role = allow | {
        "Action": "iam:PassRole",
        "Condition": {"StringEquals": {"iam:PassedToService": "pods.eks.amazonaws.com"}},
    }
    assert act_as("eks", allow, pass_role).create_pod_identity_association(**wish)
    assert refused(act_as("iam", allow).list_roles)[:2] == ("AccessDenied", 403)
