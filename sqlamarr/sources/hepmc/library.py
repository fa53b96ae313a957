"""LHEF and HEPEVT, which are read by the HepMC3 library (through pyhepmc)."""

from __future__ import annotations

import importlib
import io
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sqlamarr.errors import InputError, missing_package
from sqlamarr.events.chunk import GENERATOR_TABLES, TableChunk
from sqlamarr.events.event import DataSource, EventRef, Rejected
from sqlamarr.native.columns import Columns
from sqlamarr.particles.codes import BEAM
from sqlamarr.sources.hepmc.ascii import parse
from sqlamarr.sources.reading import Reading
from sqlamarr.sources.streams import Stream

_HEPEVT = re.compile(rb"\s*E\s+\d+\s+\d+\s*\n\s*-?\d+\s+-?\d+\s+-?\d+\s+-?\d+\s+-?\d+\s+-?\d+\s")
Rows = dict[str, list[tuple[Any, ...]]]


@dataclass(frozen=True)
class LibraryPiece:
    """One event, as rows of the generator's tables."""

    event: EventRef
    source: DataSource
    rows: Rows
    rejected: tuple[Rejected, ...] = ()

    @classmethod
    def chunk(cls, pieces: Sequence[LibraryPiece]) -> TableChunk:
        """Put events together."""
        sources = {piece.source.datasource_id: piece.source for piece in pieces}
        empty = parse(b"", ())  # the native reader knows names and types of the columns
        tables = {
            name: _columns(empty[name], [row for piece in pieces for row in piece.rows[name]])
            for name in GENERATOR_TABLES
        }
        rejected = tuple(row for piece in pieces for row in piece.rejected)
        return TableChunk(tuple(piece.event for piece in pieces), tuple(sources.values()), tables, rejected)


def is_lhef(head: bytes) -> bool:
    """Whether a Les Houches event file begins like this."""
    return b"<LesHouchesEvents" in head


def is_hepevt(head: bytes) -> bool:
    """Whether a HEPEVT text, as HepMC3 writes it, begins like this."""
    return _HEPEVT.match(head) is not None


def read_lhef(stream: Stream, reading: Reading) -> Iterator[LibraryPiece]:
    """The events of a Les Houches event file."""
    return _read(stream, reading, "LHEF", "ReaderLHEF")


def read_hepevt(stream: Stream, reading: Reading) -> Iterator[LibraryPiece]:
    """The events of a HEPEVT text."""
    return _read(stream, reading, "HEPEVT", "ReaderHEPEVT")


def _read(stream: Stream, reading: Reading, kind: str, reader: str) -> Iterator[LibraryPiece]:
    library = _pyhepmc(stream.path, kind)
    source = reading.numbering.next_source(stream.path, kind)
    file = io.BufferedReader(_Raw(stream))
    empty = True
    try:
        for event in getattr(library.io, reader)(library.io.pyiostream(file)):
            empty = False
            yield _piece(event, reading.numbering.next_event(), source, library)
            if reading.numbering.exhausted:
                return
    except RuntimeError as error:
        raise InputError(f"{stream.path} cannot be read as {kind} ({error}); check the file.") from error
    if empty:
        reading.warn(f"{stream.path} contains no events.")


def _pyhepmc(path: str, kind: str) -> Any:
    try:
        return importlib.import_module("pyhepmc")
    except ImportError as error:
        raise missing_package(f"{path} is {kind}, and reading it", "pyhepmc", "pyhepmc") from error


class _Raw(io.RawIOBase):
    """A stream as a raw file object of Python."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _piece(event: Any, ref: EventRef, source: DataSource, library: Any) -> LibraryPiece:
    to_mev = 1000.0 if event.momentum_unit == library.Units.GEV else 1.0
    to_mm = 10.0 if event.length_unit == library.Units.CM else 1.0
    momenta = [(p.momentum.e, p.momentum.px, p.momentum.py, p.momentum.pz, p.generated_mass) for p in event.particles]
    if not all(math.isfinite(value) for momentum in momenta for value in momentum):
        rejected = Rejected(ref.event_id, 0, "A momentum or mass is not a finite number.")
        return LibraryPiece(ref, source, {name: [] for name in GENERATOR_TABLES}, (rejected,))
    rows = {
        "GenEvents": [_event_row(event, ref, to_mm)],
        "GenVertices": [_vertex_row(vertex, row, ref, to_mm) for row, vertex in enumerate(event.vertices)],
        "GenParticles": [
            _particle_row(particle, row, ref, tuple(value * to_mev for value in momenta[row]))
            for row, particle in enumerate(event.particles)
        ],
        "GenWeights": [(ref.event_id, ref.event_id, i, float(value)) for i, value in enumerate(event.weights)],
    }
    return LibraryPiece(ref, source, rows)


def _event_row(event: Any, ref: EventRef, to_mm: float) -> tuple[Any, ...]:
    position = event.event_pos()
    cross_section = event.cross_section
    sigma = (cross_section.xsec(), cross_section.xsec_err()) if cross_section is not None else (None, None)
    return (
        *(ref.event_id, ref.event_id, 0, ref.datasource_id, event.event_number),
        _attribute(event, int, "signal_process_id", "IDPRUP"),
        _attribute(event, float, "event_scale"),
        _attribute(event, float, "alphaQCD", "AlphaQCD"),
        _attribute(event, float, "alphaQED", "AlphaEM"),
        float(event.weights[0]) if len(event.weights) else 1.0,
        *(position.t * to_mm, position.x * to_mm, position.y * to_mm, position.z * to_mm),
        *sigma,
    )


def _attribute(event: Any, convert: type[int] | type[float], *names: str) -> Any:
    for name in names:
        if name in event.attributes:
            value: Any = event.attributes[name]
            return convert(value if isinstance(value, (int, float)) else value.astype(convert))
    return None


def _vertex_row(vertex: Any, row: int, ref: EventRef, to_mm: float) -> tuple[Any, ...]:
    position = vertex.position
    primary = any(p.status == BEAM and _row_of(p.production_vertex) is None for p in vertex.particles_in)
    return (
        *(ref.event_id + row, ref.event_id, ref.event_id, vertex.id, vertex.status, int(primary)),
        *(position.t * to_mm, position.x * to_mm, position.y * to_mm, position.z * to_mm),
    )


def _particle_row(particle: Any, row: int, ref: EventRef, momentum: tuple[float, ...]) -> tuple[Any, ...]:
    ends = (_row_of(particle.production_vertex), _row_of(particle.end_vertex))
    return (
        *(ref.event_id + row, ref.event_id, ref.event_id, particle.id),
        *(None if end is None else ref.event_id + end for end in ends),
        *(particle.pid, particle.status, *momentum),
    )


def _row_of(vertex: Any) -> int | None:
    """Vertices are numbered -1, -2, ...; 0 is HepMC3's root, from which the beams come."""
    return None if vertex is None or vertex.id == 0 else -vertex.id - 1


def _columns(template: Columns, rows: list[tuple[Any, ...]]) -> Columns:
    values = list(zip(*rows)) if rows else [()] * len(template)
    return Columns({name: _column(template[name].dtype, column) for name, column in zip(template, values)})


def _column(dtype: np.dtype[Any], values: Sequence[Any]) -> Any:
    if dtype == np.float64:
        return np.array([math.nan if value is None else value for value in values], dtype=np.float64)
    missing = np.array([value is None for value in values], dtype=bool)
    numbers = np.array([0 if value is None else value for value in values], dtype=np.int64)
    return np.ma.MaskedArray(numbers, mask=missing) if missing.any() else numbers


__all__ = ["LibraryPiece", "is_hepevt", "is_lhef", "read_hepevt", "read_lhef"]
