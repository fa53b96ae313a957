"""Write HepMC3 ASCII from the generator tables; every number reads back unchanged."""

from __future__ import annotations

import bz2
import gzip
import lzma
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import IO, Any

import numpy as np

from sqlamarr.errors import OutputError
from sqlamarr.events.chunk import ParsedChunk
from sqlamarr.files.whole_files import replacing
from sqlamarr.native.columns import Columns
from sqlamarr.native.library import version
from sqlamarr.particles.codes import BEAM, SYSTEM
from sqlamarr.sources.hepmc.ascii import TOOL

_SUFFIXES = (".hepmc", ".hepmc3")
_COMPRESSIONS = ("", ".gz", ".bz2", ".xz")
#: Columns of GenEvents that are attributes of an event in HepMC3.
_ATTRIBUTES = {
    "process_id": "signal_process_id", "scale": "event_scale", "alpha_qcd": "alphaQCD", "alpha_qed": "alphaQED",
}  # fmt: skip


def write(path: Path, chunks: Iterable[ParsedChunk], description: str, weight_names: Sequence[str] = ()) -> int:
    """Write events and return the number of collisions.

    :param path: a name ending in .hepmc or .hepmc3, followed by .gz, .bz2 or .xz for compression
    :param description: what made the events, in a few words
    :raises OutputError: the name ends otherwise, or the file cannot be written (then no file is left)
    """
    check_name(path)
    with replacing(path) as part, part.open("wb") as raw, _compressed(raw, path.suffix) as file:
        file.write(_header(description, weight_names or ("Default",)).encode())
        count = _write_records(file, chunks)
        file.write(b"HepMC::Asciiv3-END_EVENT_LISTING\n\n")
    return count


def _write_records(file: Any, chunks: Iterable[ParsedChunk]) -> int:
    count = 0
    for chunk in chunks:
        for record in records(chunk):
            file.write(record.encode())
            count += 1
    return count


def check_name(path: Path) -> None:
    """Check that a name has a suffix of HepMC.

    :raises OutputError: the name ends otherwise
    """
    if not any(path.name.endswith(name + end) for name in _SUFFIXES for end in _COMPRESSIONS):
        raise OutputError(f"{path}: expected a name ending in .hepmc, .hepmc.gz, .hepmc.bz2 or .hepmc.xz.")


def _compressed(file: IO[bytes], suffix: str) -> Any:
    if suffix == ".gz":  # without name and time, so that the same events give the same bytes
        return gzip.GzipFile("", "wb", 6, file, 0)
    if suffix == ".bz2":
        return bz2.BZ2File(file, "wb")
    return lzma.LZMAFile(file, "wb") if suffix == ".xz" else nullcontext(file)


def _header(description: str, weight_names: Sequence[str]) -> str:
    names = "\\|".join(name.replace("\\", "\\\\") for name in weight_names)
    return (
        f"HepMC::Version 3.03.00\nHepMC::Asciiv3-START_EVENT_LISTING\nW {names}\nT {TOOL}\\|{version}\\|{description}\n"
    )


def records(chunk: ParsedChunk) -> Iterator[str]:
    """The text of every collision, in order."""
    tables = chunk.tables
    parts = {name: _parts(tables[name], tables["GenEvents"]) for name in ("GenVertices", "GenParticles", "GenWeights")}
    for row, event_id in enumerate(tables["GenEvents"]["genevent_id"].tolist()):
        pieces = {name: parts[name].get(event_id, {}) for name in parts}
        event = {name: values[row] for name, values in tables["GenEvents"].items()}
        yield _record(event, pieces["GenVertices"], pieces["GenParticles"], pieces["GenWeights"])


def _parts(table: Columns, events: Columns) -> dict[int, dict[str, list[Any]]]:
    """The rows of each collision as lists, by its id; None for NULL."""
    ids = np.ma.getdata(table["genevent_id"])
    order = np.argsort(ids, kind="stable")
    wanted = np.sort(np.ma.getdata(events["genevent_id"]))
    columns = {name: values[order].tolist() for name, values in table.items()}
    bounds = zip(
        wanted.tolist(), np.searchsorted(ids[order], wanted, "left").tolist(),
        np.searchsorted(ids[order], wanted, "right").tolist(),
    )  # fmt: skip
    return {event: {name: column[begin:end] for name, column in columns.items()} for event, begin, end in bounds}


def _record(event: dict[str, Any], vertices: Any, particles: Any, weights: Any) -> str:
    lines = _graph(vertices, particles)
    n_particles = sum(line.startswith("P") for line in lines)
    values = weights.get("value") or [event["weight"]]
    head = [
        f"E {_integer(event['event_number'])} {len(vertices.get('genvertex_id', ()))} {n_particles}",
        "U MEV MM",
        "W " + " ".join(map(_real, values)),
    ]
    return "\n".join([*head, *_attributes(event), *lines]) + "\n"


def _attributes(event: dict[str, Any]) -> Iterator[str]:
    if event["cross_section"] == event["cross_section"]:
        yield f"A 0 GenCrossSection {_real(event['cross_section'])} {_real(event['cross_section_error'])} -1 -1"
    for column, name in _ATTRIBUTES.items():
        value = event[column]
        if value is not np.ma.masked and value == value:
            yield f"A 0 {name} {_integer(value) if column == 'process_id' else _real(value)}"


def _graph(vertices: Any, particles: Any) -> list[str]:
    """Particles and vertices, each vertex after its incoming and before its outgoing particles.

    Rows of tables usually have that order; otherwise, the particles are renumbered. A vertex without incoming
    particles, as in events of a gun, gets one that stands for the system of its outgoing particles, because HepMC's
    library cannot read it otherwise.
    """
    rows = {vertex: row for row, vertex in enumerate(vertices.get("genvertex_id", ()))}
    incoming: dict[Any, list[int]] = {}
    for row, vertex in enumerate(particles.get("end_vertex", ())):
        incoming.setdefault(vertex, []).append(row)
    numbers: dict[int, int] = {}
    barcodes: dict[Any, int] = {None: 0}
    lines: list[str] = []
    systems = 0

    def enter(vertex: Any) -> None:
        nonlocal systems
        entering = [numbers[row] for row in incoming.get(vertex, ())]
        if not entering:
            systems += 1
            entering = [len(numbers) + systems]
            lines.append(_system(entering[0], particles, vertex))
        barcodes[vertex] = -len(barcodes)
        lines.append(_vertex(barcodes[vertex], vertices, rows[vertex], entering))

    stack = list(range(len(particles.get("pid", ()))))[::-1]
    while stack:
        row = stack[-1]
        vertex = particles["production_vertex"][row]
        before = [] if vertex in barcodes else [p for p in incoming.get(vertex, ()) if p not in numbers]
        if row not in numbers and before:
            stack += before[::-1]
            continue
        stack.pop()
        if row in numbers:
            continue
        if vertex not in barcodes:
            enter(vertex)
        numbers[row] = len(numbers) + systems + 1
        lines.append(_particle(numbers[row], barcodes[vertex], particles, row))
    for vertex in rows:
        if vertex not in barcodes:  # nothing leaves it
            enter(vertex)
    return lines


def _vertex(barcode: int, table: Any, row: int, incoming: list[int]) -> str:
    place = " ".join(_real(table[name][row]) for name in "xyzt")
    return f"V {barcode} {table['status'][row]} [{','.join(map(str, incoming))}] @ {place}"


def _system(number: int, table: Any, vertex: Any) -> str:
    leaving = [row for row, place in enumerate(table["production_vertex"]) if place == vertex]
    px, py, pz, energy = (math.fsum(table[name][row] for row in leaving) for name in ("px", "py", "pz", "pe"))
    mass = math.sqrt(max(energy**2 - px**2 - py**2 - pz**2, 0.0))
    return f"P {number} 0 {SYSTEM} {' '.join(map(_real, (px, py, pz, energy, mass)))} {BEAM}"


def _particle(number: int, parent: int, table: Any, row: int) -> str:
    momentum = " ".join(_real(table[name][row]) for name in ("px", "py", "pz", "pe", "m"))
    return f"P {number} {parent} {table['pid'][row]} {momentum} {table['status'][row]}"


def _real(value: float) -> str:
    return repr(float(value))


def _integer(value: Any) -> int:
    return 0 if value is None or value is np.ma.masked else int(value)


__all__ = ["check_name", "records", "write"]
