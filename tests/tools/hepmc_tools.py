"""Small HepMC texts, and the means to compare what is read with what the HepMC3 library reads."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pyhepmc

from sqlamarr.events.chunk import ParsedChunk
from sqlamarr.native.columns import Columns
from sqlamarr.sources.inputs import open_inputs

HEAD2 = "HepMC::Version 2.06.09\nHepMC::IO_GenEvent-START_EVENT_LISTING\n"
FOOT2 = "HepMC::IO_GenEvent-END_EVENT_LISTING\n"
HEAD3 = "HepMC::Version 3.02.05\nHepMC::Asciiv3-START_EVENT_LISTING\n"
FOOT3 = "HepMC::Asciiv3-END_EVENT_LISTING\n"

#: Two beams, a vertex at (1, 2, 3, 4), a particle that decays at its production vertex.
EVENT2 = """E 7 -1 20.5 0.118 0.0078 101 0 2 1 2 0 2 0.5 1.5
N 2 "nominal" "up"
U GEV CM
C 12.5 0.5
V -1 0 1 2 3 4 2 1 0
P 1 2212 0 0 6500 6500.5 0.938 4 0 0 -1 0
P 2 2212 0 0 -6500 6500.5 0.938 4 0 0 -1 0
P 3 23 1 2 3 100 91.2 2 0 0 -2 1 1 501
V -2 3 1 2 3.5 4.25 0 2 0
P 5 211 1 2 3 4 0.14 1 0 0 0 0
P 4 -211 -1 -2 -3 4 0.14 1 0 0 0 0
"""
EVENT3 = """E 7 2 5
U GEV CM
W 0.5 1.5
A 0 GenCrossSection 12.5 0.5 10 20
A 0 alphaQCD 0.118
A 0 alphaQED 0.0078
A 0 event_scale 20.5
A 0 signal_process_id 101
P 1 0 2212 0 0 6500 6500.5 0.938 4
P 2 0 2212 0 0 -6500 6500.5 0.938 4
V -1 0 [1,2] @ 1 2 3 4
P 3 -1 23 1 2 3 100 91.2 2
V -2 3 [3] @ 1 2 3.5 4.25
P 4 -2 211 1 2 3 4 0.14 1
P 5 -2 -211 -1 -2 -3 4 0.14 1
"""


def hepmc2(*events: str) -> str:
    """A HepMC2 file."""
    return HEAD2 + "".join(events) + FOOT2


def hepmc3(*events: str) -> str:
    """A HepMC3 file."""
    return HEAD3 + "".join(events) + FOOT3


def read(*paths: Path | str, **options: Any) -> ParsedChunk:
    """All events of some inputs in one chunk."""
    batch = options.pop("batch_size", 1_000_000)
    chunks = list(open_inputs([str(path) for path in paths], **options).chunks(batch))
    if not chunks:
        return ParsedChunk({}, [])
    (chunk,) = chunks
    return chunk.parse()


def read_text(folder: Path, text: str | bytes, **options: Any) -> ParsedChunk:
    """All events of a text, read from a file in the folder."""
    path = folder / "input"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(path, **options)


def rows(columns: Columns) -> list[tuple[Any, ...]]:
    """Rows with None for NULL, exact floats."""
    return list(zip(*(plain(columns, name) for name in columns)))


def plain(columns: Columns, name: str) -> list[Any]:
    """A column with None for NULL."""
    return [None if value != value else value for value in columns[name].tolist()]


Physical = Counter[tuple[Any, ...]]


def physical(parsed: ParsedChunk, genevent_id: int) -> Physical:
    """A collision as a multiset of particles with the positions where they begin and end: no ids, no order."""
    vertices = {row[0]: row[6:10] for row in rows(parsed.tables["GenVertices"])}
    particles = (row for row in rows(parsed.tables["GenParticles"]) if row[2] == genevent_id)
    return Counter((*row[6:], vertices.get(row[4]), vertices.get(row[5])) for row in particles)


def physical_of_library(event: Any) -> Physical:
    """The same of the HepMC3 library's event, in MeV and mm."""
    to_mev = 1000.0 if event.momentum_unit == pyhepmc.Units.GEV else 1.0
    to_mm = 10.0 if event.length_unit == pyhepmc.Units.CM else 1.0
    return Counter(_physical_particle(particle, to_mev, to_mm) for particle in event.particles)


def _physical_particle(particle: Any, to_mev: float, to_mm: float) -> tuple[Any, ...]:
    p = particle.momentum
    momentum = (value * to_mev for value in (p.e, p.px, p.py, p.pz, particle.generated_mass))
    ends = (_position(vertex, to_mm) for vertex in (particle.production_vertex, particle.end_vertex))
    return (particle.pid, particle.status, *momentum, *ends)


def _position(vertex: Any, to_mm: float) -> tuple[float, ...] | None:
    if vertex is None or vertex.id == 0:
        return None
    x = vertex.position
    return (x.t * to_mm, x.x * to_mm, x.y * to_mm, x.z * to_mm)
