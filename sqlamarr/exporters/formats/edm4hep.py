"""``edm4hep``: collections for Key4hep, in the layout that podio reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from sqlamarr.database.connection import Database
from sqlamarr.exporters.format import Format
from sqlamarr.exporters.options import COMPRESSION, ExportOptions, ExportSummary


class Edm4hep(Format):
    """The collections of EDM4hep as RNTuples."""

    HELP = "EDM4hep: its collections, as RNTuples of ROOT"
    SUFFIXES = (".edm4hep.root",)
    MARK = b"root"
    TAKES_TABLES = False
    OPTIONS: ClassVar[Mapping[str, Mapping[str, Any]]] = {"compression": COMPRESSION}

    def write(
        self, db: Database, path: Path, tables: tuple[str, ...], options: ExportOptions, summary: ExportSummary
    ) -> None:
        """Write all events."""
        from sqlamarr.exporters.edm4hep import write

        write(db, path, tables, options, summary)


exporter = Edm4hep()
