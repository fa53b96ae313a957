"""The provenance of an exported file as texts: the run's own entries, and the exporter."""

from __future__ import annotations

from sqlamarr.database.connection import Database
from sqlamarr.native import library

EVENT_TREE = "EventTree"  # the tree, or table, whose entries are the events


def entries(db: Database, exporter: str) -> dict[str, str]:
    """Entries of the provenance by name; structured ones are JSON."""
    found = {str(key): str(value) for key, value in db.execute("SELECT key, value FROM Provenance")}
    return {**found, "exported_by": f"sqlamarr {library.version}, {exporter}"}
