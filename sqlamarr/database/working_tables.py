"""Column tables: SQL reads what a step has produced in place, without a copy or a B-tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from sqlamarr.checking.wording import counted
from sqlamarr.database.connection import Database, quote_identifier
from sqlamarr.database.sql_errors import SAME_KEY
from sqlamarr.errors import DataError, SqlError
from sqlamarr.native.columns import FLOAT64, INT64, TEXT, Array, Columns, Text, concatenate, null_count
from sqlamarr.native.library import check, lib

TYPE_NAMES = {INT64: "INTEGER", FLOAT64: "REAL", TEXT: "TEXT"}


@dataclass
class _Table:
    """A table's declaration and its current rows.

    :ivar types: transfer type by column name, the first column first
    :ivar key: columns whose values together are unique
    :ivar required: columns without NULL
    :ivar content: the rows
    """

    types: Mapping[str, int]
    key: tuple[str, ...]
    required: frozenset[str]
    content: Columns = field(default_factory=Columns)
    keep: list[Any] = field(default_factory=list)  # the buffers that SQLite reads

    @cached_property
    def empty(self) -> tuple[Columns, Any, list[Any]]:
        """No rows, as arrays and in C; every batch starts and ends with this."""
        columns = Columns({name: _nulls(kind, 0) for name, kind in self.types.items()})
        return columns, *columns.native()

    @property
    def ascending(self) -> bool:
        """Whether the rows are in the order of an integer id, as in SQLite's own tables."""
        return list(self.key) == list(self.types)[:1] and self.types[self.key[0]] == INT64


class ColumnTables:
    """The column tables of a database; SQL can read them, and steps write whole columns.

    :param db: the database that contains them
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._tables: dict[str, _Table] = {}

    def __contains__(self, table: str) -> bool:
        return table in self._tables

    def create(self, table: str, types: Mapping[str, int], key: Iterable[str], required: Iterable[str]) -> None:
        """Create an empty table.

        :param types: INT64, FLOAT64 or TEXT by column name
        :param key: columns whose values together are unique
        :param required: columns without NULL
        """
        made = _Table(dict(types), tuple(key), frozenset(required))
        declared = [f"{quote_identifier(name)} {TYPE_NAMES[kind]}" for name, kind in types.items()]
        words = ", ".join(["ascending"] * made.ascending + declared)
        self._db.execute(f"CREATE VIRTUAL TABLE {quote_identifier(table)} USING sqlamarr_table({words})")
        self._tables[table] = made
        self._show(table, *made.empty)

    def columns(self, table: str) -> Columns:
        """All columns of a table, in the order in which SQL sees the rows."""
        return self._tables[table].content

    def append(self, table: str, columns: Mapping[str, Any]) -> None:
        """Add rows; columns that are not given are NULL.

        :raises SqlError: an unknown column or a duplicate key
        :raises DataError: a NULL where none is allowed, or a value of the wrong type
        """
        made = self._tables[table]
        rows = _fit(table, made, columns if isinstance(columns, Columns) else Columns(columns))
        if rows.rows:
            rows = concatenate([made.content, rows]) if made.content.rows else rows
            rows = _in_order(table, made, rows)
            self._show(table, rows, *rows.native())

    def replace(self, table: str, columns: Mapping[str, Any]) -> None:
        """Replace all rows of a table by these; see :meth:`append`."""
        self._show(table, *self._tables[table].empty)
        self.append(table, columns)

    def clear(self) -> None:
        """Empty every table."""
        for table, made in self._tables.items():
            if made.content.rows:
                self._show(table, *made.empty)

    def _show(self, table: str, content: Columns, views: Any, keep: list[Any]) -> None:
        made = self._tables[table]
        check(lib.sqlamarr_table_set(self._db.pointer, table.encode(), views, len(content), content.rows))
        made.content, made.keep = content, keep


def _fit(table: str, made: _Table, given: Columns) -> Columns:
    """The rows with all columns of the table, in its order and with its types."""
    if unknown := [name for name in given if name not in made.types]:
        raise SqlError(f"table {table} has no column named {', '.join(unknown)}; it has: {', '.join(made.types)}")
    fitted = {}
    for name, kind in made.types.items():
        try:
            values = _convert(given.raw(name), kind) if name in given else _nulls(kind, given.rows)
        except ValueError as error:
            raise DataError(f'Table "{table}", column "{name}": expected {TYPE_NAMES[kind]}, found {error}.') from None
        if name in made.required and (n := null_count(values)):
            what = "the key column" if name in made.key else "the column"
            raise DataError(f'Table "{table}": {what} {name} is NULL in {counted(n, "row")}.')
        fitted[name] = values
    return Columns.of(fitted)


def _convert(values: Array | Text, kind: int) -> Array | Text:
    """Convert values to a column of this type by SQLite's rules.

    :raises ValueError: they do not fit; the message says what they are
    """
    if isinstance(values, Text) or values.dtype == object:
        if kind != TEXT and null_count(values) < len(values):
            raise ValueError("text")
        text = values if isinstance(values, Text) else Text.encode(values)
        return text if kind == TEXT else _nulls(kind, len(values))
    if kind == TEXT:
        if null_count(values) < len(values):
            raise ValueError("a number")
        return _nulls(kind, len(values))
    if kind == FLOAT64:
        if values.dtype == np.float64:
            return values
        real: Array = np.ma.filled(values.astype(np.float64), np.nan)
        return real
    return values if values.dtype == np.int64 else _integers(values)


def _integers(values: Array) -> Array:
    """Convert whole numbers that are floats to integers; NaN becomes NULL."""
    missing = np.isnan(values)
    whole = np.where(missing, 0.0, values)
    if not bool(((whole == np.floor(whole)) & (np.abs(whole) < 2.0**63)).all()):
        raise ValueError("a REAL with a fraction")
    integers = whole.astype(np.int64)
    return np.ma.MaskedArray(integers, mask=missing) if missing.any() else integers


def _nulls(kind: int, rows: int) -> Array | Text:
    if kind == FLOAT64:
        return np.full(rows, np.nan)
    if kind == TEXT:
        return Text(np.empty(0, np.uint8), np.zeros(rows + 1, np.int64), np.ones(rows, np.bool_))
    return np.ma.MaskedArray(np.zeros(rows, np.int64), mask=np.ones(rows, np.bool_))


def _in_order(table: str, made: _Table, rows: Columns) -> Columns:
    """Sort the rows by their id, the first column of the key, and refuse duplicate keys."""
    if rows.rows < 2 or not made.key:
        return rows
    ids = rows.raw(made.key[0])
    if not isinstance(ids, Text):
        values = np.ma.getdata(ids)
        if not bool((values[1:] >= values[:-1]).all()):
            rows = rows.take(np.argsort(values, kind="stable"))
    if _repeats([rows.raw(name) for name in made.key]):
        columns = ", ".join(f"{table}.{name}" for name in made.key)
        raise SqlError(f"UNIQUE constraint failed: {columns}; {SAME_KEY}")
    return rows


def _repeats(key: Sequence[Array | Text]) -> bool:
    """Whether two rows have the same key. Texts are compared by hash, and in full only if the hashes agree."""
    columns = [values if isinstance(values, Text) else np.ma.getdata(values) for values in key]
    if not _agree(columns):
        return False
    if not any(isinstance(values, Text) for values in columns):
        return True
    # The same text twice, or texts with the same hash, which may lie between two equal ones.
    rows = [values.decode().tolist() if isinstance(values, Text) else values.tolist() for values in columns]
    return len(set(zip(*rows))) < len(rows[0])


def _agree(columns: Sequence[Array | Text]) -> bool:
    """Whether two rows agree in their numbers and in the hashes of their texts."""
    ids = columns[0]
    if not isinstance(ids, Text):  # ascending: an id may have several rows, one or two in most tables
        same = ids[1:] == ids[:-1]
        if len(columns) == 1 or not bool((same[1:] & same[:-1]).any()):
            return _neighbours_agree(columns[1:], np.flatnonzero(same))
    codes = [values.hashes() if isinstance(values, Text) else values for values in columns]
    order = np.lexsort(codes[::-1])
    same = np.ones(max(len(order) - 1, 0), np.bool_)
    for code in codes:
        same &= code[order[:-1]] == code[order[1:]]
    return bool(same.any())


def _neighbours_agree(columns: Sequence[Array | Text], first: Array) -> bool:
    """Whether one of these rows agrees with the next one; texts are hashed only where their lengths agree."""
    for values in columns:
        if isinstance(values, Text):
            lengths = np.diff(values.offsets)
            first = first[lengths[first] == lengths[first + 1]]
            if len(first):
                first = first[values.take(first).hashes() == values.take(first + 1).hashes()]
        else:
            first = first[values[first] == values[first + 1]]
    return len(first) > 0
