"""``hepevt``: HEPEVT, as HepMC3 writes it."""

from __future__ import annotations

from collections.abc import Iterator

from sqlamarr.sources.hepmc.library import is_hepevt, read_hepevt
from sqlamarr.sources.kind import ContentKind
from sqlamarr.sources.reading import EventPiece, Reading
from sqlamarr.sources.streams import Stream


class Hepevt(ContentKind):
    """Files of HEPEVT, as HepMC3 writes it."""

    HELP = "HEPEVT"

    def sniff(self, head: bytes) -> bool:
        """Whether a file of this format begins like this."""
        return is_hepevt(head)

    def read(self, stream: Stream, reading: Reading) -> Iterator[EventPiece]:
        """The events of a file."""
        return read_hepevt(stream, reading)


source = Hepevt()
