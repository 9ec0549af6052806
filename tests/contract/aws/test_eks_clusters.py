"""EKS clusters: describe, list, errors; what is not served says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Client = Callable[..., Any]
Refused = Callable[..., tuple[str, int, str]]


def test_describe_cluster(client: Client, home: str, issuer: str) -> None:
    cluster = client("eks").describe_cluster(name="contract")["cluster"]
    assert cluster["arn"] == f"arn:aws:eks:us-east-1:{home}:cluster/contract"
    assert cluster["status"] == "ACTIVE"
    assert cluster["identity"]["oidc"]["issuer"] == issuer
    assert cluster["accessConfig"]["authenticationMode"] == "API_AND_CONFIG_MAP"
    assert cluster["kubernetesNetworkConfig"]["ipFamily"] == "ipv4"


def test_describe_cluster_missing(client: Client, refused: Refused) -> None:
    code, status, message = refused(client("eks").describe_cluster, name="nowhere")
    assert (code, status) == ("ResourceNotFoundException", 404)
    assert "nowhere" in message


def test_cluster_of_another_account_is_missing(client: Client, refused: Refused, away: str) -> None:
    assert refused(client("eks", away).describe_cluster, name="contract")[0] == "ResourceNotFoundException"


def test_cluster_of_another_region_is_missing(client: Client, refused: Refused) -> None:
    eks = client("eks", region="eu-west-1")
    assert refused(eks.describe_cluster, name="contract")[0] == "ResourceNotFoundException"


def test_list_clusters_in_pages(client: Client) -> None:
    pages = client("eks").get_paginator("list_clusters").paginate(PaginationConfig={"PageSize": 1})
    names = [page["clusters"] for page in pages]
    assert all(len(page) <= 1 for page in names)
    assert {"contract", "other"} <= {name for page in names for name in page}


def test_list_clusters_leaves_connected_ones_out(client: Client, own_front: Any) -> None:
    assert "linked" not in client("eks").list_clusters()["clusters"]
    assert "linked" in client("eks").list_clusters(include=["all"])["clusters"]


def test_list_clusters_refuses_a_large_page(client: Client, refused: Refused) -> None:
    code, status, message = refused(client("eks").list_clusters, maxResults=101)
    assert (code, status) == ("InvalidParameterException", 400)
    assert "less than or equal to 100" in message


def test_list_clusters_refuses_a_foreign_token(client: Client, refused: Refused) -> None:
    assert refused(client("eks").list_clusters, nextToken="%%%")[0] == "InvalidParameterException"


def test_operation_not_served_is_named(client: Client, refused: Refused) -> None:
    code, status, message = refused(client("eks").list_insights, clusterName="contract")
    assert (code, status) == ("NotImplemented", 501)
    assert "ListInsights" in message
    assert "eks" in message


def test_service_not_served_is_named(client: Client, refused: Refused) -> None:
    code, status, message = refused(client("rds").describe_db_instances)
    assert (code, status) == ("NotImplemented", 501)
    assert "DescribeDBInstances" in message
    assert "rds" in message


def test_rest_service_not_served_is_named(client: Client, refused: Refused) -> None:
    _, status, message = refused(client("lambda").list_functions)
    assert status == 501
    assert "lambda" in message
