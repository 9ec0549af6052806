"""The fleet file: what it means, what is refused and how, and that its page names every field."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from migrator.documents.errors import DocumentError
from migrator.documents.schema import first_violation
from migrator.model.fleet import Account, DynamoState, SqliteState, Waits
from migrator.store.fleet_file import load_fleet, schema

PAGE = Path(__file__).parents[3] / "docs" / "fleet.md"
MINIMAL = 'version: 1\nclusters:\n  - {alias: prod, region: eu-west-1, account: "111111111111"}\n'
OTHER = '  - {alias: test, region: eu-west-1, account: "222222222222"}\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "fleet.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_pages_example_loads(tmp_path: Path) -> None:
    example = PAGE.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]

    fleet = load_fleet(written(tmp_path, example))

    assert [(c.alias, c.name, c.region, c.account) for c in fleet.clusters] == [
        ("prod-eu", "prod", "eu-west-1", "111111111111"),
        ("tools", "tools", "eu-west-1", "222222222222"),
    ]
    assert fleet.account("222222222222").external_id == "fleet"
    assert (fleet.state, fleet.plans) == (SqliteState(tmp_path / "state.db"), tmp_path / "plans")
    assert (fleet.policy.agent, fleet.waits.gate, fleet.waits.poll) == ("require", 300, 2.0)


def test_defaults(tmp_path: Path) -> None:
    fleet = load_fleet(written(tmp_path, MINIMAL))

    assert fleet.waits == Waits()
    assert fleet.account("999999999999") == Account(id="999999999999")


def names(part: dict[str, Any]) -> set[str]:
    found = set(part.get("properties", {}))
    inner = [*part.get("properties", {}).values(), *([part["items"]] if "items" in part else [])]
    return found.union(*(names(one) for one in inner))


def patterns(part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    inner = [*part.get("properties", {}).values(), *([part["items"]] if "items" in part else [])]
    yield from (one for one in inner if "pattern" in one)
    for one in inner:
        yield from patterns(one)


def test_every_pattern_has_an_example_that_fits() -> None:
    every = list(patterns(schema()))

    assert len(every) > 10
    for one in every:
        assert [first_violation(example, one) for example in one["examples"]] == [None]


def test_the_page_names_every_field_and_every_default() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert [name for name in sorted(names(schema())) if name not in page] == []
    rows = {line.split("`")[1]: line.split("|")[3].strip() for line in page.splitlines() if line.startswith("| `")}
    assert {name: float(rows[name]) for name in asdict(Waits())} == asdict(Waits())


def test_a_table_is_in_the_account_of_the_clusters_unless_told(tmp_path: Path) -> None:
    table = "state: {dynamodb: {table: fleet, region: us-east-1, lease: 5}}\n"
    told = table.replace("}}", ', account: "222222222222"}}')

    assert load_fleet(written(tmp_path, MINIMAL + table)).state == DynamoState(
        table="fleet", region="us-east-1", account="111111111111", lease=5
    )
    assert load_fleet(written(tmp_path, MINIMAL + OTHER + told)).state == DynamoState(
        table="fleet", region="us-east-1", account="222222222222", lease=5
    )


def test_clusters_of_one_name_differ_by_region_or_account(tmp_path: Path) -> None:
    more = (
        '  - {alias: us, name: prod, region: us-east-1, account: "111111111111"}\n'
        '  - {alias: other, name: prod, region: eu-west-1, account: "222222222222"}\n'
    )

    assert [one.name for one in load_fleet(written(tmp_path, MINIMAL + more)).clusters] == ["prod"] * 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("", "the file is empty", id="[empty]"),
        pytest.param(MINIMAL.replace("version: 1", "version: 2"), "fleet.yaml:1: version: 2 is not 1", id="[version]"),
        pytest.param(
            MINIMAL + "polcy: {}\n", 'fleet.yaml:4: polcy: unknown field; did you mean "policy"?', id="[typo]"
        ),
        pytest.param(MINIMAL.replace('"111111111111"', "111111111111"), "is not a string", id="[unquoted account]"),
        pytest.param(MINIMAL.replace(", region: eu-west-1", ""), 'missing: "region"', id="[no region]"),
        pytest.param(MINIMAL + MINIMAL.splitlines()[2], 'clusters[1].alias: "prod" is used twice', id="[twice]"),
        pytest.param(
            MINIMAL + OTHER.replace("alias: test", "alias: copy, name: prod").replace("2" * 12, "1" * 12),
            'fleet.yaml:4: clusters[1].name: "copy" and "prod" are both cluster "prod" in eu-west-1 of account '
            "111111111111; take one of them out, or mend what it says",
            id="[two aliases]",
        ),
        pytest.param(
            MINIMAL.replace("alias: prod", "alias: copy, name: prod") + MINIMAL.splitlines()[2],
            'fleet.yaml:4: clusters[1].alias: "prod" and "copy" are both',
            id="[two aliases, one of them the name]",
        ),
        pytest.param(
            MINIMAL + 'accounts:\n  - {id: "222222222222", role: "arn:aws:iam::111111111111:role/ops"}\n',
            'fleet.yaml:5: accounts[0].role: "arn:aws:iam::111111111111:role/ops" is no role of account '
            '"222222222222"; name one of that account, or mend "id"',
            id="[role of another account]",
        ),
        pytest.param(MINIMAL + "waits: {poll: 0}\n", "waits.poll: 0 is not more than 0", id="[range]"),
        pytest.param(MINIMAL + "state: {redis: x}\n", "state.redis: unknown field", id="[store]"),
        pytest.param(
            MINIMAL + "state: {}\n",
            "state: {} has too few entries (at least 1); give dynamodb or sqlite",
            id="[no store]",
        ),
        pytest.param(
            MINIMAL + "state: {sqlite: s, dynamodb: {table: t-1, region: eu-west-1}}\n",
            "has too many entries (at most 1); give dynamodb or sqlite, not both",
            id="[both]",
        ),
        pytest.param(
            MINIMAL.replace("eu-west-1", "mars"),
            'clusters[0].region: "mars" does not match ^[a-z]{2,}(-[a-z]+)+-[0-9]+$; write it like "eu-west-1"',
            id="[region]",
        ),
        pytest.param(MINIMAL + "state: {dynamodb: {table: t-1}}\n", 'missing: "region"', id="[no region of a table]"),
        pytest.param(
            MINIMAL + "state: {dynamodb: {table: 'a b', region: eu-west-1}}\n", "does not match", id="[name of a table]"
        ),
        pytest.param(
            MINIMAL + OTHER + "state: {dynamodb: {table: t-1, region: eu-west-1}}\n",
            'state.dynamodb: missing: "account"; the clusters have several: 111111111111, 222222222222',
            id="[whose table]",
        ),
        pytest.param(MINIMAL + "policy: {order: sideways}\n", '"sideways" is not one of', id="[choice]"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(DocumentError) as caught:
        load_fleet(written(tmp_path, text))

    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
