"""A batch: the events that go through the steps together, and what a step may do with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, SupportsInt

import numpy as np

from sqlamarr.database.connection import Database, Parameters, quote_identifier
from sqlamarr.database.working_tables import ColumnTables
from sqlamarr.errors import DataError
from sqlamarr.events.counters import Counters
from sqlamarr.native.columns import FLOAT64, INT64, TEXT, Columns, ReadOnlyColumns
from sqlamarr.native.random import Random, active, stream_key


@dataclass
class Batch:
    """Some whole events in an in-memory database.

    Steps read and write through it. Everything in the tables depends on the row and its event alone, so
    that an event gives the same rows whatever else is in the batch.

    :ivar db: the database that holds the batch's rows and no others
    :ivar conditions: the pipeline's conditions, e.g. ``{"period": 2016}``
    :ivar seed: the run's seed; steps call :meth:`rng` instead of using it
    :ivar counts: counters, summed over the run and shown in its summary; see :meth:`count`
    :ivar outside: number of rows outside the range that a model is meant for, by step and input
    :ivar notes: sentences to be shown once at the end of the run
    :ivar tables: the tables of ``db`` that are columns in memory; None if there are none
    :ivar names: prefix of the names of random numbers
    :ivar complete: the columns that must be given when a table is written, by table
    """

    db: Database
    conditions: Mapping[str, Any]
    seed: int
    counts: Counters = field(default_factory=Counters)
    outside: Counter[tuple[str, str]] = field(default_factory=Counter)
    notes: set[str] = field(default_factory=set)
    tables: ColumnTables | None = None
    names: str = ""
    complete: Mapping[str, Collection[str]] = field(default_factory=dict)
    _cache: dict[str, Columns] = field(default_factory=dict)
    _seen: int = -1  # the connection's count of changed rows when the cache was last valid

    def rng(self, name: str) -> Random:
        """Return the random numbers of one step or source, by its unique name; see :mod:`sqlamarr.native.random`."""
        return Random(stream_key(self.seed, self.names + name))

    def random_functions(self, name: str) -> active:
        """Let ``uniform_at`` and the other random functions draw from the stream ``name`` within the block."""
        return active(self.db.connection.sqlite3_pointer(), stream_key(self.seed, self.names + name))

    def within(self, step: str, complete: Mapping[str, Collection[str]]) -> Batch:
        """Return the same batch for user code, which may serve several steps.

        :param step: the step whose name its random numbers are keyed by
        :param complete: the columns that it must write, by table
        """
        return replace(self, names=f"{self.names}{step}\0", complete=complete)

    def columns(self, table: str) -> Columns:
        """Return a table's columns, from memory if the table was last written through this object.

        :returns: read-only arrays, which may be the table itself
        """
        if self.tables is not None and table in self.tables:
            return ReadOnlyColumns(self.tables.columns(table))
        if self.db.connection.total_changes() != self._seen:
            self.forget()  # the database was written without going through this object
        if table not in self._cache:
            self._cache[table] = self.db.read_table(table)
        return ReadOnlyColumns(self._cache[table])

    def write(self, table: str, columns: Mapping[str, Any]) -> None:
        """Insert rows into a table, and cache them if reading the table back would give the same columns.

        :param columns: arrays of equal length by column name
        :raises DataError: a required column is missing
        """
        if missing := [name for name in self.complete.get(table, ()) if name not in columns]:
            raise DataError(
                f"Table {table!r} is written without its column {', '.join(missing)}. Give it, with NaN or None "
                "where it does not apply, or declare the table without it."
            )
        if self.tables is not None and table in self.tables:
            self.tables.append(table, columns)
            return
        with self._writing(table):
            is_empty = self.db.execute(f"SELECT 1 FROM {quote_identifier(table)} LIMIT 1").fetchone() is None
            self.db.insert(table, columns)
        if is_empty and isinstance(columns, Columns) and _as_stored(columns, self.db.declared_types(table)):
            self._cache[table] = columns

    def replace(self, table: str, columns: Mapping[str, Any]) -> None:
        """Replace all rows of a table by these; see :meth:`write`."""
        if self.tables is not None and table in self.tables:
            self.tables.replace(table, columns)
            return
        self.change(table, f"DELETE FROM {quote_identifier(table)}")
        self.write(table, columns)

    def change(self, table: str, sql: str, parameters: Parameters = ()) -> None:
        """Run a statement that writes this table and no other."""
        with self._writing(table):
            self.db.rows(sql, parameters)

    def execute(self, sql: str, parameters: Parameters = ()) -> None:
        """Run statements that may write any table."""
        self.db.rows(sql, parameters)

    @contextmanager
    def _writing(self, table: str) -> Iterator[None]:
        if self.db.connection.total_changes() != self._seen:
            self.forget()
        self.forget(table)
        try:
            yield
        finally:
            self._seen = self.db.connection.total_changes()

    def forget(self, table: str | None = None) -> None:
        """Drop the cached columns of one table, or of all tables."""
        if table is None:
            self._cache.clear()
            self._seen = self.db.connection.total_changes()
        else:
            self._cache.pop(table, None)

    def count(self, key: str, number: SupportsInt = 1, text: str = "") -> None:
        """Add to a counter of the run's summary.

        :param key: a name for programs, such as ``lost_tracks``
        :param text: what is counted, as shown to people; default: the key
        """
        self.counts.add(key, number, text)


def _as_stored(columns: Columns, declared: Mapping[str, int]) -> bool:
    """Return whether the table would be read back as these columns: same types, and rows by ascending id."""
    kinds = {"i": INT64, "f": FLOAT64, "O": TEXT}
    if {name: kinds[array.dtype.kind] for name, array in columns.items()} != dict(declared):
        return False
    ids = next(iter(columns.values()))
    return not np.ma.isMA(ids) and ids.dtype.kind == "i" and bool(np.all(ids[1:] > ids[:-1]))
