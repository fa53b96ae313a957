"""Some events of a file with their tables, from which the collections are filled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sqlamarr.database.connection import Database
from sqlamarr.exporters.event_tree import places
from sqlamarr.exporters.events import EventNumbers
from sqlamarr.native.columns import Array
from sqlamarr.output.tables.description import describe
from sqlamarr.output.tables.event_blocks import Reader, counts, event_ranges, in_event_order

TABLES = (
    "GenWeights", "MCParticles", "MCVertices", "Vertices",
    "Tracks", "TrackStates", "PID", "Clusters", "ClusterParticles",
)  # fmt: skip


@dataclass(frozen=True)
class Events:
    """Simulated events in order.

    :ivar numbers: event_id, runNumber, eventNumber and, if known, eventWeight, one value per event
    :ivar tables: columns by table, the rows sorted by event
    """

    numbers: dict[str, Array]
    tables: dict[str, dict[str, Array]]

    def __len__(self) -> int:
        return len(self.numbers["event_id"])

    def counts(self, table: str) -> Array:
        """Number of rows in every event."""
        return counts(np.ma.getdata(self.tables[table]["event_id"]), self.numbers["event_id"])

    def places(self, table: str, column: str, parent: str, key: str) -> Array:
        """Position of the row that ``column`` names in its event's part of ``parent``; -1 for none."""
        keys = np.ma.getdata(self.tables[parent][key])
        return places(self.tables[table][column], keys, self.counts(table), self.counts(parent))

    def looked_up(self, table: str, column: str, parent: str, key: str, value: str) -> Array:
        """A float column of the rows that ``column`` names; NaN where there is no such row."""
        source = np.asarray(np.ma.filled(self.tables[parent][value].astype(np.float64), np.nan))
        place = self.places(table, column, parent, key)
        offsets = np.repeat(np.cumsum(self.counts(parent)) - self.counts(parent), self.counts(table))
        found = np.full(len(place), np.nan)
        found[place >= 0] = source[(place + offsets)[place >= 0]]
        return found


class EventReader:
    """Reads the tables that are needed for EDM4hep, some events at a time.

    :ivar tables: those that the file has
    """

    def __init__(self, db: Database, rows: int) -> None:
        self._db, self._rows = db, rows
        self.numbers = EventNumbers(db)
        self._readers = {
            name: Reader(db, name, {column.name: column.type for column in describe(db, name).columns.values()})
            for name in TABLES
            if name in db
        }
        self.tables = tuple(self._readers)

    def pieces(self) -> Iterator[Events]:
        """All simulated events.

        :raises DataError: rows belong to no simulated event
        """
        seen = dict.fromkeys(self._readers, 0)
        largest = max((reader.rows for reader in self._readers.values()), default=0)
        for chosen in event_ranges(self._db, largest, self._rows):
            numbers = self.numbers.read(chosen)
            simulated = numbers.pop("status") == "simulated"
            tables = {}
            for name, reader in self._readers.items():
                columns = reader.read(chosen)
                tables[name] = in_event_order(np.ma.getdata(columns["event_id"]), columns)
            events = Events({name: values[simulated] for name, values in numbers.items()}, tables)
            for name in seen:
                seen[name] += int(events.counts(name).sum())
            yield events
        for name, reader in self._readers.items():
            reader.check_complete(seen[name])
