"""HepMC2 (IO_GenEvent) and HepMC3 (Asciiv3) ASCII: cut here, parsed by native code in the worker."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pickle import PickleBuffer
from typing import Any, SupportsIndex

import numpy as np

from sqlamarr.errors import InputError
from sqlamarr.events.chunk import GENERATOR_TABLES, ParsedChunk, halves, sources_of
from sqlamarr.events.event import DataSource, EventRef, Rejected
from sqlamarr.native.columns import Columns
from sqlamarr.native.library import check, ffi, lib
from sqlamarr.particles.codes import LHCB_STATUSES
from sqlamarr.sources.hepmc.cut import CutState, RecordText, cut, sniff_format
from sqlamarr.sources.reading import Reading
from sqlamarr.sources.streams import SNIFFED, Stream

TOOL = "sqlamarr"  # the name of the tool in files that sqlamarr writes
#: Status codes that LHCb's simulation gives to particles that it decays or stores itself.
FORMAT_NAMES = {2: "HepMC2 ASCII", 3: "HepMC3 ASCII"}

_LOOKED_AT_RECORDS = 16
_LOOKED_AT_BYTES = 16 << 20


@dataclass(frozen=True)
class RecordPlace:
    """The place of a record in a chunk's text; see ``sqlamarr_hepmc_record`` in sqlamarr.h."""

    begin: int
    end: int
    line: int
    event_id: int
    datasource_id: int
    collision: int
    format: int


@dataclass(frozen=True)
class HepMCChunk:
    """The text of some events."""

    events: Sequence[EventRef]
    sources: tuple[DataSource, ...]
    text: bytes | memoryview
    records: tuple[RecordPlace, ...]

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        # The text is kept apart, so that it leaves a process without being copied (pickle protocol 5).
        text = PickleBuffer(self.text) if operator.index(protocol) >= 5 else bytes(self.text)
        return HepMCChunk, (self.events, self.sources, text, self.records)

    def parse(self) -> ParsedChunk:
        """GenEvents, GenVertices, GenParticles and GenWeights; rows in the order of the file."""
        parsed = parse(self.text, self.records)
        rejected = [
            Rejected(int(event_id), int(line), _sentence(message))
            for event_id, line, message in zip(*(parsed["errors"][name] for name in ("event_id", "line", "message")))
        ]
        return ParsedChunk({name: parsed[name] for name in GENERATOR_TABLES}, rejected)

    def split(self) -> tuple[HepMCChunk, HepMCChunk]:
        """The first and the second half of the events."""
        first, second = halves(self.events)
        return self._part(first), self._part(second)

    def _part(self, events: Sequence[EventRef]) -> HepMCChunk:
        ids = {event.event_id for event in events}
        records = [record for record in self.records if record.event_id in ids]
        start = records[0].begin
        moved = tuple(
            RecordPlace(r.begin - start, r.end - start, r.line, r.event_id, r.datasource_id, r.collision, r.format)
            for r in records
        )
        return HepMCChunk(events, sources_of(events, self.sources), self.text[start : records[-1].end], moved)


def parse(text: bytes | memoryview, records: Sequence[RecordPlace]) -> dict[str, Columns]:
    """Parse records of HepMC text natively.

    :returns: GenEvents, GenVertices, GenParticles, GenWeights, and errors (event_id, line, message)
    """
    places = ffi.new("sqlamarr_hepmc_record[]", max(len(records), 1))
    for place, record in zip(places, records):
        place.begin, place.end, place.line = record.begin, record.end, record.line
        place.event_id, place.datasource_id = record.event_id, record.datasource_id
        place.collision, place.format = record.collision, record.format
    out = ffi.new("sqlamarr_hepmc **")
    check(lib.sqlamarr_hepmc_parse(ffi.from_buffer(text), len(text), places, len(records), out))
    owner = ffi.gc(out[0], lib.sqlamarr_hepmc_free)
    return {name: table_of(owner, name) for name in (*GENERATOR_TABLES, "errors")}


def table_of(owner: object, name: str) -> Columns:
    """A table made by native code, without a copy; it keeps `owner` alive."""
    view = lib.sqlamarr_hepmc_table(owner, name.encode())
    # The arrays keep `pointer` alive, which keeps the parsed tables alive.
    pointer = ffi.gc(ffi.cast("sqlamarr_columns *", view), lambda _, owner=owner: None)
    return Columns.from_native(pointer, owned=False)


def _sentence(message: str) -> str:
    return message[:1].upper() + message[1:] + "."


@dataclass(frozen=True)
class HepMCPiece:
    """The records of one event."""

    event: EventRef
    source: DataSource
    records: tuple[RecordText, ...]

    @property
    def size(self) -> int:
        """Bytes of text."""
        return sum(len(record.text) for record in self.records)

    @classmethod
    def chunk(cls, pieces: Sequence[HepMCPiece]) -> HepMCChunk:
        """Put events together."""
        places, texts, end = [], [], 0
        for piece in pieces:
            for collision, record in enumerate(piece.records):
                begin, end = end, end + len(record.text)
                event = piece.event
                texts.append(record.text)
                places.append(
                    RecordPlace(begin, end, record.line, event.event_id, event.datasource_id, collision, record.format)
                )
        sources = {piece.source.datasource_id: piece.source for piece in pieces}
        events = tuple(piece.event for piece in pieces)
        return HepMCChunk(events, tuple(sources.values()), b"".join(texts), tuple(places))


def is_hepmc(head: bytes) -> bool:
    """Whether HepMC2 or HepMC3 ASCII begins like this."""
    return sniff_format(head) is not None


def read(stream: Stream, reading: Reading) -> Iterator[HepMCPiece]:
    """The events of a plain HepMC text.

    :raises InputError: the kind of listing is unknown, or a record is too large
    """
    number = sniff_format(stream.peek(SNIFFED)) or 3
    source = reading.numbering.next_source(stream.path, FORMAT_NAMES[number])
    state = CutState(number)
    records = cut(stream, stream.path, state)
    if reading.collisions == "auto":
        records = _decide_collisions(records, stream.path, reading, state)
    empty = True
    for piece in _events(records, source, reading):
        empty = False
        _take_over(state, stream.path, reading)
        yield piece
        if reading.numbering.exhausted:
            return
    _take_over(state, stream.path, reading)
    if empty:
        reading.warn(f"{stream.path} contains no events.")
    if state.open:
        reading.warn(
            f"{stream.path} has no end marker (END_EVENT_LISTING): it may have been cut short, and events may "
            "be missing."
        )


def _events(records: Iterator[RecordText], source: DataSource, reading: Reading) -> Iterator[HepMCPiece]:
    if reading.collisions == "file":
        collisions = tuple(records)
        if collisions and not reading.numbering.exhausted:
            yield HepMCPiece(reading.numbering.next_event(collisions[0].line), source, collisions)
        return
    for record in records:
        yield HepMCPiece(reading.numbering.next_event(record.line), source, (record,))


def _take_over(state: CutState, path: str, reading: Reading) -> None:
    reading.weight_names = reading.weight_names or state.weight_names
    if state.units_stated is False:
        state.units_stated = True
        if not any("states no units" in warning for warning in reading.warnings):
            reading.warn(f"{path} states no units (it has no U line); HepMC's defaults, GeV and mm, are used.")


def _decide_collisions(
    records: Iterator[RecordText], path: str, reading: Reading, state: CutState
) -> Iterator[RecordText]:
    """Inspect the first records and pass all of them on. In files written by sqlamarr, every record is an event."""
    head: list[RecordText] = []
    size = 0
    try:
        for record in islice(records, _LOOKED_AT_RECORDS):
            head.append(record)
            size += len(record.text)
            if size > _LOOKED_AT_BYTES:
                break
    except InputError as error:
        failure = error
        records = (_raise(failure) for _ in range(1))  # raised when its turn comes: the records before it are complete
    if not head:
        return records  # the next input decides
    reading.collisions = "record"
    if state.tool != TOOL and _has_lhcb_status(head):
        reading.collisions = "file"
        reading.warn(
            f"{path} has particles with LHCb's status codes {', '.join(map(str, LHCB_STATUSES))}: all records of a "
            "file are taken as the collisions of one event. Use --collisions record if every record is an event."
        )
    return chain(head, records)


def _raise(error: InputError) -> RecordText:
    raise error


def _has_lhcb_status(records: Sequence[RecordText]) -> bool:
    pieces = [HepMCPiece(EventRef(i, i, 0, i), DataSource(0, "", ""), (record,)) for i, record in enumerate(records)]
    chunk = HepMCPiece.chunk(pieces)
    status = parse(chunk.text, chunk.records)["GenParticles"]["status"]
    return bool(np.isin(status, LHCB_STATUSES).any())


__all__ = ["HepMCChunk", "HepMCPiece", "RecordPlace", "is_hepmc", "parse", "read", "table_of"]
