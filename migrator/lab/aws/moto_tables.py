"""moto's DynamoDB tables, made quick enough for a store: a query looks at its own partition.

moto sorts every item of the table first, whichever partition is asked for: with thousands of items that is most of
what the practice fleet does.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from moto.dynamodb.models.table import Table

if TYPE_CHECKING:
    from moto.dynamodb.models.dynamo_type import DynamoType

_query = Table.query


def quicken() -> None:
    """From now on tables answer so."""
    setattr(Table, "query", _of_partition)  # noqa: B010 - theirs, looking at less; typed otherwise than ours


def _of_partition(table: Table, hash_key: DynamoType | None, *given: Any, **named: Any) -> Any:
    index = named.get("index_name", given[6] if len(given) > 6 else None)
    if hash_key is None or index is not None:
        return _query(table, hash_key, *given, **named)
    one = copy.copy(table)
    one.items = {hash_key: table.items[hash_key]} if hash_key in table.items else {}  # type: ignore[assignment]
    return _query(one, hash_key, *given, **named)
