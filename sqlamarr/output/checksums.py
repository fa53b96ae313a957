"""Checksums of what an output file holds: of each table, by block of events, in the table Checksums.

A checksum is a sum over rows (see ``src/columns/checksums.cpp``). Batches therefore add to it however the events are
split, parts of a production merge by adding, and the order of rows does not matter. Rows without an event, and the
bookkeeping, are in block -1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlamarr.database.connection import Database, quote_identifier
from sqlamarr.database.declarations import declaration
from sqlamarr.errors import SqlError
from sqlamarr.events.event import ROWS_PER_EVENT
from sqlamarr.native.checksums import block_checksums
from sqlamarr.native.columns import FLOAT64, INT64, TEXT, Columns, null_count, type_of

#: Version of the definition, in the header of a file that has checksums (``PRAGMA user_version``).
VERSION = 1
TABLE = "Checksums"
SCHEMA = "sqlite_schema"  # what the statements that made tables and views are called here
EVENTS_PER_BLOCK = 1000
NO_BLOCK = -1
ROWS = 50_000  # rows in memory at a time, when a file is read

_SCHEMA_ROWS = "SELECT type, name, tbl_name, sql FROM sqlite_schema"
_CONFLICT = re.compile(r"\bCONFLICT\b", re.IGNORECASE)


class Sums:
    """Numbers of rows and checksums by block and table; they add.

    :param found: to begin with
    """

    def __init__(self, found: Mapping[tuple[int, str], tuple[int, int]] | None = None) -> None:
        self._found = dict(found or {})

    def add(self, block: int, table: str, rows: int, checksum: int) -> None:
        """Add to an entry; an entry without rows does not exist."""
        before = self._found.pop((block, table), (0, 0))
        total = before[0] + rows, (before[1] + checksum) % 2**64
        if total != (0, 0):
            self._found[block, table] = total

    def update(self, other: Sums, sign: int = 1) -> None:
        """Add (or, with -1, subtract) all of another one's."""
        for (block, table), (rows, checksum) in other.items():
            self.add(block, table, sign * rows, sign * checksum)

    def items(self) -> Iterator[tuple[tuple[int, str], tuple[int, int]]]:
        """((block, table), (rows, checksum)), each once."""
        return iter(self._found.items())

    def get(self, block: int, table: str) -> tuple[int, int]:
        """Rows and checksum; zeros where there are none."""
        return self._found.get((block, table), (0, 0))

    def __iter__(self) -> Iterator[tuple[int, str]]:
        """The (block, table) that have rows."""
        return iter(self._found)

    def of(self, tables: Iterable[str]) -> Sums:
        """The entries of some tables."""
        wanted = set(tables)
        return Sums({key: value for key, value in self._found.items() if key[1] in wanted})

    def __bool__(self) -> bool:
        return bool(self._found)


@dataclass(frozen=True)
class _Layout:
    """A table as it is hashed.

    :ivar types: transfer types by column, as declared; 0 where none is declared
    :ivar declaration: the statement that makes it
    """

    table: str
    types: Mapping[str, int]
    declaration: str

    @classmethod
    def of(cls, db: Database, table: str) -> _Layout:
        return cls(table, db.declared_types(table), declaration(db, table, ()))

    @property
    def event(self) -> str | None:
        """The column with the events' ids."""
        return "event_id" if self.types.get("event_id") == INT64 else None

    @cached_property
    def expressions(self) -> tuple[str, list[int]]:
        """What to select, and its types: a column without declared type as three, one for each type of a value."""
        found: list[tuple[str, int]] = []
        for column, kind in self.types.items():
            name = quote_identifier(column)
            if kind:
                found.append((f"{name} AS event_id" if column == self.event else name, kind))
                continue
            for code, value, when in (
                (INT64, name, "= 'integer'"),
                (FLOAT64, name, "= 'real'"),
                (TEXT, f"iif(typeof({name}) = 'blob', hex({name}), {name})", "IN ('text', 'blob')"),
            ):
                found.append((f"iif(typeof({name}) {when}, {value}, NULL)", code))
        names = [name if name.endswith(" AS event_id") else f"{name} AS c{i}" for i, (name, _) in enumerate(found)]
        return ", ".join(names), [kind for _, kind in found]

    def as_stored(self, columns: Columns) -> bool:
        """Whether SQLite stores the columns as they are: those that are declared, in their order, of their types."""
        return list(columns) == list(self.types) and all(
            kind and (kind == type_of(columns.raw(name)) or null_count(columns.raw(name)) == columns.rows)
            for name, kind in self.types.items()
        )

    def hashed(self, columns: Columns) -> Sums:
        sums = Sums()
        for block, rows, checksum in block_checksums(self.table, columns, self.event):
            sums.add(block, self.table, rows, checksum)
        return sums

    def read(self, db: Database) -> Iterator[Columns]:
        """The table's rows, some at a time, as they are hashed.

        :raises SqlError: SQLite cannot read it
        :raises DataError: a value is not of its column's type
        """
        names, types = self.expressions
        table = quote_identifier(self.table)
        if not (keys := _keys(db, self.table)):
            yield db.columns(f"SELECT {names} FROM {table}", (), types)
            return
        key = ", ".join(keys)
        last: Sequence[Any] | None = None
        while True:
            after = f"WHERE ({key}) > ({', '.join('?' * len(keys))})" if last is not None else ""
            end = db.execute(
                f"SELECT {key} FROM {table} {after} ORDER BY {key} LIMIT 1 OFFSET {ROWS - 1}", last or ()
            ).fetchone()
            until = f"{'AND' if after else 'WHERE'} ({key}) <= ({', '.join('?' * len(keys))})" if end else ""
            yield db.columns(f"SELECT {names} FROM {table} {after} {until}", [*(last or ()), *(end or ())], types)
            if end is None:
                return
            if last is not None and tuple(end) <= tuple(last):
                raise SqlError(f"the rows of {self.table} are not in the order of their keys")
            last = end


def _keys(db: Database, table: str) -> list[str]:
    """Columns by whose ranges SQLite finds rows: the rowid, or the primary key of a table without one."""
    row = db.execute("SELECT wr FROM pragma_table_list(?) WHERE schema = 'main'", (table,)).fetchone()
    if row and row[0]:
        found = db.execute("SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", (table,))
        return [quote_identifier(str(name)) for (name,) in found]
    taken = {name.lower() for name in db.declared_types(table)}
    return [name for name in ("rowid", "_rowid_", "oid") if name not in taken][:1]


class Hasher:
    """Computes checksums of rows as a file with these tables stores them.

    :param declared: a database in which the tables are declared
    """

    def __init__(self, declared: Database) -> None:
        self._declared = declared
        self._layouts: dict[str, _Layout] = {}
        self._trial: Database | None = None

    def of(self, table: str, columns: Columns) -> Sums:
        """The checksums of rows before they are stored.

        What SQLite would convert on the way (an integer in a column of type REAL, a column that is left out) is put
        through a table in memory first.
        """
        layout = self._layout(table)
        if not columns.rows:
            return Sums()
        if layout.as_stored(columns):
            return layout.hashed(columns)
        db = self._trial = self._trial or Database()
        with db.atomic():
            db.execute(layout.declaration)
            db.insert(table, columns)
            sums = self._read(layout, db)
            db.execute(f"DROP TABLE {quote_identifier(table)}")
        return sums

    def stored(self, db: Database, table: str) -> Sums:
        """The checksums of a table as it is in a file.

        :raises SqlError: SQLite cannot read it
        :raises DataError: a value is not of its column's type
        """
        if table == SCHEMA:
            columns = db.columns(_SCHEMA_ROWS, (), [TEXT] * 4)
            return _Layout(SCHEMA, dict.fromkeys(columns, TEXT), "").hashed(columns)
        return self._read(self._layout(table), db)

    def replaces_rows(self, table: str) -> bool:
        """Whether inserting a row may do something to another one, as the table's declaration says."""
        return bool(_CONFLICT.search(self._layout(table).declaration))

    def columns(self, table: str, rows: Sequence[Sequence[Any]]) -> Columns:
        """Rows of plain values as columns."""
        return Columns(dict(zip(self._layout(table).types, map(list, zip(*rows)))))

    def _layout(self, table: str) -> _Layout:
        if table not in self._layouts:
            self._layouts[table] = _Layout.of(self._declared, table)
        return self._layouts[table]

    @staticmethod
    def _read(layout: _Layout, db: Database) -> Sums:
        sums = Sums()
        for columns in layout.read(db):
            sums.update(layout.hashed(columns))
        return sums


def has_checksums(db: Database) -> bool:
    """Whether a file has checksums, or should have: the mark in its header is beside the table."""
    (version,) = db.execute("PRAGMA user_version").fetchone() or (0,)
    return TABLE in db.tables() or bool(version)


def stored_sums(db: Database, block: int | None = None) -> Sums:
    """What the table Checksums says.

    :param block: of this block alone
    :raises SqlError: it cannot be read
    """
    query = f"SELECT block, name, rows, checksum FROM {TABLE}" + ("" if block is None else " WHERE block = ?")
    sums = Sums()
    for number, table, rows, checksum in db.execute(query, () if block is None else (block,)):
        if not (isinstance(number, int) and isinstance(rows, int) and isinstance(checksum, int)):
            raise SqlError(f"The table {TABLE} holds {(number, table, rows, checksum)} where integers belong.")
        sums.add(number, str(table), rows, checksum)
    return sums


assert EVENTS_PER_BLOCK * ROWS_PER_EVENT == 10**9  # as src/columns/checksums.cpp has it
