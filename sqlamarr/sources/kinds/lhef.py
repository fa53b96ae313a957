"""``lhef``: Les Houches events."""

from __future__ import annotations

from collections.abc import Iterator

from sqlamarr.sources.hepmc.library import is_lhef, read_lhef
from sqlamarr.sources.kind import ContentKind
from sqlamarr.sources.reading import EventPiece, Reading
from sqlamarr.sources.streams import Stream


class Lhef(ContentKind):
    """Files of Les Houches events."""

    HELP = "LHEF"

    def sniff(self, head: bytes) -> bool:
        """Whether a file of this format begins like this."""
        return is_lhef(head)

    def read(self, stream: Stream, reading: Reading) -> Iterator[EventPiece]:
        """The events of a file."""
        return read_lhef(stream, reading)


source = Lhef()
