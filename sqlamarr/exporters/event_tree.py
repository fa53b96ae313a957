"""The tree whose entries are the events: a list for every table, with the positions of related rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from sqlamarr.database.connection import Database, quote_identifier
from sqlamarr.exporters.events import EventNumbers
from sqlamarr.exporters.nulls import marked
from sqlamarr.exporters.options import ExportOptions
from sqlamarr.exporters.trees import EntryBlock, Group, Shape
from sqlamarr.native.columns import INT64, TEXT, Array
from sqlamarr.output.tables.description import Column, TableDescription, describe
from sqlamarr.output.tables.event_blocks import Range, Reader, counts, event_ranges, in_event_order

MAX_CODES = 100  # different texts that are written as codes
NO_INDEX = -1

_ALONE = ("Events", "RejectedEvents", "DataSources")  # not about the rows of an event


class EventTree:
    """Every simulated event as an entry, in order, even if nothing was reconstructed.

    A table with one row per event gives plain branches (``RecSummary_nPVs``), any other a list. If a column refers
    to another table of the tree, ``..._idx`` is the position in that table's list, -1 for none.

    :param null_integer: the number that stands for NULL in integer columns of a format that also lacks lists of texts;
    None if the format supports both
    :ivar notes: what is not in the tree, and why
    """

    def __init__(
        self,
        db: Database,
        tables: tuple[str, ...],
        numbers: EventNumbers,
        options: ExportOptions,
        null_integer: int | None,
    ) -> None:
        self._db, self._numbers, self._options = db, numbers, options
        self.notes: list[str] = []
        described = [describe(db, name) for name in tables if name not in _ALONE]
        chosen = [description for description in described if self._usable(description)]
        self._parts = [_Part.of(db, description, chosen, null_integer) for description in chosen]
        event_id = Column("event_id", INT64, doc="id of the event", nullable=False)
        scalars = {"event_id": event_id, **numbers.columns}
        for part in self._single:
            scalars |= {f"{part.name}_{name}": replace(c, name=f"{part.name}_{name}") for name, c in part.shown.items()}
        self.shape = Shape("reconstructed events", scalars, {part.name: part.shown for part in self._many})

    @property
    def _single(self) -> list[_Part]:
        return [part for part in self._parts if part.description.per_event]

    @property
    def _many(self) -> list[_Part]:
        return [part for part in self._parts if not part.description.per_event]

    def _usable(self, description: TableDescription) -> bool:
        """The tables of the tree. Views repeat the content of tables and are included only on request."""
        if description.is_view and description.name not in self._options.tables:
            return False
        if "event_id" not in description.columns:
            self.notes.append(f"{description.name} has no column event_id and is not in the event tree.")
            return False
        return True

    def pieces(self) -> Iterator[EntryBlock]:
        """Some events at a time.

        :raises DataError: rows belong to no simulated event
        """
        seen = dict.fromkeys((part.name for part in self._parts), 0)
        largest = max((part.reader.rows for part in self._parts), default=0)
        for events in event_ranges(self._db, largest, self._options.rows):
            numbers = self._numbers.read(events)
            simulated = numbers.pop("status") == "simulated"
            numbers = {name: values[simulated] for name, values in numbers.items()}
            ids = numbers["event_id"]
            read = {part.name: part.read(events) for part in self._parts}
            per_event = {name: counts(columns["event_id"], ids) for name, columns in read.items()}
            for name, rows in per_event.items():
                seen[name] += int(rows.sum())
            scalars = {**numbers, **self._scalars(read, per_event)}
            groups = {part.name: self._group(part, read, per_event) for part in self._many}
            yield EntryBlock(sum(len(columns["event_id"]) for columns in read.values()), len(ids), scalars, groups)
        for part in self._parts:
            part.reader.check_complete(seen[part.name])

    def _group(self, part: _Part, read: Mapping[str, Mapping[str, Array]], per_event: Mapping[str, Array]) -> Group:
        columns = {name: part.coded(name, values) for name, values in read[part.name].items()}
        for index, (column, parent, key) in part.indices.items():
            columns[index] = places(
                columns[column], np.ma.getdata(read[parent][key]), per_event[part.name], per_event[parent]
            )
        return per_event[part.name], columns

    def _scalars(self, read: Mapping[str, Mapping[str, Array]], per_event: Mapping[str, Array]) -> dict[str, Array]:
        """Values of the tables with one row per event; NULL for events without a row."""
        found: dict[str, Array] = {}
        for part in self._single:
            have = per_event[part.name].astype(bool)
            place = np.cumsum(per_event[part.name]) - 1
            for name in part.shown:
                values = read[part.name][name]
                found[f"{part.name}_{name}"] = _spread(values, place, have)
        return found


@dataclass(frozen=True)
class _Part:
    """A table in the tree."""

    description: TableDescription
    reader: Reader
    shown: dict[str, Column]
    codes: dict[str, list[str]] = field(default_factory=dict)  # of text columns that are written as numbers
    indices: dict[str, tuple[str, str, str]] = field(default_factory=dict)  # name: (column, table, its key)

    @property
    def name(self) -> str:
        return self.description.name

    @classmethod
    def of(
        cls, db: Database, description: TableDescription, chosen: list[TableDescription], null_integer: int | None
    ) -> _Part:
        columns = {name: column for name, column in description.columns.items() if name != "event_id"}
        reader = Reader(db, description.name, {name: c.type for name, c in description.columns.items()})
        codes: dict[str, list[str]] = {}
        if null_integer is not None:
            columns = marked(db, description.name, columns, null_integer)
            if not description.per_event:
                codes = _codes(db, description)
                columns = {name: _as_code(c, codes) for name, c in columns.items() if _writable(c, codes)}
        indices = {} if description.per_event else _indices(description, chosen)
        for index, (column, parent, _) in indices.items():
            doc = f"place of {column} in {parent}; {NO_INDEX}: none"
            columns[index] = Column(index, INT64, doc=doc, nullable=False)
        return cls(description, reader, columns, codes, indices)

    def read(self, events: Range) -> dict[str, Array]:
        columns = self.reader.read(events)
        return in_event_order(np.ma.getdata(columns["event_id"]), columns)

    def coded(self, name: str, values: Array) -> Array:
        if name not in self.codes:
            return values
        numbers = {text: number for number, text in enumerate(self.codes[name])}
        return np.array([numbers.get(value, NO_INDEX) for value in values], dtype=np.int64)


def _codes(db: Database, description: TableDescription) -> dict[str, list[str]]:
    """The sorted different texts of every text column that does not have too many."""
    codes = {}
    for name, column in description.columns.items():
        if column.type == TEXT:
            quoted = quote_identifier(name)
            rows = db.execute(
                f"SELECT DISTINCT {quoted} FROM {quote_identifier(description.name)} "
                f"WHERE {quoted} IS NOT NULL ORDER BY {quoted} LIMIT {MAX_CODES + 1}"
            ).fetchall()
            if len(rows) <= MAX_CODES:
                codes[name] = [str(row[0]) for row in rows]
    return codes


def _writable(column: Column, codes: Mapping[str, list[str]]) -> bool:
    return column.type != TEXT or column.name in codes


def _as_code(column: Column, codes: Mapping[str, list[str]]) -> Column:
    if column.name not in codes:
        return column
    meaning = ", ".join(f"{number} {text}" for number, text in enumerate(codes[column.name]))
    return Column(column.name, INT64, doc=f"{meaning}; {NO_INDEX}: none".lstrip("; "), nullable=False)


def _indices(description: TableDescription, chosen: list[TableDescription]) -> dict[str, tuple[str, str, str]]:
    """The columns that name a row of another table of the tree, by the names of their index branches."""
    lists = {other.name: other.key[0] for other in chosen if len(other.key) == 1 and not other.per_event}
    found = {}
    for name, column in description.columns.items():
        if column.refers and lists.get(column.refers[0]) == column.refers[1]:
            index = f"{name.removesuffix('_id')}_idx"
            if index not in description.columns:
                found[index] = (name, *column.refers)
    return found


def places(wanted: Array, keys: Array, rows: Array, parent_rows: Array) -> Array:
    """Positions of the rows that the values name, in their event's list of another table.

    :param wanted: keys of the other table, grouped by event, masked where NULL
    :param keys: the other table's keys, grouped by event
    :param rows: number of ``wanted`` in every event
    :param parent_rows: number of ``keys`` in every event
    :return: positions from 0, -1 for NULL and for rows that do not exist or belong to another event
    """
    if not len(keys):
        return np.full(len(wanted), NO_INDEX, dtype=np.int64)
    order = np.argsort(keys, kind="stable")
    found = order[np.minimum(np.searchsorted(keys, np.ma.getdata(wanted), sorter=order), len(keys) - 1)]
    starts = np.repeat(np.cumsum(parent_rows) - parent_rows, rows)
    place = found - starts
    good = (keys[found] == np.ma.getdata(wanted)) & ~np.ma.getmaskarray(wanted)
    good &= (place >= 0) & (place < np.repeat(parent_rows, rows))
    return np.where(good, place, NO_INDEX)


def _spread(values: Array, place: Array, have: Array) -> Array:
    """One value per event from the existing rows; missing for events without a row."""
    kind = values.dtype.kind
    if kind == "i":
        spread: Array = np.ma.MaskedArray(np.zeros(len(place), dtype=np.int64), mask=True)
    else:
        spread = np.full(len(place), np.nan if kind == "f" else None, dtype=values.dtype)
    spread[have] = values[place[have]]
    return spread
