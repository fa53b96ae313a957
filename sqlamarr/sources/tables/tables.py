"""``table:``, generated particles as rows of a table: a file (Parquet, ROOT, CSV) or a frame in memory.

The table has one row per particle, with the rows of an event together and events in ascending order. With columns of
lists, it has one row per event.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from sqlamarr.errors import InputError
from sqlamarr.events.chunk import ParsedChunk, halves
from sqlamarr.events.event import DataSource, EventRef
from sqlamarr.sources.kind import DescribedSource
from sqlamarr.sources.reading import Reading
from sqlamarr.sources.record_tables import Array
from sqlamarr.sources.streams import Fingerprint
from sqlamarr.sources.tables.columns import COLUMNS, LENGTHS, MOMENTA, TIMES, Block, Jagged, Mapper
from sqlamarr.sources.tables.events import parse
from sqlamarr.sources.tables.files import FORMATS, TableFile, format_of, of_memory

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "file": {"type": "string", "description": "Path of the table."},
        "data": {"description": "From Python: a pandas, polars or pyarrow table, or a dict of arrays."},
        "format": {
            "enum": list(FORMATS),
            "description": "Format of the file; by default recognised from its content or name.",
        },
        "tree": {"type": "string", "description": "ROOT: name of the TTree; not needed if there is only one."},
        "columns": {
            "type": "object",
            "properties": {name: {"type": "string", "description": text} for name, text in COLUMNS.items()},
            "additionalProperties": False,
            "description": "Names of the columns in the table; columns not listed are looked up by the names here.",
        },
        "units": {
            "type": "object",
            "properties": {
                "momentum": {
                    "enum": list(MOMENTA),
                    "description": "Unit of momenta, energies and masses; default MeV.",
                },
                "length": {"enum": list(LENGTHS), "description": "Default mm."},
                "time": {"enum": list(TIMES), "description": "Default mm/c."},
            },
            "additionalProperties": False,
            "description": "Units of the table.",
        },
        "events": {"type": "integer", "minimum": 1, "description": "Read at most this many events."},
    },
    "additionalProperties": False,
}

_READ = 1 << 20


@dataclass(frozen=True)
class TablePiece:
    """An event: rows ``begin`` to ``end`` of a block."""

    event: EventRef
    source: DataSource
    block: Block
    begin: int
    end: int

    @classmethod
    def chunk(cls, pieces: Sequence[TablePiece]) -> TableRowsChunk:
        """Put events together."""
        blocks = []
        for _, group in groupby(pieces, key=lambda piece: id(piece.block)):
            same = list(group)
            blocks.append(same[0].block.part(same[0].begin, same[-1].end))
        sources = {piece.source.datasource_id: piece.source for piece in pieces}
        counts = np.array([piece.end - piece.begin for piece in pieces], np.int64)
        events = tuple(piece.event for piece in pieces)
        return TableRowsChunk(events, tuple(sources.values()), counts, Block.joined(blocks))


@dataclass(frozen=True)
class TableRowsChunk:
    """Rows of some events.

    :ivar counts: rows per event, (len(events),)
    """

    events: Sequence[EventRef]
    sources: tuple[DataSource, ...]
    counts: Array
    block: Block

    def parse(self) -> ParsedChunk:
        """GenEvents, GenVertices, GenParticles and GenWeights."""
        return parse(self.events, self.counts, self.block)

    def split(self) -> tuple[TableRowsChunk, TableRowsChunk]:
        """The first and the second half of the events."""
        first, second = halves(self.events)
        middle = int(self.counts[: len(first)].sum())
        n = int(self.counts.sum())
        return (
            TableRowsChunk(first, self.sources, self.counts[: len(first)], self.block.part(0, middle)),
            TableRowsChunk(second, self.sources, self.counts[len(first) :], self.block.part(middle, n)),
        )


def read(description: DescribedSource, reading: Reading, entry: dict[str, Any]) -> Iterator[TablePiece]:
    """The events of a table.

    :param entry: of the provenance, to be completed
    :raises InputError: the table cannot be read or lacks columns, or its columns have the wrong type or order
    """
    table = _open(description, entry)
    reading.compare(entry)
    mapper = Mapper(description.content, table.names, table.name)
    source = reading.numbering.next_source(table.name, table.format)
    limit = description.content.get("events")
    number = 0
    for block, begin, end in _events(table, mapper):
        if reading.numbering.exhausted or number == limit:
            break
        number += 1
        yield TablePiece(reading.numbering.next_event(), source, block, begin, end)
    if not number:
        reading.warn(f"{table.name} contains no events: it has columns, but no rows.")


def _open(description: DescribedSource, entry: dict[str, Any]) -> TableFile:
    content = description.content
    if ("file" in content) == ("data" in content):
        raise InputError(f"{description.path}: table: expected 'file' or, from Python, 'data', but not both.")
    if "data" in content:
        entry.update(path=description.path, description={"table": {**content, "data": "in memory"}})
        return of_memory(content["data"], description.path)
    path = description.file(content["file"])
    size, sha256 = _fingerprint(path)
    if description.text is None:
        entry.update(path=str(path), bytes=size, sha256=sha256)
    else:
        entry.update(description={"table": content}, files=[{"path": str(path), "bytes": size, "sha256": sha256}])
    format = content.get("format") or format_of(path)
    if format is None:
        raise InputError(f"{path} is not recognised as a table ({', '.join(FORMATS)}). If it is one, set 'format:'.")
    return FORMATS[format](path, content.get("tree"))


def _fingerprint(path: Path) -> tuple[int, str | None]:
    with path.open("rb") as file:
        fingerprint = Fingerprint(file, str(path))
        while fingerprint.read(_READ):
            pass
    return fingerprint.size, fingerprint.sha256


def _events(table: TableFile, mapper: Mapper) -> Iterator[tuple[Block, int, int]]:
    """Whole events, each as a block and its rows there. The last event of a block waits for the next block."""
    rest: Block | None = None
    for raw in table.blocks(mapper.wanted):
        if all(len(column.counts if isinstance(column, Jagged) else column) == 0 for column in raw.values()):
            continue  # columns without rows may have no type
        block, counts = mapper.block(raw, rest)
        rest = None
        ends = np.cumsum(counts).tolist()
        begins = [0, *ends[:-1]]
        if len(block.event) and not mapper.whole_events:
            rest = block.part(begins.pop(), ends.pop())
        yield from ((block, begin, end) for begin, end in zip(begins, ends))
    if rest is not None:
        yield rest, 0, len(rest.event)


__all__ = ["SCHEMA", "TablePiece", "TableRowsChunk", "read"]
