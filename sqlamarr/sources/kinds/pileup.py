"""``pileup``: further collisions in the events of another source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlamarr.sources.kind import DescribedSource, ReadKind
from sqlamarr.sources.reading import EventPiece, Reading


class Pileup(ReadKind):
    """Further collisions in the events of another source."""

    HELP = "further collisions in the events of another source"

    @property
    def schema(self) -> Mapping[str, Any]:
        """JSON schema of its options."""
        from sqlamarr.sources.pileup.pileup import SCHEMA

        return SCHEMA

    def read(self, description: DescribedSource, reading: Reading, entry: dict[str, Any]) -> Iterator[EventPiece]:
        """Its events."""
        from sqlamarr.sources.pileup.pileup import read

        return read(description, reading, entry)


source = Pileup()
