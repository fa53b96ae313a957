"""A table as it is, with one entry per row."""

from __future__ import annotations

from collections.abc import Iterator

from sqlamarr.database.connection import Database
from sqlamarr.exporters.events import EventNumbers
from sqlamarr.exporters.nulls import marked
from sqlamarr.exporters.trees import EntryBlock, Shape
from sqlamarr.output.tables.description import Column, describe
from sqlamarr.output.tables.event_blocks import Reader


class FlatTable:
    """A table or view whose rows are the entries, with the numbers and the weight of each row's event.

    :param rows: approximate number of rows in a piece
    :param null_integer: the number that stands for NULL in integer columns; None if the format has missing values
    """

    def __init__(self, db: Database, name: str, numbers: EventNumbers, rows: int, null_integer: int | None) -> None:
        description = describe(db, name)
        columns = description.columns
        self._rows = rows
        self._reader = Reader(db, name, {column.name: column.type for column in columns.values()})
        self._numbers = numbers if self._reader.by_event else None
        beside: dict[str, Column] = {} if self._numbers is None else numbers.columns
        self._beside = [column for column in beside if column not in columns]
        shown = columns if null_integer is None else marked(db, name, columns, null_integer)
        self.shape = Shape(description.doc, {**shown, **{column: beside[column] for column in self._beside}})

    def pieces(self) -> Iterator[EntryBlock]:
        """Some rows at a time."""
        for events, columns in self._reader.pieces(self._rows):
            arrays = dict(columns)
            if self._numbers is not None:
                beside = self._numbers.beside(columns["event_id"], events)
                arrays |= {name: beside[name] for name in self._beside}
            yield EntryBlock(columns.rows, columns.rows, arrays)
