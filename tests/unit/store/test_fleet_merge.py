"""The fleet file as discovery writes it: new, added to, and never over somebody else's edit."""

from pathlib import Path

import pytest

from migrator.model.errors import StoreFault
from migrator.model.fleet import Account, FleetCluster
from migrator.store.fleet_file import load_fleet
from migrator.store.fleet_merge import merged, read_text, write

PROD = FleetCluster(alias="prod-eu", name="prod", region="eu-west-1", account="111111111111")
WAY = Account(id="111111111111", profile="ops", role="arn:aws-cn:iam::111111111111:role/ops", external_id="x-1")


def test_a_new_file_says_what_was_found(tmp_path: Path) -> None:
    file = tmp_path / "fleet.yaml"
    write(file, merged(file, None, [PROD], [WAY]), seen=None)

    fleet = load_fleet(file)
    assert (fleet.clusters, fleet.accounts) == ((PROD,), (WAY,))
    assert merged(file, read_text(file), [], []) == read_text(file)


def test_an_edit_made_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    file = tmp_path / "fleet.yaml"
    file.write_text("theirs", encoding="utf-8")

    for seen in (None, "ours"):
        with pytest.raises(StoreFault, match="was changed meanwhile"):
            write(file, "ours and more", seen=seen)
    assert file.read_text(encoding="utf-8") == "theirs"


def test_a_link_stays_one(tmp_path: Path) -> None:
    link, real = tmp_path / "fleet.yaml", tmp_path / "real.yaml"
    real.write_text("a", encoding="utf-8")
    link.symlink_to(real)

    write(link, "b", seen="a")

    assert link.is_symlink()
    assert real.read_text(encoding="utf-8") == "b"
