"""A table, view or query read in pieces of whole events, in bounded memory and linear time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from sqlamarr.database.connection import Database, quote_identifier
from sqlamarr.errors import DataError
from sqlamarr.events.event import ROWS_PER_EVENT
from sqlamarr.native.columns import Array, Columns

ROWS = 100_000  # approximate number of rows of a piece: events are not split

Range = tuple[int, int]  # first event_id, and the one after the last

_numbers = itertools.count()


@dataclass
class Reader:
    """Reads rows of chosen events from a table or view, quickly wherever its keys follow those of the events.

    The id of a row is its event's id plus the row's position in the event, so a range of events is a range of keys.
    The rows of a view or table without such a key are copied once into a temporary table with an index.

    :param db: the database
    :param name: a table or view
    :param types: the columns to read, with their transfer types
    :param where: an SQL condition on its rows; empty for all rows
    """

    db: Database
    name: str
    types: dict[str, int]
    where: str = ""
    rows: int = field(init=False)
    by_event: bool = field(init=False)
    _source: str = field(init=False)
    _key: str = field(init=False, default="")
    _order: str = field(init=False, default="")

    def __post_init__(self) -> None:
        self._source = f"SELECT * FROM {quote_identifier(self.name)}" + (
            f" WHERE ({self.where}\n)" if self.where else ""
        )
        origins = self.db.origins(self._source)
        self._order = order_by(self.db, self.name)
        self.by_event = "event_id" in origins
        if not self.by_event or not self._find_key(list(origins)):
            self._copy(set(origins))
        row = self.db.execute(f"SELECT count(*) FROM ({self._source})").fetchone()
        self.rows = int(row[0]) if row else 0

    def read(self, events: Range | None = None) -> Columns:
        """Read the rows of a range of events, or all rows."""
        names = ", ".join(map(quote_identifier, self.types))
        query = f"SELECT {names} FROM ({self._source})"
        if events is None:
            return self.db.columns(query + self._order, types=list(self.types.values()))
        query += " WHERE event_id >= ?1 AND event_id < ?2"
        if self._key:
            query += f" AND {self._key} >= ?1 AND {self._key} < ?2"
        return self.db.columns(query + self._order, events, list(self.types.values()))

    def pieces(self, size: int = ROWS) -> Iterator[tuple[Range | None, Columns]]:
        """Yield all rows, about ``size`` at a time, with the range of their events; at least one piece, possibly empty.

        :raises DataError: some rows belong to no event in the table Events
        """
        if self.by_event:
            seen = 0
            for events in event_ranges(self.db, self.rows, size):
                columns = self.read(events)
                seen += columns.rows
                yield events, columns
            self.check_complete(seen)
            return
        for start in range(0, max(self.rows, 1), size):  # the copy's own rowids count from 1
            names = ", ".join(map(quote_identifier, self.types))
            query = f"SELECT {names} FROM ({self._source}) WHERE {self._key} > ? AND {self._key} <= ?"
            yield None, self.db.columns(query, (start, start + size), list(self.types.values()))

    def check_complete(self, seen: int) -> None:
        """Make sure that the ranges of events contained all rows.

        :raises DataError: some rows belong to no event in the table Events
        """
        if seen != self.rows:
            raise DataError(
                f"{self.name}: {self.rows - seen} of {self.rows} rows have an event_id that is not in the table Events."
            )

    def _find_key(self, names: list[str]) -> bool:
        """Look for a column that SQLite searches by an index, and whose values follow the events' ids."""
        for name in names:
            quoted = quote_identifier(name)
            plan = self.db.execute(
                f"EXPLAIN QUERY PLAN SELECT * FROM ({self._source}) WHERE {quoted} >= ?1 AND {quoted} < ?2", (0, 1)
            ).fetchall()
            steps = [str(step[3]) for step in plan]
            if not any(">? AND" in step and "<?" in step for step in steps) or any("SCAN" in step for step in steps):
                continue
            stray = self.db.execute(
                f"SELECT EXISTS (SELECT 1 FROM ({self._source}) WHERE {quoted} IS NULL OR event_id IS NULL "
                f"OR {quoted} < event_id OR {quoted} >= event_id + {ROWS_PER_EVENT})"
            ).fetchone()
            if stray is not None and not stray[0]:
                self._key = quoted
                return True
        return False

    def _copy(self, names: set[str]) -> None:
        self._order = ""
        copy = f"temp.sqlamarr_copy_{next(_numbers)}"
        wanted = ", ".join(map(quote_identifier, dict.fromkeys([*self.types, *({"event_id"} & names)])))
        self.db.execute(f"CREATE TABLE {copy} AS SELECT {wanted} FROM ({self._source}{order_by(self.db, self.name)})")
        if self.by_event:
            self.db.execute(f"CREATE INDEX {copy}_events ON {copy.removeprefix('temp.')} (event_id)")
            self._source = f"SELECT * FROM {copy}"
        else:
            self._source, self._key = f"SELECT rowid AS sqlamarr_row, * FROM {copy}", "sqlamarr_row"


def order_by(db: Database, name: str) -> str:
    """The ORDER BY clause for a table's primary key; empty for views and for tables without one."""
    keys = db.execute("SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", (name,)).fetchall()
    return " ORDER BY " + ", ".join(quote_identifier(str(key)) for (key,) in keys) if keys else ""


def event_ranges(db: Database, rows: int, size: int = ROWS) -> list[Range]:
    """Ranges of event ids that cover all events, with about ``size`` of ``rows`` rows in each; at least one."""
    ids = np.asarray(db.columns("SELECT event_id FROM Events ORDER BY event_id")["event_id"], dtype=np.int64)
    if not len(ids):
        return [(0, 1)]
    step = max(1, len(ids) * size // max(rows, len(ids)))
    edges = [*(int(first) for first in ids[::step]), int(ids[-1]) + ROWS_PER_EVENT]
    return list(itertools.pairwise(edges))


def in_event_order(event_ids: Array, columns: Columns) -> dict[str, Array]:
    """The columns with their rows sorted by event, otherwise in the same order."""
    if np.all(event_ids[1:] >= event_ids[:-1]):
        return dict(columns)
    order = np.argsort(event_ids, kind="stable")
    return {name: values[order] for name, values in columns.items()}


def counts(event_ids: Array, events: Sequence[int] | Array) -> Array:
    """The number of rows for each of the ``events``; both arrays are ascending."""
    return np.searchsorted(event_ids, events, "right") - np.searchsorted(event_ids, events, "left")
