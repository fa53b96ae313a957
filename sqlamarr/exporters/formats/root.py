"""``root``: trees for uproot, RDataFrame and ROOT."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from sqlamarr.database.connection import Database
from sqlamarr.exporters.format import Format
from sqlamarr.exporters.options import COMPRESSION, LAYOUT, ExportOptions, ExportSummary


class Root(Format):
    """A tree for every table and view, and one whose entries are the events."""

    HELP = "ROOT: trees"
    SUFFIXES = (".root",)
    MARK = b"root"
    OPTIONS: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "layout": LAYOUT,
        "rntuple": {"type": "boolean", "default": False, "description": "Write RNTuples instead of TTrees."},
        "compression": COMPRESSION,
        "null_integer": {
            "type": "integer",
            "default": -999,
            "description": "TTrees: the number that stands for NULL in integer columns; float columns use NaN.",
        },
    }

    def write(
        self, db: Database, path: Path, tables: tuple[str, ...], options: ExportOptions, summary: ExportSummary
    ) -> None:
        """Write tables and views as trees, the events as one more, and the provenance as strings."""
        from sqlamarr.exporters.root import write

        write(db, path, tables, options, summary)


exporter = Root()
