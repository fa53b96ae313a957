"""Finished tables as an SQLite database in memory, from which a file copies rows without decoding them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sqlamarr.database.connection import Database, quote_identifier
from sqlamarr.database.working_tables import TYPE_NAMES
from sqlamarr.native.columns import INT64, Columns, type_of
from sqlamarr.native.library import check, ffi, lib

SCHEMA = "batch"  # name under which an image is attached
LARGEST = 1 << 30  # bytes of an image, see src/page_images/image.cpp
MOST_KEPT = 256 << 20  # bytes of memory kept for the next image


@dataclass(frozen=True)
class Image:
    """The rows of some tables.

    :ivar data: content of an SQLite database file
    :ivar rows: number of rows by table
    """

    data: NDArray[np.uint8]
    rows: Mapping[str, int]


class ImageMaker:
    """Makes images of the tables whose rows have an id.

    :param declared: a database in which the tables are declared
    :param tables: the requested tables; of these, :attr:`tables` can be in an image
    """

    def __init__(self, declared: Database, tables: Iterable[str]) -> None:
        self._declarations = {table: found for table in tables if (found := _Declaration.of(declared, table))}
        self._memory = np.empty(0, np.uint8)

    @property
    def tables(self) -> list[str]:
        """Tables with an integer id and no other key: SQLite keeps others in two B-trees and checks every row."""
        return list(self._declarations)

    def make(self, tables: Mapping[str, Columns]) -> tuple[Image | None, dict[str, Columns]]:
        """Make an image of the tables that can be in one, and return the others as they are."""
        fit = [name for name, columns in tables.items() if self._fits(name, columns)]
        image = self._make({name: tables[name] for name in fit}) if fit else None
        kept = {} if image is None else image.rows
        return image, {name: columns for name, columns in tables.items() if name not in kept}

    def _fits(self, table: str, columns: Columns) -> bool:
        return table in self._declarations and columns.rows > 0 and self._declarations[table].fits(columns)

    def _make(self, tables: Mapping[str, Columns]) -> Image | None:
        keep: list[Any] = []
        views = ffi.new("sqlamarr_image_table[]", len(tables))
        for view, (name, columns) in zip(views, tables.items()):
            self._declarations[name].fill(view, columns, keep)
        capacity = lib.sqlamarr_image_bound(views, len(tables))
        data = self._room(capacity)
        written, size = ffi.new("uint8_t[]", len(tables)), ffi.new("int64_t *")
        check(lib.sqlamarr_image_make(views, len(tables), ffi.from_buffer("uint8_t[]", data), capacity, written, size))
        rows = {name: columns.rows for done, (name, columns) in zip(written, tables.items()) if done}
        return Image(data[: size[0]], rows) if rows else None

    def _room(self, capacity: int) -> NDArray[np.uint8]:
        """Memory that is not in use: that of the last image if it is gone, as the system must zero new memory.

        Bytes of earlier images may remain between the rows of an image.
        """
        if capacity > MOST_KEPT:
            return np.empty(capacity, np.uint8)
        ours = 2  # references: the attribute, and the argument below
        fits = capacity <= len(self._memory) <= 4 * capacity  # a large batch's memory is not kept for ever
        if not fits or sys.getrefcount(self._memory) > ours:
            self._memory = np.empty(capacity, np.uint8)
        return self._memory


@dataclass(frozen=True)
class _Declaration:
    """What an image says about a table: as much as SQLite compares before it copies rows unchanged."""

    name: Any
    sql: Any
    required: Any
    key: int
    types: Mapping[str, int]

    @classmethod
    def of(cls, db: Database, table: str) -> _Declaration | None:
        """Make one from a table; None if the table has a key other than an integer id."""
        info = db.execute('SELECT name, type, "notnull", pk FROM pragma_table_info(?)', (table,)).fetchall()
        (indexes,) = db.execute("SELECT count(*) FROM pragma_index_list(?)", (table,)).fetchone() or (0,)
        (generated,) = db.execute("SELECT count(*) FROM pragma_table_xinfo(?)", (table,)).fetchone() or (0,)
        keys = [place for place, row in enumerate(info) if row[3]]
        types = [{name: kind for kind, name in TYPE_NAMES.items()}.get(str(row[1]).upper()) for row in info]
        if indexes or generated != len(info) or len(keys) != 1 or types[keys[0]] != INT64 or None in types:
            return None
        columns = [
            f"{quote_identifier(str(name))} {kind}{' PRIMARY KEY' * bool(pk)}{' NOT NULL' * bool(filled)}"
            for name, kind, filled, pk in info
        ]
        sql = f"CREATE TABLE {quote_identifier(table)} ({', '.join(columns)})"
        c_name, c_sql = ffi.new("char[]", table.encode()), ffi.new("char[]", sql.encode())
        required = ffi.new("uint8_t[]", [int(bool(row[2] or row[3])) for row in info])
        return cls(c_name, c_sql, required, keys[0], {str(row[0]): kind for row, kind in zip(info, types) if kind})

    def fits(self, columns: Columns) -> bool:
        """Whether the columns are the declared ones, in this order and with these types."""
        return [(name, type_of(columns.raw(name))) for name in columns] == list(self.types.items())

    def fill(self, view: Any, columns: Columns, keep: list[Any]) -> None:
        """Fill in the C structure."""
        native, buffers = columns.native()
        keep += [native, buffers]
        view.name, view.sql, view.required, view.key = self.name, self.sql, self.required, self.key
        view.columns, view.n_columns, view.rows = native, len(columns), columns.rows


@contextmanager
def attached(db: Database, image: Image | None) -> Iterator[None]:
    """Attach the tables of an image, if there is one, to ``db`` within the block, as the schema SCHEMA."""
    if image is None:
        yield
        return
    db.execute(f"ATTACH ':memory:' AS {SCHEMA}")
    try:
        data = ffi.from_buffer("uint8_t[]", image.data)
        check(lib.sqlamarr_image_show(db.pointer, SCHEMA.encode(), data, len(data)))
        db.execute(f"PRAGMA {SCHEMA}.mmap_size = {LARGEST}")  # its pages are read where they are
        yield
    finally:
        db.execute(f"DETACH {SCHEMA}")


def take_over(db: Database, image: Image | None) -> None:
    """Insert the rows of an image that is attached."""
    for table in image.rows if image else ():
        name = quote_identifier(table)
        db.execute(f"INSERT INTO main.{name} SELECT * FROM {SCHEMA}.{name}")
