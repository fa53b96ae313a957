"""ROOT files through uproot: a tree for every table and view, and one whose entries are the events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import uproot

from sqlamarr.database.connection import Database
from sqlamarr.exporters.event_tree import EventTree
from sqlamarr.exporters.events import EventNumbers
from sqlamarr.exporters.flat import FlatTable
from sqlamarr.exporters.options import ExportOptions, ExportSummary
from sqlamarr.exporters.provenance import EVENT_TREE, entries
from sqlamarr.exporters.trees import EntrySource, NTupleWriter, TreeWriter
from sqlamarr.exporters.uproot_writing import compression


def write(db: Database, path: Path, tables: tuple[str, ...], options: ExportOptions, summary: ExportSummary) -> None:
    """Write tables and views as trees, the events as one more, and the provenance as strings."""
    numbers = EventNumbers(db)
    null_integer = None if options["rntuple"] else options["null_integer"]
    with uproot.recreate(path, compression=compression(options["compression"])) as file:
        if options["layout"] != "event":
            for name in tables:
                _write_tree(file, name, FlatTable(db, name, numbers, options.rows, null_integer), options, summary)
        if options["layout"] != "flat":
            source = EventTree(db, tables, numbers, options, null_integer)
            summary.notes += source.notes
            _write_tree(file, EVENT_TREE, source, options, summary)
        texts = {**entries(db, f"uproot {uproot.__version__}"), "null_integer": str(null_integer)}
        for key, value in texts.items():
            file[f"Provenance/{key}"] = value  # a TObjString


def _write_tree(file: Any, name: str, source: EntrySource, options: ExportOptions, summary: ExportSummary) -> None:
    writer = (NTupleWriter if options["rntuple"] else TreeWriter)(file, name, source.shape, options["null_integer"])
    n = 0
    for piece in source.pieces():
        if piece.entries:
            writer.extend(piece)
        n += piece.entries
        options.advance(piece.rows)
    branches = len(source.shape.scalars) + sum(len(columns) + 1 for columns in source.shape.groups.values())
    summary.entries[name] = (n, branches)
