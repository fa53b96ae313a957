"""``hepmc``: HepMC2 or HepMC3 ASCII."""

from __future__ import annotations

from collections.abc import Iterator

from sqlamarr.sources.hepmc.ascii import is_hepmc, read
from sqlamarr.sources.kind import ContentKind
from sqlamarr.sources.reading import EventPiece, Reading
from sqlamarr.sources.streams import Stream


class HepMC(ContentKind):
    """Files of HepMC2 or HepMC3 ASCII."""

    HELP = "HepMC2 or HepMC3 ASCII"

    def sniff(self, head: bytes) -> bool:
        """Whether a file of this format begins like this."""
        return is_hepmc(head)

    def read(self, stream: Stream, reading: Reading) -> Iterator[EventPiece]:
        """The events of a file."""
        return read(stream, reading)


source = HepMC()
