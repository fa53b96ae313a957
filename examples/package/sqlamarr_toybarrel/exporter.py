"""A format of export: every table as text, for looking at; ``out.toytext`` is enough to ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from sqlamarr.database.connection import Database, quote_identifier
from sqlamarr.exporters.format import Format
from sqlamarr.exporters.options import ExportOptions, ExportSummary


class ToyText(Format):
    """Tables one after another, columns separated by a character."""

    HELP = "text, for looking at"
    SUFFIXES = (".toytext",)
    MARK = b"# toytext"  # begins every file: nothing else is ever overwritten
    OPTIONS: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "separator": {"type": "string", "default": " ", "description": "Between columns."},
    }

    def write(
        self, db: Database, path: Path, tables: tuple[str, ...], options: ExportOptions, summary: ExportSummary
    ) -> None:
        """Write the tables."""
        with path.open("w") as file:
            file.write("# toytext 1\n")
            for table in tables:
                rows = db.execute(f"SELECT * FROM {quote_identifier(table)}").fetchall()
                names = [str(row[0]) for row in db.execute("SELECT name FROM pragma_table_info(?)", (table,))]
                file.write(f"# {table}: {options['separator'].join(names)}\n")
                file.writelines(options["separator"].join(map(str, row)) + "\n" for row in rows)
                summary.entries[table] = (len(rows), len(names))
                options.advance(len(rows))


exporter = ToyText()
