"""What a table or view holds: its columns with types, units and comments, from the SQL that made it.

The comments of ``CREATE TABLE`` and ``CREATE VIEW`` statements are stored in the file. A unit is therefore written
once, in the schema, and every exporter reads it here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlamarr.checking.yaml_schema import suggest
from sqlamarr.database.connection import Database, quote_identifier, transfer_type
from sqlamarr.errors import DataError, SqlError
from sqlamarr.native.columns import FLOAT64, INT64, TEXT

_UNIT = re.compile(r"\[([^\]]+)\]")
_COMMENT = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*")
_IDENTIFIER = re.compile(r'"(?:[^"]|"")+"|\w+')


@dataclass(frozen=True)
class Column:
    """One column of a table or view.

    :ivar type: ``INT64``, ``FLOAT64`` or ``TEXT`` of :mod:`sqlamarr.native.columns`
    :ivar unit: as in the schema, for instance ``MeV``; empty if the column has none
    :ivar doc: the schema's comment, without the unit
    :ivar nullable: False where the declaration forbids NULL
    :ivar refers: (table, column) that a foreign key names
    """

    name: str
    type: int
    unit: str = ""
    doc: str = ""
    nullable: bool = True
    refers: tuple[str, str] | None = None

    @property
    def title(self) -> str:
        """Comment and unit in one line, as titles of branches show them."""
        return f"{self.doc} [{self.unit}]".strip() if self.unit else self.doc


@dataclass(frozen=True)
class TableDescription:
    """A table or view: name, comment, columns in order, names of the primary key's columns."""

    name: str
    doc: str
    columns: Mapping[str, Column]
    key: tuple[str, ...]
    is_view: bool = False

    @property
    def per_event(self) -> bool:
        """Whether there is at most one row per event."""
        return self.key == ("event_id",)


def describe(db: Database, name: str) -> TableDescription:
    """Describe a table or view.

    :raises SqlError: there is no table or view of this name, or SQLite refuses the view
    :raises DataError: a column without a declared type mixes numbers and text
    """
    row = db.execute(
        "SELECT name, type, sql FROM sqlite_schema WHERE type IN ('table', 'view') AND name = ? COLLATE NOCASE", (name,)
    ).fetchone()
    if row is None:
        known = [*db.tables(), *db.views()]
        raise SqlError(
            f"There is no table or view {name!r}; there are: {', '.join(known) or 'none'}{suggest(name, known)}"
        )
    actual, kind, sql = str(row[0]), str(row[1]), str(row[2])
    return _view(db, actual, sql) if kind == "view" else _table(db, actual, sql)


def _table(db: Database, name: str, sql: str) -> TableDescription:
    info = db.execute('SELECT name, type, "notnull", pk FROM pragma_table_info(?)', (name,)).fetchall()
    references = {
        str(column): (str(parent), str(to))
        for column, parent, to in db.execute('SELECT "from", "table", "to" FROM pragma_foreign_key_list(?)', (name,))
    }
    doc, comments = _comments(sql, [str(row[0]) for row in info], last=False)
    columns = {}
    for column, declared, not_null, key in info:
        code = transfer_type(str(declared)) or _found_type(db, name, str(column))
        unit, text = comments.get(str(column), ("", ""))
        columns[str(column)] = Column(
            str(column), code, unit, text, not (not_null or key), references.get(str(column))
        )  # fmt: skip
    key = tuple(str(row[0]) for row in sorted(info, key=lambda row: int(str(row[3]))) if row[3])
    return TableDescription(name, doc, columns, key)


def _view(db: Database, name: str, sql: str) -> TableDescription:
    origins = db.origins(f"SELECT * FROM {quote_identifier(name)}")
    doc, comments = _comments(sql, list(origins), last=True)
    parents: dict[str, TableDescription] = {}
    columns = {}
    for column, (declared, table, source) in origins.items():
        if table and table not in parents:
            parents[table] = describe(db, table)
        parent = parents[table].columns.get(source) if table else None
        unit, text = comments.get(column, ("", ""))
        if parent is not None:  # the view's comment may be about several columns; the table's is certain
            unit, text = parent.unit or unit, parent.doc or text
        code = transfer_type(declared) or _found_type(db, name, column)
        columns[column] = Column(column, code, unit, text, refers=parent.refers if parent else None)
    return TableDescription(name, doc, columns, (), is_view=True)


def _found_type(db: Database, name: str, column: str) -> int:
    """The type of a column that declares none, from all of its values."""
    quoted = quote_identifier(column)
    rows = db.execute(f"SELECT DISTINCT typeof({quoted}) FROM {quote_identifier(name)}")
    found = {str(row[0]) for row in rows} - {"null"}
    for code, allowed in ((INT64, {"integer"}), (FLOAT64, {"integer", "real"}), (TEXT, {"text"})):
        if found and found <= allowed:
            return code
    if found:
        raise DataError(f"{name}.{column} holds values of several types ({', '.join(sorted(found))}); expected one.")
    return FLOAT64


def _comments(sql: str, names: list[str], *, last: bool) -> tuple[str, dict[str, tuple[str, str]]]:
    """The statement's own comment, and (unit, text) by column.

    :param last: a column's name is the last identifier of its item, not the first (as in a view's ``a.b AS c``)
    """
    own = ""
    found: dict[str, tuple[str, str]] = {}
    previous: list[str] = []
    for number, line in enumerate(sql.splitlines()):
        code, comment = _split(line)
        here = [name for name in _names(code, last=last) if name in names and name not in found]
        if comment and number and not code.strip() and previous:  # a comment that continues on the next line
            unit, text = found[previous[0]]
            found.update(dict.fromkeys(previous, _unit(f"{text} {comment}", unit)))
            continue
        if number == 0:
            own = comment
        found.update(dict.fromkeys(here, _unit(comment)))
        previous = here if comment else []
    return own, found


def _split(line: str) -> tuple[str, str]:
    for match in _COMMENT.finditer(line):
        if match.group().startswith("--"):
            return line[: match.start()], match.group()[2:].strip()
    return line, ""


def _names(code: str, *, last: bool) -> Iterator[str]:
    while (flat := re.sub(r"\([^()]*\)", "", code)) != code:
        code = flat
    for item in code.split(","):
        identifiers = _IDENTIFIER.findall(item)
        if identifiers:
            name = identifiers[-1 if last else 0]
            yield name[1:-1].replace('""', '"') if name.startswith('"') else name


def _unit(comment: str, unit: str = "") -> tuple[str, str]:
    match = _UNIT.search(comment)
    if match is None:
        return unit, comment
    text = comment[: match.start()].rstrip() + comment[match.end() :]
    return unit or match.group(1), re.sub(r"\s+", " ", text).strip(" ;,")
