"""``parquet``: a table as a file for pandas, polars and Arrow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from sqlamarr.database.connection import Database
from sqlamarr.exporters.format import Format
from sqlamarr.exporters.options import COMPRESSION, LAYOUT, ExportOptions, ExportSummary


class Parquet(Format):
    """One table as a file, or a folder with a file for each."""

    HELP = "Parquet: one table, or a folder of them"
    SUFFIXES = (".parquet",)
    MARK = b"PAR1"
    ONE_FILE = False
    OPTIONS: ClassVar[Mapping[str, Mapping[str, Any]]] = {"layout": LAYOUT, "compression": COMPRESSION}

    def write(
        self, db: Database, path: Path, tables: tuple[str, ...], options: ExportOptions, summary: ExportSummary
    ) -> None:
        """Write one table as a file, or a folder with a file for each."""
        from sqlamarr.exporters.parquet import write

        write(db, path, tables, options, summary)


exporter = Parquet()
