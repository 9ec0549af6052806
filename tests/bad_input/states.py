"""Broken journals: the SQLite file."""

import sqlite3
from pathlib import Path

from migrator.model.exits import Exit
from tests.bad_input.shop import Case, Shop, edited, folder_instead, loop_instead, overwritten, sql

STATUS = ("status",)
APPLY = ("apply", "--service", "prod/books/shelf", "--yes")


def _state(shop: Shop) -> Path:
    return shop.state


def _case(says: str, breaking: object, command: tuple[str, ...] = STATUS) -> Case:
    assert callable(breaking)
    return Case(command, ('state.db"', says), breaking, code=Exit.ERROR)


def _page(number: int) -> object:
    """Rubbish over one page of the file; the first holds the format and the tables' names."""

    def damage(content: bytes) -> bytes:
        start = number * 4096
        return content[:start] + b"\xa5" * 4096 + content[start + 4096 :]

    return edited(damage, _state)


def _no_table(shop: Shop) -> None:
    connection = sqlite3.connect(shop.state)
    connection.execute("DROP TABLE records")
    connection.close()


def _nulled(table: str, column: str) -> object:
    """A row that no schema of ours allows, as a damaged page may hold it."""

    def damage(shop: Shop) -> None:
        connection = sqlite3.connect(shop.state)
        connection.execute("INSERT INTO locks VALUES ('service:prod/shop/cart', 'o', 'h', 1, '', 's', 'd', 'soon')")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_master SET sql = replace(sql, 'TEXT NOT NULL', 'TEXT') WHERE name = ?", [table]
        )
        connection.commit()
        connection.close()
        connection = sqlite3.connect(shop.state)
        connection.execute(f"UPDATE {table} SET {column} = NULL")  # noqa: S608 - constants only
        connection.commit()
        connection.close()

    return damage


CASES: dict[str, Case] = {
    "[text]": _case("file is not a database", overwritten("runs: []\n" * 200, _state)),
    "[text] short": _case("file is not a database", overwritten("runs: []\n", _state)),
    "[text] met by a command that writes": _case("file is not a database", overwritten("x" * 2000, _state), APPLY),
    "[folder]": _case("is a folder", folder_instead(_state)),
    "[loop] of links": _case("cannot be used: Too many levels of symbolic links", loop_instead(_state)),
    "[truncated] to half": _case("cannot be used", edited(lambda content: content[: len(content) // 2], _state)),
    "[truncated] to its head": _case("cannot be used", edited(lambda content: content[:100], _state)),
    "[truncated] in its head": _case("is damaged: it has only 50 bytes", edited(lambda content: content[:50], _state)),
    "[page] the first": _case("cannot be used", _page(0)),
    "[page] of a table": _case("cannot be used", _page(1)),
    "[text] that is not UTF-8 in a table's name": _case(
        "is damaged: malformed database schema",
        edited(lambda content: content.replace(b"CREATE TABLE records", b"CREATE \xcfABLE records"), _state),
    ),
    "[table] gone": _case("no such table", _no_table),
    "[format] newer": _case("has format 7, this program writes format", sql("PRAGMA user_version = 7")),
    "[format] newer, met by a command that writes": _case(
        "has format 7, this program writes format", sql("PRAGMA user_version = 7"), APPLY
    ),
    "[format] of another program": _case("is a database of another program", sql("PRAGMA user_version = 0")),
    "[row] an unknown status": _case("is damaged: a row of run", sql("UPDATE records SET status = 'maybe'")),
    "[row] an unknown outcome": _case("is damaged: a row of run", sql("UPDATE runs SET outcome = 'maybe'")),
    "[row] an unknown direction": _case("is damaged: a row of run", sql("UPDATE runs SET direction = 'up'")),
    "[row] no service": _case("is damaged: a row of run", sql("UPDATE runs SET service = 'cart' WHERE number = 1")),
    "[row] nothing where a text belongs": _case("None stands where a text belongs", _nulled("runs", "service")),
    "[row] nothing where a text of a lock belongs": _case("None stands where a text belongs", _nulled("locks", "born")),
    "[row] broken JSON of a step": _case("is damaged: a row of run", sql("UPDATE records SET image = '{'")),
    "[row] broken JSON of a plan": _case("is damaged: a row of run", sql("UPDATE runs SET plan = '{'")),
    "[row] a plan that is none": _case(
        "is damaged: a run carries no plan",
        sql("UPDATE runs SET plan = '[]'"),
        ("rollback", "--service", "prod/shop/orders", "--dry-run"),
    ),
    "[row] a plan of no format": _case(
        "is damaged: a run carries no plan",
        sql("UPDATE runs SET plan = '{}'"),
        ("rollback", "--service", "prod/shop/orders", "--dry-run"),
    ),
    "[row] a time that is none": _case(
        "is damaged",
        sql("INSERT INTO locks VALUES ('service:prod/shop/cart', 'o', 'h', 1, '', 's', 'd', 'soon')"),
    ),
}
