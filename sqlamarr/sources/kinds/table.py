"""``table``: tables of particles in Parquet, ROOT or CSV, or in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlamarr.sources.kind import DescribedSource, ReadKind
from sqlamarr.sources.reading import EventPiece, Reading


class Table(ReadKind):
    """Tables of particles in Parquet, ROOT or CSV, or in memory."""

    HELP = "tables of particles in Parquet, ROOT or CSV, or in memory"

    @property
    def schema(self) -> Mapping[str, Any]:
        """JSON schema of its options."""
        from sqlamarr.sources.tables.tables import SCHEMA

        return SCHEMA

    def read(self, description: DescribedSource, reading: Reading, entry: dict[str, Any]) -> Iterator[EventPiece]:
        """Its events."""
        from sqlamarr.sources.tables.tables import read

        return read(description, reading, entry)

    def takes(self, path: Path) -> bool:
        """By the mark of Parquet or ROOT that it begins with, or a name in .csv."""
        from sqlamarr.sources.tables.files import format_of

        return format_of(path) is not None


source = Table()
