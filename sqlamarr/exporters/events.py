"""Number and weight of the event, which accompany every row of an export."""

from __future__ import annotations

import numpy as np

from sqlamarr.database.connection import Database
from sqlamarr.native.columns import FLOAT64, INT64, TEXT, Array
from sqlamarr.output.tables.description import Column
from sqlamarr.output.tables.event_blocks import Range, Reader, counts

NUMBERS = {
    "runNumber": Column("runNumber", INT64, doc="run number of the source; 0 if it has none", nullable=False),
    "eventNumber": Column("eventNumber", INT64, doc="position of the event in the production, from 0", nullable=False),
}
WEIGHT = Column("eventWeight", FLOAT64, doc="generator's weight of the event: product over its collisions")


class EventNumbers:
    """Run number, event number and weight by event id.

    :ivar columns: the available columns; the weight only if the file has the collisions
    """

    def __init__(self, db: Database) -> None:
        self._events = Reader(
            db, "Events", {"event_id": INT64, "ordinal": INT64, "datasource_id": INT64, "status": TEXT}
        )
        rows = db.execute("SELECT datasource_id, coalesce(run_number, 0) FROM DataSources").fetchall()
        self._runs = {int(str(source)): int(str(run)) for source, run in rows}
        self._collisions = (
            Reader(db, "GenEvents", {"event_id": INT64, "weight": FLOAT64}) if "GenEvents" in db else None
        )
        self.columns = dict(NUMBERS) | ({} if self._collisions is None else {WEIGHT.name: WEIGHT})

    def read(self, events: Range | None = None) -> dict[str, Array]:
        """Columns event_id (ascending), status and those of :attr:`columns` for a range of events."""
        rows = self._events.read(events)
        order = np.argsort(rows["event_id"], kind="stable")
        sources = np.ma.filled(rows["datasource_id"], -1)[order]
        found = {
            "event_id": np.ma.getdata(rows["event_id"])[order],
            "status": rows["status"][order],
            "runNumber": np.array([self._runs.get(int(source), 0) for source in sources], dtype=np.int64),
            "eventNumber": np.ma.getdata(rows["ordinal"])[order],
        }
        if self._collisions is not None:
            found[WEIGHT.name] = self._weights(found["event_id"], events)
        return found

    def beside(self, event_ids: Array, events: Range | None = None) -> dict[str, Array]:
        """The columns for rows that belong to the given events, one value per row."""
        known = self.read(events)
        place = np.searchsorted(known["event_id"], event_ids)
        return {name: known[name][place] for name in self.columns}

    def _weights(self, event_ids: Array, events: Range | None) -> Array:
        assert self._collisions is not None
        rows = self._collisions.read(events)
        order = np.argsort(rows["event_id"], kind="stable")
        ids, weights = np.ma.getdata(rows["event_id"])[order], rows["weight"][order]
        weights = np.where(np.isnan(weights), 1.0, weights)
        result = np.ones(len(event_ids))
        per_event = counts(ids, event_ids)
        first = np.cumsum(per_event) - per_event
        for position in range(int(per_event.max(initial=0))):  # collisions of an event, one after the other
            have = per_event > position
            result[have] *= weights[first[have] + position]
        return result
