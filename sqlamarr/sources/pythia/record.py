"""Convert events of Pythia 8 to arrays, and such arrays to generator tables, in MeV, mm and mm/c."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from sqlamarr.native.columns import Columns
from sqlamarr.particles.codes import BEAM, LHCB_SIGNAL
from sqlamarr.sources.record_tables import collision_tables, particle_columns, rows_of, vertex_columns

TO_MEV = 1000.0  # Pythia uses GeV

_STRINGS = frozenset((*range(81, 87), *range(101, 107)))  # |status| of hadrons produced by a whole string

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Record:
    """The particles and vertices of one collision.

    :ivar line: line in Pythia's record, (n,)
    :ivar pid: PDG codes, (n,)
    :ivar status: HepMC statuses, (n,)
    :ivar momenta: pe, px, py, pz, m [MeV], (n, 5)
    :ivar production: index of the production vertex, -1 for none, (n,)
    :ivar end: index of the end vertex, -1 for none, (n,)
    :ivar vertices: t [mm/c], x, y, z [mm], (v, 4)
    """

    line: Array
    pid: Array
    status: Array
    momenta: Array
    production: Array
    end: Array
    vertices: Array


def read(event: Any) -> Record:
    """Pythia's event record, without its line 0 (the system as a whole)."""
    particles = list(event)
    kind = type(particles[0])
    mother1, mother2, code = (list(map(f, particles)) for f in (kind.mother1, kind.mother2, kind.status))
    production, end, first = graph(mother1, mother2, code)
    momenta = [list(map(f, particles)) for f in (kind.e, kind.px, kind.py, kind.pz, kind.m)]
    makers = [particles[i] for i in first]
    places = [list(map(f, makers)) for f in (kind.tProd, kind.xProd, kind.yProd, kind.zProd)]
    return Record(
        np.arange(1, len(particles)),
        np.array(list(map(kind.id, particles))[1:], np.int64),
        np.array(list(map(kind.statusHepMC, particles))[1:], np.int64),
        np.array(momenta).T[1:] * TO_MEV,
        np.array(production[1:], np.int64),
        np.array(end[1:], np.int64),
        np.array(places).T.reshape(-1, 4),
    )


def graph(
    mother1: Sequence[int], mother2: Sequence[int], status: Sequence[int]
) -> tuple[list[int], list[int], list[int]]:
    """Find vertices from the mothers of every line.

    :returns: production and end vertex by line (-1 for none), and by vertex the line for which it was made
    """
    production, end = [-1] * len(mother1), [-1] * len(mother1)
    first: list[int] = []
    last, vertex = (0, 0, 0), -1
    for line, codes in enumerate(zip(mother1, mother2, status)):
        if codes != last:  # otherwise, a sister of the previous line
            last = codes
            mothers = _mothers(*codes)
            vertex = -1
            for m in mothers:
                if end[m] >= 0:
                    vertex = end[m]
                    break
            if mothers and vertex < 0:
                vertex = len(first)
                first.append(line)
            for m in mothers:
                if end[m] < 0:
                    end[m] = vertex
        production[line] = vertex
    return production, end, first


def _mothers(a: int, b: int, status: int) -> Sequence[int]:
    """The lines that two mother codes denote (Pythia's manual, Particle Properties)."""
    if a == b == 0:
        return ()
    if b in (0, a):
        return (a,)
    if a == 0:
        return (b,)
    return range(a, b + 1) if abs(status) in _STRINGS and a < b else (min(a, b), max(a, b))


def graft(record: Record, index: int, decay: Record) -> Record:
    """A record in which the particle ``index`` is the signal and decays.

    :param decay: its decay, whose first particle is the one that decays
    """
    n, v = len(record.pid), len(record.vertices)
    status, end = record.status.copy(), record.end.copy()
    status[index] = LHCB_SIGNAL
    end[index] = v + decay.end[0] if decay.end[0] >= 0 else -1
    return Record(
        np.concatenate([record.line, n + np.arange(1, len(decay.pid))]),
        np.concatenate([record.pid, decay.pid[1:]]),
        np.concatenate([status, decay.status[1:]]),
        np.concatenate([record.momenta, decay.momenta[1:]]),
        np.concatenate([record.production, decay.production[1:] + v]),
        np.concatenate([end, np.where(decay.end[1:] >= 0, decay.end[1:] + v, -1)]),
        np.concatenate([record.vertices, decay.vertices]),
    )


class Collision(NamedTuple):
    """A record and the event that it belongs to.

    :ivar header: the columns of GenEvents other than ids
    :ivar weights: all weights, the one in the header first
    """

    event_id: int
    datasource_id: int
    header: dict[str, Any]
    record: Record
    weights: tuple[float, ...] = (1.0,)


def tables(collisions: Sequence[Collision]) -> dict[str, Columns]:
    """GenEvents, GenVertices, GenParticles and GenWeights of events of one collision each, by ascending id."""
    ids = np.array([c.event_id for c in collisions], np.int64)
    sources = np.array([c.datasource_id for c in collisions], np.int64)
    names = {name: None for c in collisions for name in c.header}
    header = {name: [c.header.get(name) for c in collisions] for name in names}
    return {
        **collision_tables(ids, sources, header, [c.weights for c in collisions]),
        "GenVertices": _vertices(ids, [c.record for c in collisions]),
        "GenParticles": _particles(ids, [c.record for c in collisions]),
    }


def _vertices(ids: Array, records: Sequence[Record]) -> Columns:
    owner, position = rows_of(ids, [len(record.vertices) for record in records])
    primary = _joined([_is_primary(record) for record in records], (0,))
    return vertex_columns(owner, position, primary, _joined([record.vertices for record in records], (0, 4)))


def _is_primary(record: Record) -> Array:
    flags = np.zeros(len(record.vertices), bool)
    flags[record.end[(record.status == BEAM) & (record.end >= 0)]] = True
    return flags


def _particles(ids: Array, records: Sequence[Record]) -> Columns:
    owner, position = rows_of(ids, [len(record.pid) for record in records])
    names = ("line", "production", "end", "pid", "status")
    line, production, end, pid, status = (
        _joined([getattr(record, name) for record in records], (0,)).astype(np.int64) for name in names
    )
    momenta = _joined([record.momenta for record in records], (0, 5))
    return particle_columns(owner, position, line, (production, end), pid, status, momenta)


def _joined(arrays: Sequence[Array], empty: tuple[int, ...]) -> Array:
    return np.concatenate(arrays) if arrays else np.empty(empty)


__all__ = ["TO_MEV", "Collision", "Record", "graft", "graph", "read", "tables"]
