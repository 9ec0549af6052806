"""From an HTTP request to an operation of a botocore service model."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.model import OperationModel, ServiceModel

    from migrator.lab.aws.wire import HttpRequest

_LABEL = re.compile(r"\{(\w+)(\+?)\}")


@dataclass(frozen=True)
class Route:
    """One operation's place in the URL space of a REST service."""

    method: str
    pattern: re.Pattern[str]
    literals: int
    fixed_query: frozenset[tuple[str, str]]
    wanted_query: frozenset[str]
    wanted_headers: frozenset[str]
    operation: OperationModel

    @property
    def weight(self) -> tuple[int, int, int]:
        """The more a route asks for, the earlier it is tried."""
        asked = len(self.wanted_query) + len(self.wanted_headers)
        return (len(self.fixed_query) + asked, self.literals, -len(self.pattern.groupindex))


def _pattern(path: str) -> tuple[re.Pattern[str], int]:
    parts, literals, at = [], 0, 0
    for label in _LABEL.finditer(path):
        literal = path[at : label.start()]
        literals += len(literal)
        parts.append(re.escape(literal))
        parts.append(f"(?P<{label[1]}>{'.+' if label[2] else '[^/]+'})")
        at = label.end()
    parts.append(re.escape(path[at:]))
    return re.compile("".join(parts) + "/?"), literals + len(path[at:])


def _route(operation: OperationModel) -> Route:
    path, _, query = operation.http["requestUri"].partition("?")
    pattern, literals = _pattern(path)
    shape = operation.input_shape
    wanted: dict[str, set[str]] = {"querystring": set(), "header": set()}
    for member in shape.required_members if shape else []:
        place = shape.members[member].serialization if shape else {}
        if place.get("location") in wanted:
            wanted[place["location"]].add(place["name"])
    return Route(
        method=operation.http["method"],
        pattern=pattern,
        literals=literals,
        fixed_query=frozenset(parse_qsl(query, keep_blank_values=True)),
        wanted_query=frozenset(wanted["querystring"]),
        wanted_headers=frozenset(name.lower() for name in wanted["header"]),
        operation=operation,
    )


@cache
def _routes(service: ServiceModel) -> tuple[Route, ...]:
    routes = [_route(service.operation_model(name)) for name in service.operation_names]
    return tuple(sorted(routes, key=lambda route: route.weight, reverse=True))


def match_rest(service: ServiceModel, http: HttpRequest) -> tuple[OperationModel, Mapping[str, str]] | None:
    """The operation of a REST service that a request asks for, and its path parameters.

    A query parameter that is required by the model decides only between operations of one path (S3): a route that
    wants one the request lacks is kept as a second choice, so that its absence is a validation error and not a 404.
    """
    pairs = http.query_pairs()
    names = {name for name, _ in pairs}
    second: tuple[OperationModel, Mapping[str, str]] | None = None
    for route in _routes(service):
        if route.method != http.method or not route.fixed_query <= set(pairs):
            continue
        found = route.pattern.fullmatch(http.path)
        if found is None:
            continue
        answer = (route.operation, {name: unquote(text) for name, text in found.groupdict().items()})
        if route.wanted_query <= names and route.wanted_headers <= set(http.headers):
            return answer
        second = second or answer
    return second


def match_target(service: ServiceModel, http: HttpRequest) -> OperationModel | None:
    """The operation of a JSON service, named by the `X-Amz-Target` header."""
    prefix, _, name = http.headers.get("x-amz-target", "").rpartition(".")
    if prefix != service.metadata.get("targetPrefix") or name not in service.operation_names:
        return None
    return service.operation_model(name)


def form(http: HttpRequest) -> dict[str, str]:
    """The parameters of a query-protocol request, from its body or its URL."""
    pairs = http.query_pairs()
    if http.method == "POST":
        pairs += parse_qsl(http.body.decode("utf-8", "replace"), keep_blank_values=True)
    return dict(pairs)


def match_action(service: ServiceModel, http: HttpRequest) -> OperationModel | None:
    """The operation of a query service, named by its `Action` parameter."""
    name = form(http).get("Action", "")
    return service.operation_model(name) if name in service.operation_names else None
