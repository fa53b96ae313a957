"""The provenance of an exported file as texts: the run's own entries, and the exporter."""

from __future__ import annotations

from sqlamarr.database.connection import Database
from sqlamarr.native import library
from sqlamarr.output.provenance import read, texts

EVENT_TREE = "EventTree"  # the tree, or table, whose entries are the events


def entries(db: Database, exporter: str) -> dict[str, str]:
    """Entries of the provenance by name; structured ones are JSON.

    :raises OutputError: the provenance cannot be read
    """
    read(db)  # what is damaged is not passed on
    return {**texts(db), "exported_by": f"sqlamarr {library.version}, {exporter}"}
